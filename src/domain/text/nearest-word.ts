/**
 * The known word that a typing error most likely meant; undefined when none is near. With `atMost` no more letters than
 * that may be wrong.
 */
export function nearestWord(word: string, known: readonly string[], atMost?: number): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (!best) return undefined;
  // A third of the letters may be wrong; a shorter form of one word alone (`approve`) is that word.
  if (best.distance <= Math.min(atMost ?? best.distance, Math.max(1, Math.floor(best.candidate.length / 3))))
    return best.candidate;
  if (atMost !== undefined) return undefined;
  const longer = word.length < 3 ? [] : known.filter((candidate) => candidate.startsWith(word.toLowerCase()));
  return longer.length === 1 ? longer[0] : undefined;
}

/** Levenshtein distance: the fewest insertions, deletions and replacements of one letter. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [at, letter] of [...left].entries()) {
    const next = [at + 1];
    for (let index = 1; index <= right.length; index += 1) {
      const replaced = (row[index - 1] ?? 0) + (letter === right[index - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[index] ?? 0) + 1, (next[index - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
