import { oneAtATime } from "../http/one-at-a-time.ts";
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type EmbeddingModel, lexicalEmbedding, lexicalModel, normalised } from "../../domain/llm/embedding.ts";
import type { MemoryState, Neighbour, Remembered } from "../../domain/records/precedent.ts";
import { entriesName, nothingYet, sweep, vectorsName } from "./files.ts";
import { startThread } from "./thread.ts";
import type { Loaded, Request, Start } from "./worker.ts";

/** Turns texts into vectors. Throws `Unavailable` or `Refused` like every adapter. */
export interface Embedder {
  readonly model: EmbeddingModel;
  embed(texts: readonly string[]): Promise<readonly ArrayLike<number>[]>;
}

/** The deterministic embedding that needs no model server. */
export const lexicalEmbedder: Embedder = {
  model: lexicalModel,
  embed: async (texts) => texts.map(lexicalEmbedding),
};

/** Past incidents by likeness. It holds no truth: `rebuild` makes it again from the post-mortems in Git. */
export interface MemoryIndex {
  state(): MemoryState;
  /**
   * Replaces everything by these entries, while the old ones go on answering. Vectors of unchanged texts are kept.
   * `revision` says what they were read from (a commit), so that the caller sees when nothing has changed.
   * On a failure the old ones stay, and the reason is thrown.
   */
  rebuild(entries: Iterable<Remembered> | AsyncIterable<Remembered>, revision?: string): Promise<void>;
  /** The `k` nearest of these namespaces, nearest first; of equal ones the earlier entry first. */
  search(text: string, k: number, among: Among): Promise<readonly Neighbour[]>;
  /** Breaks off what is being made. */
  close(): Promise<void>;
}

/** What a search may find. */
export interface Among {
  readonly namespaces: readonly string[];
  /** Uids of entries that somebody withdrew since the last rebuild. */
  readonly except?: readonly string[];
}

interface MemoryOptions {
  /** For this process alone. */
  readonly directory: string;
  readonly embedder?: Embedder;
  /** Told once per reason when the memory is off or works without its index. */
  readonly warn?: (text: string) => void;
  /** Path of faiss-node when it is not among the packages, or `off`. */
  readonly faiss?: string | undefined;
}

/** Opens the memory with what is on the disk; what is there but wrong is reported and not used. */
export async function openMemory(options: MemoryOptions): Promise<MemoryIndex> {
  const { directory, embedder = lexicalEmbedder } = options;
  await mkdir(directory, { recursive: true });
  await sweep(directory);
  const warn = once(options.warn ?? (() => undefined));
  const start: Start = { directory, faiss: options.faiss };
  let state: MemoryState = { kind: "off", because: "the memory is being opened" };
  const searcher = startSearcher(start, (because) => {
    state = { kind: "off", because };
    warn(`memory off: ${because}`);
  });
  const load = async () => {
    const { digest, dimension } = embedder.model;
    const loaded = await searcher.ask<Loaded>({ kind: "load", modelDigest: digest, dimension }).catch(offBecause);
    state = stateOf(loaded, warn);
  };
  await load();
  const inTurn = oneAtATime();
  return {
    state: () => state,
    rebuild: (entries, revision = "") =>
      inTurn(async () => {
        try {
          await makeGeneration({ start, embedder, searcher, revision }, entries);
          await load();
        } finally {
          await sweep(directory);
        }
      }),
    search: async (text, k, { namespaces, except = [] }) => {
      if (state.kind === "off" || k < 1) return [];
      const [vector = []] = await embedder.embed([text]);
      const query = checked(vector, embedder.model);
      return searcher.ask<readonly Neighbour[]>({ kind: "search", query, k, namespaces, except });
    },
    close: async () => {
      await searcher.stop();
      await inTurn(async () => undefined);
    },
  };
}

function offBecause(error: unknown): Loaded {
  return { kind: "off", because: error instanceof Error ? error.message : String(error) };
}

function stateOf(loaded: Loaded, warn: (text: string) => void): MemoryState {
  if (loaded.kind === "off") {
    if (loaded.because !== nothingYet) warn(`memory off: ${loaded.because}`);
    return loaded;
  }
  if (loaded.note !== "") warn(`memory: plain scan (${loaded.note})`);
  const { entries, engine, revision } = loaded;
  return { kind: "ready", entries, engine, revision };
}

function once(warn: (text: string) => void): (text: string) => void {
  const told = new Set<string>();
  return (text) => {
    if (told.has(text)) return;
    told.add(text);
    warn(text);
  };
}

