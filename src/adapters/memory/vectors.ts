import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** Vectors of one length each, one after the other. */
export interface Vectors {
  readonly count: number;
  readonly dimension: number;
  readonly values: Float32Array;
}

/** A row and its similarity: the scalar product, which for vectors of length 1 is the cosine. */
export interface Hit {
  readonly row: number;
  readonly similarity: number;
}

/** Reads a whole file of little-endian floats. */
export function readVectors(path: string, dimension: number): Vectors {
  const bytes = readFileSync(path);
  return {
    count: Math.floor(bytes.length / 4 / dimension),
    dimension,
    values: new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4)),
  };
}

/** The rows of a file from `start` on, `most` at a time, as plain numbers. */
export function* rowsOf(path: string, dimension: number, most: number): Generator<number[]> {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(most * dimension * 4);
    for (;;) {
      const length = readSync(file, bytes);
      if (length < dimension * 4) return;
      yield Array.from(new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(length / 4)));
    }
  } finally {
    closeSync(file);
  }
}

/** The nearest of all allowed rows, nearest first; of equal rows the earlier one first. */
export function scan(
  vectors: Vectors,
  query: Float32Array,
  k: number,
  allowed: (row: number) => boolean,
): readonly Hit[] {
  const best: Hit[] = [];
  for (let row = 0; row < vectors.count; row++) {
    if (!allowed(row)) continue;
    const similarity = similarityOf(vectors, row, query);
    if (best.length === k && similarity <= (best.at(-1)?.similarity ?? 0)) continue;
    keep(best, { row, similarity }, k);
  }
  return best;
}

/** The nearest of some rows, in the same order as `scan` would give them. */
export function nearestOf(vectors: Vectors, rows: readonly number[], query: Float32Array, k: number): readonly Hit[] {
  return rows
    .map((row) => ({ row, similarity: similarityOf(vectors, row, query) }))
    .sort((a, b) => b.similarity - a.similarity || a.row - b.row)
    .slice(0, k);
}

function keep(best: Hit[], hit: Hit, k: number): void {
  let place = best.length;
  while (place > 0 && (best[place - 1]?.similarity ?? 0) < hit.similarity) place -= 1;
  best.splice(place, 0, hit);
  if (best.length > k) best.pop();
}

// Four sums let the processor work on four products at once. Index and scan both end here: equal answers.
function similarityOf({ values, dimension }: Vectors, row: number, query: Float32Array): number {
  const start = row * dimension;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = 0; i < dimension; i += 4) {
    a += (values[start + i] as number) * (query[i] as number);
    b += (values[start + i + 1] as number) * (query[i + 1] as number);
    c += (values[start + i + 2] as number) * (query[i + 2] as number);
    d += (values[start + i + 3] as number) * (query[i + 3] as number);
  }
  return a + b + (c + d);
}
