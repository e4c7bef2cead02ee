import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type Among,
  type Embedder,
  lexicalEmbedder,
  type MemoryIndex,
  openMemory,
} from "../../../src/adapters/memory/memory.ts";
import { openGeneration } from "../../../src/adapters/memory/generation.ts";
import type { LoadedFaiss } from "../../../src/adapters/memory/index.ts";
import type { Remembered } from "../../../src/domain/records/precedent.ts";
import { programOf } from "../../cli-program.ts";

const open: MemoryIndex[] = [];
const directories: string[] = [];

afterEach(async () => {
  for (const memory of open.splice(0)) await memory.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "rectify-memory-"));
  directories.push(directory);
  return directory;
}

async function opened(directory: string, options: Partial<Parameters<typeof openMemory>[0]> = {}) {
  const warnings: string[] = [];
  const memory = await openMemory({ directory, faiss: "off", warn: (text) => warnings.push(text), ...options });
  open.push(memory);
  return { memory, warnings };
}

function entry(uid: string, text: string, change: Partial<Remembered> = {}): Remembered {
  const remedy = { kind: "scale", sentence: "scale web from 2 to 5 replicas", from: "2", to: "5" } as const;
  const about = { namespace: "shop", workload: "shop/Deployment/web", alert: "HighLatency", cause: null, remedy };
  return { uid, ...about, outcome: "verified", because: "", startedAt: "", pullRequest: null, text, ...change };
}

const entries = [
  entry("latency", "HighLatency web p99 latency of web 2 s"),
  entry("memory", "OOMKilled cart working set of cart 512 MiB"),
  entry("disk", "DiskFilling ledger volume of ledger is full"),
  entry("billing", "HighLatency web p99 latency of web 2 s", { namespace: "billing" }),
];
const where = { namespaces: ["shop"] };
const uidsOf = async (memory: MemoryIndex, text: string, k = 10, among: Among = where) =>
  (await memory.search(text, k, among)).map(({ remembered }) => remembered.uid);

const header = (directory: string) => join(directory, "current.json");

/** A file of the only generation of a directory. */
function fileOf(name: string): (directory: string) => string {
  return (directory) =>
    join(directory, readdirSync(directory).find((entry) => /^[0-9a-f-]{36}$/.test(entry)) ?? "", name);
}

