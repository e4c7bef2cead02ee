/** A text that holds one JSON value in which no object has a key twice: readers differ in which of the two they take. */
type StrictJson =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "broken" }
  | { readonly kind: "repeated"; readonly key: string };

export function parseStrictJson(text: string): StrictJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "broken" };
  }
  const key = repeatedKey(text);
  return key === undefined ? { kind: "value", value } : { kind: "repeated", key };
}

// Strings whole, so that no sign inside one is taken for structure; then the signs of structure. The text is valid JSON.
const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let last = "";
  for (const [token] of text.matchAll(tokens)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") {
      // As it is read: a key may be written with escapes.
      const key = JSON.parse(last) as string;
      if (open.at(-1)?.has(key)) return key;
      open.at(-1)?.add(key);
    } else last = token;
  }
  return undefined;
}
