import { readFileSync, writeFileSync } from "node:fs";
import type { IndexSettings } from "./files.ts";
import { nearestOf, rowsOf, scan, type Vectors } from "./vectors.ts";

/**
 * The only file that knows faiss-node. The addon keeps its constructor in one variable of the process: only one thread
 * of a process may load it, so the searching thread does, and an index is built in a process of its own.
 */
interface FaissIndex {
  add(rows: number[]): void;
  train(rows: number[]): void;
  search(rows: number[], k: number): { readonly labels: readonly number[] };
  write(path: string): void;
  ntotal(): number;
  getDimension(): number;
}

interface Faiss {
  readonly Index: {
    fromFactory(dimension: number, description: string): FaissIndex;
    read(path: string): FaissIndex;
  };
}

export type LoadedFaiss =
  | { readonly kind: "faiss"; readonly faiss: Faiss }
  | { readonly kind: "absent"; readonly because: string };

/** Loads the addon, from `path` when it is given. It is optional: an answer, never an error. */
export async function loadFaiss(path?: string): Promise<LoadedFaiss> {
  try {
    // A name in a variable: where nothing compiled it, the package is there without its addon and its types.
    const name: string = path ?? "faiss-node";
    const loaded = (await import(name)) as { default: Faiss };
    if (typeof loaded.default.Index?.read !== "function") return { kind: "absent", because: "it is another package" };
    return { kind: "faiss", faiss: loaded.default };
  } catch (error) {
    return { kind: "absent", because: isUnbuilt(error) ? notBuilt : (String(error).split("\n")[0] ?? "") };
  }
}

const notBuilt = "build:faiss for FAISS";

/** True where the package, or the addon that its install script would have made, is not there. */
function isUnbuilt(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    code === "ERR_MODULE_NOT_FOUND" ||
    code === "MODULE_NOT_FOUND" ||
    String(message).includes("Could not locate the bindings")
  );
}

/** Finds candidates for the nearest rows; the caller compares them exactly. */
export interface CandidateIndex {
  /** Rows in no promised order; fewer than `k` when the index looked at no more. */
  candidates(query: Float32Array, k: number): readonly number[];
}

/** Opens a finished index; a problem when it is not one over these vectors. */
export function openIndex(faiss: Faiss, path: string, vectors: Vectors): CandidateIndex | { readonly problem: string } {
  try {
    const index = faiss.Index.read(path);
    if (index.ntotal() !== vectors.count || index.getDimension() !== vectors.dimension) {
      return { problem: "the index does not belong to these vectors" };
    }
    return {
      candidates: (query, k) =>
        index.search(Array.from(query), Math.min(k, vectors.count)).labels.filter((row) => row >= 0),
    };
  } catch (error) {
    return { problem: `the index cannot be read: ${String(error)}` };
  }
}

// Up to here faiss compares with every vector, which is exact and takes at most about 1.5 ms.
const mostCompared = 5_000;
/** True when an index takes long to build: more than 5,000 vectors. */
export function isLarge(count: number): boolean {
  return count > mostCompared;
}

const reducedDimension = 128;
const rowsAtATime = 1_000;

/**
 * Builds the index over a file of vectors and writes it to `path`. Beyond 5,000 vectors: a projection on the 128 main
 * axes, then inverted lists; lists looked at and candidates compared grow until a sample of the vectors' own finds at
 * least 99 % of its ten nearest.
 */
export function buildIndex(
  faiss: Faiss,
  path: string,
  from: { readonly path: string; readonly vectors: Vectors },
): IndexSettings {
  const { vectors } = from;
  const lists = 2 ** Math.round(Math.log2(1.6 * Math.sqrt(vectors.count)));
  const exact = !isLarge(vectors.count) || vectors.dimension <= reducedDimension;
  const index = faiss.Index.fromFactory(vectors.dimension, exact ? "Flat" : `PCA${reducedDimension},IVF${lists},Flat`);
  if (!exact) index.train(sampleOf(vectors, lists * 40).flat());
  for (const rows of rowsOf(from.path, vectors.dimension, rowsAtATime)) index.add(rows);
  index.write(path);
  return exact ? { candidates: 32, recall: 1 } : tuned(faiss, path, lists, vectors);
}

const wantedRecall = 0.99;
const sampled = 100;
const listsTried = [8, 16, 24, 32, 48, 64, 96, 128];
const candidatesTried = [100, 200];

/** Sets how many lists a search looks at, and answers with what that finds. */
function tuned(faiss: Faiss, path: string, lists: number, vectors: Vectors): IndexSettings {
  const step = Math.max(1, Math.floor(vectors.count / sampled));
  const samples = Array.from({ length: Math.min(sampled, vectors.count) }, (_, i) => {
    const row = i * step;
    const query = rowOf(vectors, row);
    return { query, row, nearest: new Set(scan(vectors, query, 10, (other) => other !== row).map((hit) => hit.row)) };
  });
  let best: IndexSettings = { candidates: 200, recall: 0 };
  for (const probed of listsTried.filter((tried) => tried <= lists)) {
    setProbedLists(path, lists, probed);
    const opened = openIndex(faiss, path, vectors);
    if ("problem" in opened) throw new Error(opened.problem);
    for (const candidates of candidatesTried) {
      const found = samples.map(({ query, row, nearest }) => {
        const rows = opened.candidates(query, candidates).filter((other) => other !== row);
        return nearestOf(vectors, rows, query, 10).filter((hit) => nearest.has(hit.row)).length / nearest.size;
      });
      best = { candidates, recall: found.reduce((sum, share) => sum + share, 0) / found.length };
      if (best.recall >= wantedRecall) return best;
    }
  }
  return best;
}

/**
 * faiss-node has no call for `nprobe`, so it is set in the file. faiss 1.7, index_write.cpp: "IwFl", then the index
 * header (int32 d, int64 ntotal, 2 × int64, uint8 is_trained, int32 metric), then uint64 nlist and uint64 nprobe.
 */
function setProbedLists(path: string, lists: number, probed: number): void {
  const bytes = readFileSync(path);
  for (let start = bytes.indexOf("IwFl"); start >= 0; start = bytes.indexOf("IwFl", start + 1)) {
    if (bytes.length < start + 53 || bytes.readBigUInt64LE(start + 37) !== BigInt(lists)) continue;
    bytes.writeBigUInt64LE(BigInt(probed), start + 45);
    writeFileSync(path, bytes);
    return;
  }
  throw new Error("the index file has no inverted lists");
}

function sampleOf(vectors: Vectors, most: number): number[][] {
  const step = Math.max(1, Math.ceil(vectors.count / most));
  const rows: number[][] = [];
  for (let row = 0; row < vectors.count; row += step) rows.push(Array.from(rowOf(vectors, row)));
  return rows;
}

function rowOf({ values, dimension }: Vectors, row: number): Float32Array {
  return values.subarray(row * dimension, (row + 1) * dimension);
}