describe("the memory", () => {
  const asked: string[] = [];
  let answer: (texts: readonly string[]) => Promise<readonly ArrayLike<number>[]>;
  let directory: string;
  let memory: MemoryIndex;
  let warnings: string[];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "rectify-memory-"));
    warnings = [];
    const embed: Embedder["embed"] = (texts) => (asked.push(...texts), answer(texts));
    const warn = (text: string) => warnings.push(text);
    memory = await openMemory({ directory, faiss: "off", warn, embedder: { ...lexicalEmbedder, embed } });
  });
  beforeEach(() => {
    answer = lexicalEmbedder.embed;
  });
  afterAll(async () => {
    await memory.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test("starts empty and quiet, and can remember nothing", async () => {
    expect(memory.state()).toEqual({ kind: "off", because: "nothing remembered yet" });
    expect(warnings).toEqual([]);
    await memory.rebuild([]);
    expect(memory.state()).toMatchObject({ kind: "ready", entries: 0 });
    expect(await uidsOf(memory, "HighLatency web")).toEqual([]);
  });

  test("finds the most alike first, with what was stored", async () => {
    await memory.rebuild(entries, "c0ffee");
    const [first] = await memory.search("HighLatency web p99 latency of web 3 s", 1, where);
    expect(first?.remembered).toEqual(entries[0]);
    expect(first?.similarity).toBeGreaterThan(0.9);
    expect(memory.state()).toEqual({ kind: "ready", entries: 4, engine: "scan", revision: "c0ffee" });
  });

  test("keeps namespaces apart", async () => {
    await memory.rebuild(entries);
    expect((await uidsOf(memory, "HighLatency web")).toSorted()).toEqual(["disk", "latency", "memory"]);
  });

  test("embeds only what it does not know yet", async () => {
    await memory.rebuild(entries.slice(0, 2));
    asked.length = 0;
    await memory.rebuild(entries.slice(1, 3));
    expect(asked).toEqual([entries[2]?.text]);
    expect(await uidsOf(memory, "OOMKilled cart", 2)).toEqual(["memory", "disk"]);
  });

  test.each<[string, Embedder["embed"], RegExp]>([
    ["no answer", () => Promise.reject(new Error("no answer")), /no answer/],
    ["a vector too short", async (texts) => texts.map(() => [1, 2, 3]), /gave 3 numbers instead of 768/],
    ["a vector not of numbers", async (texts) => texts.map(() => Array(768).fill(Number.NaN)), /not of numbers/],
    ["too few vectors", async () => [], /gave 0 vectors/],
  ])("keeps the old entries when the embedding gives %s during a rebuild", async (_, given, problem) => {
    await memory.rebuild(entries.slice(0, 1));
    answer = given;
    await expect(memory.rebuild(entries)).rejects.toThrow(problem);
    answer = lexicalEmbedder.embed;
    expect(await uidsOf(memory, "HighLatency web")).toEqual(["latency"]);
    expect(readdirSync(directory)).toHaveLength(2);
  });

  test("is there again after a restart, looks into the namespaces that it is told, and passes over what is withdrawn", async () => {
    await memory.rebuild(entries, "c0ffee");
    const again = await opened(directory);
    const both = { namespaces: ["shop", "billing"] };
    expect(again.memory.state()).toMatchObject({ kind: "ready", revision: "c0ffee" });
    expect((await uidsOf(again.memory, "HighLatency web", 2, both)).toSorted()).toEqual(["billing", "latency"]);
    const without = { ...both, except: ["billing"] };
    expect((await uidsOf(again.memory, "HighLatency web", 2, without))[0]).toBe("latency");
    expect(await uidsOf(again.memory, "HighLatency web", 10, without)).not.toContain("billing");
    expect(again.warnings).toEqual(["memory: plain scan (it is switched off)"]);
  });
});

test("a question that is open when the memory closes is answered with an error, not with silence", async () => {
  const directory = await memoryOf(entries);
  const memory = await openMemory({ directory, faiss: "off" });
  const refused = expect(memory.search("HighLatency web", 1, where)).rejects.toThrow("the memory is closed");
  await Promise.resolve();
  await memory.close();
  await refused;
});

describe("M01 without faiss-node", () => {
  test("it starts, answers by scan and warns once", async () => {
    const { memory, warnings } = await opened(freshDirectory(), { faiss: "/nowhere/faiss-node/index.js" });
    await memory.rebuild(entries);
    await memory.rebuild(entries);
    expect(await uidsOf(memory, "DiskFilling ledger", 1)).toEqual(["disk"]);
    expect(warnings).toEqual(["memory: plain scan (build:faiss for FAISS)"]);
  });
});

describe("M03 another embedding model", () => {
  test("of another digest and dimension: off, then rebuilt, never mixed", async () => {
    const directory = await memoryOf(entries);
    const asked: string[] = [];
    const embed = async (texts: readonly string[]) => {
      asked.push(...texts);
      return texts.map((text) => Array.from({ length: 1024 }, (_, i) => (i === text.length ? 1 : 0)));
    };
    const other = await opened(directory, { embedder: { model: { digest: "other", dimension: 1024 }, embed } });
    expect(other.memory.state()).toEqual({ kind: "off", because: "the memory was made by lexical-1, not by other" });
    expect(other.warnings).toHaveLength(1);
    expect(await other.memory.search("HighLatency web", 3, where)).toEqual([]);
    await other.memory.rebuild(entries);
    expect(asked).toEqual(entries.map(({ text }) => text));
    expect(other.memory.state()).toMatchObject({ kind: "ready", entries: 4 });
  });
});

