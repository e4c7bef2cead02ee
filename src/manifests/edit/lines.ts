/** Lines with their terminators: joined they are the text again, byte for byte. */
export function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Lines `from` of one text that became lines `to` of another; half-open, either side may be empty. */
export interface Hunk {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
}

/** What lies between the lines that two texts share, in order. */
export function hunksBetween(left: readonly string[], right: readonly string[]): readonly Hunk[] {
  const hunks: Hunk[] = [];
  let [a, b] = [0, 0];
  for (const [x, y] of [...sharedLines(left, right), [left.length, right.length] as const]) {
    if (x > a || y > b) hunks.push({ from: [a, x], to: [b, y] });
    [a, b] = [x + 1, y + 1];
  }
  return hunks;
}

/** Pairs of equal lines, as many as possible, in order: the longest common subsequence. */
export function sharedLines(left: readonly string[], right: readonly string[]): readonly (readonly [number, number])[] {
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start += 1;
  let [endLeft, endRight] = [left.length, right.length];
  while (endLeft > start && endRight > start && left[endLeft - 1] === right[endRight - 1]) {
    endLeft -= 1;
    endRight -= 1;
  }
  const head = Array.from({ length: start }, (_, index) => [index, index] as const);
  const middle = longest(left.slice(start, endLeft), right.slice(start, endRight));
  const tail = Array.from({ length: left.length - endLeft }, (_, n) => [endLeft + n, endRight + n] as const);
  return [...head, ...middle.map(([x, y]) => [x + start, y + start] as const), ...tail];
}

/** Above this many comparisons two texts count as wholly different: nothing of them is then taken for unchanged. */
const mostCells = 16_000_000;

function longest(left: readonly string[], right: readonly string[]): (readonly [number, number])[] {
  const width = right.length + 1;
  if (left.length === 0 || right.length === 0 || (left.length + 1) * width > mostCells) return [];
  const lengths = new Uint32Array((left.length + 1) * width);
  const cell = (x: number, y: number) => lengths[x * width + y] ?? 0;
  for (let x = left.length - 1; x >= 0; x -= 1) {
    for (let y = right.length - 1; y >= 0; y -= 1) {
      const same = left[x] === right[y];
      lengths[x * width + y] = same ? cell(x + 1, y + 1) + 1 : Math.max(cell(x + 1, y), cell(x, y + 1));
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let [x, y] = [0, 0]; x < left.length && y < right.length; ) {
    if (left[x] === right[y]) pairs.push([x++, y++]);
    else if (cell(x + 1, y) >= cell(x, y + 1)) x += 1;
    else y += 1;
  }
  return pairs;
}
