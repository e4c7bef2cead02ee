/** The same function, which works its answer out once for each object, for as long as the object lives. */
export function oncePer<Key extends object, Answer>(make: (key: Key) => Answer): (key: Key) => Answer {
  const known = new WeakMap<Key, { readonly answer: Answer }>();
  return (key) => {
    const found = known.get(key) ?? { answer: make(key) };
    known.set(key, found);
    return found.answer;
  };
}