describe("M04 what lies on the disk", () => {
  const absent: LoadedFaiss = { kind: "absent", because: "not wanted here" };
  const model = { modelDigest: "lexical-1", dimension: 768 };
  let good: string;

  beforeAll(async () => {
    good = await memoryOf(entries);
    directories.splice(0);
  });
  afterAll(() => rmSync(good, { recursive: true, force: true }));

  test.each<[string, (directory: string) => string, (bytes: Buffer) => Buffer, RegExp]>([
    ["a cut header", header, (bytes) => bytes.subarray(0, 80), /does not match its checksum/],
    ["a changed header", header, (bytes) => edited(bytes, "lexical-1", "lexical-2"), /does not match its checksum/],
    ["a cut vector file", fileOf("vectors.f32"), (bytes) => bytes.subarray(0, 1000), /vectors.f32 .* checksum/],
    ["a flipped bit in a vector", fileOf("vectors.f32"), (bytes) => flipped(bytes, 500), /vectors.f32 .* checksum/],
    [
      "a swapped outcome",
      fileOf("entries.jsonl"),
      (b) => edited(b, '"verified"', '"failed__"'),
      /entries.jsonl .* checksum/,
    ],
  ])("with %s is not used", (_, place, damage, because) => {
    const directory = freshDirectory();
    cpSync(good, directory, { recursive: true });
    expect(openGeneration(directory, model, absent)).toMatchObject({ manifest: { count: 4 } });
    const path = place(directory);
    writeFileSync(path, damage(readFileSync(path)));
    expect(openGeneration(directory, model, absent)).toEqual({ because: expect.stringMatching(because) });
  });

  test("is off and told when it is damaged, and comes back from Git", async () => {
    const directory = freshDirectory();
    cpSync(good, directory, { recursive: true });
    const path = fileOf("vectors.f32")(directory);
    writeFileSync(path, flipped(readFileSync(path), 500));
    const { memory, warnings } = await opened(directory);
    expect(memory.state().kind).toBe("off");
    expect(warnings).toEqual(["memory off: vectors.f32 of the memory does not match its checksum"]);
    await memory.rebuild(entries);
    expect(await uidsOf(memory, "DiskFilling ledger", 1)).toEqual(["disk"]);
  });

  test("is the last good index when the process is killed while it saves", async () => {
    const directory = freshDirectory();
    cpSync(good, directory, { recursive: true });
    await killWhileSaving(directory);
    expect(readdirSync(directory)).toHaveLength(3);
    const again = await opened(directory);
    expect(again.memory.state()).toMatchObject({ kind: "ready", entries: 4 });
    expect((await uidsOf(again.memory, "HighLatency web")).toSorted()).toEqual(["disk", "latency", "memory"]);
    expect(readdirSync(directory)).toHaveLength(2);
  });
});

/** A directory in which these entries were remembered. */
async function memoryOf(given: readonly Remembered[]): Promise<string> {
  const directory = freshDirectory();
  const memory = await openMemory({ directory, faiss: "off" });
  await memory.rebuild(given);
  await memory.close();
  return directory;
}

function edited(bytes: Buffer, from: string, to: string): Buffer {
  return Buffer.from(bytes.toString().replace(from, to));
}

function flipped(bytes: Buffer, place: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[place] = (copy[place] ?? 0) ^ 1;
  return copy;
}

/** A second process begins a rebuild that never ends, and is killed as soon as its first vectors are on the disk. */
async function killWhileSaving(directory: string): Promise<void> {
  const script = `
    const { openMemory } = await import(${JSON.stringify(await programOf("src/adapters/memory/memory.ts"))});
    const memory = await openMemory({ directory: ${JSON.stringify(directory)}, faiss: "off" });
    async function* entries() {
      for (let i = 0; i < 64; i++) yield { uid: "x" + i, namespace: "shop", text: "text " + i };
      process.stdout.write("saving");
      setInterval(() => undefined, 1000);
      await new Promise(() => undefined);
    }
    await memory.rebuild(entries());`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((done) => child.stdout.once("data", done));
  child.kill("SIGKILL");
  await new Promise((done) => child.once("close", done));
}
