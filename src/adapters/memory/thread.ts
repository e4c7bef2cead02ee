import { createHash } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { Start } from "./worker.ts";

let compiled: URL | undefined;

/** Starts the searching thread: from dist as it lies there, from source compiled once a process. */
export function startThread(start: Start): Worker {
  if (!import.meta.url.endsWith(".ts"))
    return new Worker(new URL("./worker.js", import.meta.url), { workerData: start });
  compiled ??= compiledFromSource();
  // What runs TypeScript in this process has nothing to do there.
  return new Worker(compiled, { workerData: start, execArgv: [] });
}

/** A loader of TypeScript in each thread took 0.8 s of processor time at each start; this takes a tenth, once. */
function compiledFromSource(): URL {
  const tsx = createRequire(import.meta.url).resolve("tsx/package.json");
  const { buildSync } = createRequire(tsx)("esbuild") as Esbuild;
  const entryPoints = [fileURLToPath(new URL("./worker.ts", import.meta.url))];
  const how = { bundle: true, write: false, platform: "node", format: "esm", target: "node20" };
  const text = buildSync({ entryPoints, ...how }).outputFiles[0]?.text ?? "";
  // Below node_modules, so that faiss-node is found; whole at once, because other processes make the same.
  const file = join(dirname(tsx), "..", ".cache", "rectify-memory", `${hashOf(text)}.mjs`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
  return pathToFileURL(file);
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

interface Esbuild {
  buildSync(options: object): { readonly outputFiles: readonly { readonly text: string }[] };
}
