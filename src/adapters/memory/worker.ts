import { oneAtATime } from "../http/one-at-a-time.ts";
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { vectorsName } from "./files.ts";
import {
  type IndexBuild,
  finish,
  type Generation,
  openGeneration,
  type Search,
  search,
  vectorOf,
} from "./generation.ts";
import { isLarge, type LoadedFaiss, loadFaiss } from "./index.ts";

/** What the main thread asks of the searching thread. */
export type Request =
  | { readonly kind: "load"; readonly modelDigest: string; readonly dimension: number }
  | ({ readonly kind: "search" } & Search)
  | { readonly kind: "vectors"; readonly texts: readonly string[] }
  /** Make a written generation the current one. Searches go on meanwhile. */
  | ({ readonly kind: "build" } & IndexBuild);

export type Loaded =
  | {
      readonly kind: "ready";
      readonly entries: number;
      readonly engine: "faiss" | "scan";
      readonly revision: string;
      readonly note: string;
    }
  | { readonly kind: "off"; readonly because: string };

/** What the searching thread was started with, and the building process is told in its arguments. */
export interface Start {
  readonly directory: string;
  /** Where faiss-node is, when not among the installed packages; `off` = not used. */
  readonly faiss: string | undefined;
}

function faissFor(start: Start): Promise<LoadedFaiss> {
  if (start.faiss === "off") return Promise.resolve({ kind: "absent", because: "it is switched off" });
  return loadFaiss(start.faiss);
}

/** The searching thread: one request at a time, answered in order; only a large build runs beside them. */
function serve(start: Start): void {
  let opened: Generation | undefined;
  const faiss = faissFor(start);
  const answer = async (request: Exclude<Request, { kind: "build" }>): Promise<unknown> => {
    switch (request.kind) {
      case "load": {
        const read = openGeneration(start.directory, request, await faiss);
        opened = "because" in read ? undefined : read;
        return loadedOf(read, await faiss);
      }
      case "search":
        return opened === undefined ? [] : search(opened, request);
      case "vectors":
        return request.texts.map((text) => opened && vectorOf(opened, text));
    }
  };
  const inTurn = oneAtATime();
  parentPort?.on("message", ({ id, request }: { id: number; request: Request }) => {
    const work =
      request.kind === "build" ? faiss.then((loaded) => build(start, request, loaded)) : inTurn(() => answer(request));
    work.then(
      (value) => parentPort?.postMessage({ id, value }),
      (error: unknown) =>
        parentPort?.postMessage({ id, problem: error instanceof Error ? error.message : String(error) }),
    );
  });
}

async function build(start: Start, request: IndexBuild, faiss: LoadedFaiss): Promise<void> {
  const { size } = statSync(join(start.directory, request.generation, vectorsName));
  const count = size / 4 / request.dimension;
  if (faiss.kind === "faiss" && isLarge(count)) await buildInProcess(start, request);
  else finish(start.directory, request, faiss);
}

const longestBuildMs = 30 * 60_000;

function buildInProcess(start: Start, { generation, modelDigest, dimension, revision }: IndexBuild): Promise<void> {
  const args = [start.directory, start.faiss ?? "", generation, modelDigest, String(dimension), revision];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...args], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
      timeout: longestBuildMs,
      killSignal: "SIGKILL",
    });
    let said = "";
    child.stderr.on("data", (piece: Buffer) => {
      said = (said + piece.toString()).slice(-2000);
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`the index was not built (${signal ?? `exit ${code}`}): ${said}`));
    });
  });
}

function loadedOf(read: Generation | { readonly because: string }, faiss: LoadedFaiss): Loaded {
  if ("because" in read) return { kind: "off", because: read.because };
  const note = faiss.kind === "absent" ? faiss.because : "";
  const { count, revision } = read.manifest;
  return { kind: "ready", entries: count, engine: read.index ? "faiss" : "scan", revision, note };
}

if (!isMainThread) {
  serve(workerData as Start);
} else {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const [directory = "", faiss = "", generation = "", modelDigest = "", dimension = "", revision = ""] = argv.slice(2);
  const start = { directory, faiss: faiss === "" ? undefined : faiss };
  finish(directory, { generation, modelDigest, dimension: Number(dimension), revision }, await faissFor(start));
}