interface Searcher {
  ask<T>(request: Request): Promise<T>;
  stop(): Promise<void>;
}

/** Starts the searching thread. `onDeath` is told when it ends by itself; open questions are then rejected. */
function startSearcher(start: Start, onDeath: (because: string) => void): Searcher {
  // More threads in faiss only wait for each other on a busy machine: one query is one thread's work.
  process.env.OMP_NUM_THREADS ??= "1";
  process.env.OPENBLAS_NUM_THREADS ??= "1";
  const worker = startThread(start);
  worker.unref();
  const open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let last = 0;
  let dead: string | undefined;
  const end = (because: string) => {
    dead = because;
    for (const { reject } of open.values()) reject(new Error(because));
    open.clear();
  };
  const died = (because: string) => {
    if (dead !== undefined) return;
    end(because);
    onDeath(because);
  };
  worker.on("message", ({ id, value, problem }: { id: number; value?: unknown; problem?: string }) => {
    const question = open.get(id);
    open.delete(id);
    if (open.size === 0) worker.unref();
    if (problem === undefined) question?.resolve(value);
    else question?.reject(new Error(problem));
  });
  worker.on("error", (error) => died(`the searching thread failed: ${String(error)}`));
  worker.on("exit", () => died("the searching thread ended"));
  return {
    ask: <T>(request: Request) =>
      new Promise<T>((resolve, reject) => {
        if (dead !== undefined) return reject(new Error(dead));
        last += 1;
        open.set(last, { resolve: resolve as (value: unknown) => void, reject });
        worker.ref();
        worker.postMessage({ id: last, request });
      }),
    stop: async () => {
      end("the memory is closed");
      await worker.terminate();
    },
  };
}

interface Making {
  readonly start: Start;
  readonly embedder: Embedder;
  readonly searcher: Searcher;
  readonly revision: string;
}

const entriesAtATime = 32;

/** Writes a new generation piece by piece, then has it indexed and made the current one. */
async function makeGeneration(
  making: Making,
  entries: Iterable<Remembered> | AsyncIterable<Remembered>,
): Promise<void> {
  const { start, embedder, searcher } = making;
  const generation = randomUUID();
  const place = join(start.directory, generation);
  await mkdir(place);
  const files = {
    entries: await open(join(place, entriesName), "wx"),
    vectors: await open(join(place, vectorsName), "wx"),
  };
  try {
    let batch: Remembered[] = [];
    for await (const entry of entries) {
      batch.push(entry);
      if (batch.length < entriesAtATime) continue;
      await writeBatch(making, files, batch);
      batch = [];
      await setImmediate();
    }
    await writeBatch(making, files, batch);
  } finally {
    await Promise.all([files.entries.close(), files.vectors.close()]);
  }
  const { digest, dimension } = embedder.model;
  await searcher.ask({ kind: "build", generation, modelDigest: digest, dimension, revision: making.revision });
}

async function writeBatch(
  { embedder, searcher }: Making,
  files: { readonly entries: FileHandle; readonly vectors: FileHandle },
  batch: readonly Remembered[],
): Promise<void> {
  if (batch.length === 0) return;
  const hashes = batch.map(({ text }) => createHash("sha256").update(text).digest("hex"));
  const kept = await searcher.ask<readonly (Float32Array | undefined)[]>({ kind: "vectors", texts: hashes });
  const missing = batch.filter((_, i) => kept[i] === undefined).map(({ text }) => text);
  const made = missing.length === 0 ? [] : await embedder.embed(missing);
  if (made.length !== missing.length) throw new Error(`${missing.length} texts gave ${made.length} vectors`);
  let next = 0;
  const vectors = kept.map((vector) => vector ?? checked(made[next++] ?? [], embedder.model));
  await files.vectors.appendFile(Buffer.concat(vectors.map((v) => Buffer.from(v.buffer, v.byteOffset, v.byteLength))));
  await files.entries.appendFile(
    batch.map((entry, i) => `${JSON.stringify({ ...entry, textHash: hashes[i] })}\n`).join(""),
  );
}

/** A vector of the model's length, with length 1: anything else would poison every search. */
function checked(vector: ArrayLike<number>, model: EmbeddingModel): Float32Array {
  if (vector.length !== model.dimension) {
    throw new Error(`${model.digest} gave ${vector.length} numbers instead of ${model.dimension}`);
  }
  const unit = normalised(vector);
  if (!unit.every(Number.isFinite)) throw new Error(`${model.digest} gave a vector that is not of numbers`);
  return unit;
}
