import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Embedder, type MemoryIndex, openMemory } from "../../../src/adapters/memory/memory.ts";
import type { Remembered } from "../../../src/domain/records/precedent.ts";
import { clusteredVectors } from "../../bench/memory-data.ts";

const dimension = 256;
const count = 6_000;
const queries = 50;
const { vectors, queries: asked } = clusteredVectors(count, queries, dimension);

/** Texts are row numbers, `q` in front for the queries. */
const embedder: Embedder = {
  model: { digest: "made", dimension },
  embed: async (texts) =>
    texts.map((text) => {
      const [from, row] = text.startsWith("q") ? [asked, Number(text.slice(1))] : [vectors, Number(text)];
      return from.subarray(row * dimension, (row + 1) * dimension);
    }),
};

function entry(row: number): Remembered {
  const remedy = { kind: "scale", sentence: "scale web from 2 to 5 replicas", from: "2", to: "5" } as const;
  const namespace = row % 1000 === 0 ? "small" : "shop";
  const about = { namespace, workload: `${namespace}/Deployment/web`, alert: "HighLatency", cause: null, remedy };
  return {
    uid: String(row),
    ...about,
    outcome: "verified",
    because: "",
    startedAt: "",
    pullRequest: null,
    text: String(row),
  };
}

async function uidsOf(memory: MemoryIndex, namespace: string): Promise<string[][]> {
  const all: string[][] = [];
  for (let query = 0; query < queries; query++) {
    const found = await memory.search(`q${query}`, 10, { namespaces: [namespace] });
    all.push(found.map(({ remembered }) => remembered.uid));
  }
  return all;
}

describe.each([
  ["few entries, compared exactly", 500, 1],
  ["many entries, by inverted lists", count, 0.95],
])("faiss with %s", (_, size, share) => {
  const directories = [0, 1].map(() => mkdtempSync(join(tmpdir(), "rectify-memory-faiss-")));
  const [withFaiss = "", byScan = ""] = directories;
  const warnings: string[] = [];
  let memory: MemoryIndex;
  let plain: MemoryIndex;

  beforeAll(async () => {
    execFileSync("npm", ["run", "-s", "build:faiss"], { stdio: ["ignore", "ignore", "inherit"] });
    const entries = Array.from({ length: size }, (_, row) => entry(row));
    memory = await openMemory({ directory: withFaiss, embedder, warn: (text) => warnings.push(text) });
    plain = await openMemory({ directory: byScan, embedder, faiss: "off" });
    await memory.rebuild(entries, "c0ffee");
    await plain.rebuild(entries);
  }, 300_000);

  afterAll(async () => {
    await memory.close();
    await plain.close();
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });

  test("is really used", () => {
    expect(memory.state()).toEqual({ kind: "ready", entries: size, engine: "faiss", revision: "c0ffee" });
    expect(plain.state()).toEqual({ kind: "ready", entries: size, engine: "scan", revision: "" });
    expect(warnings).toEqual([]);
  });

  test("gives the answers of the plain scan", async () => {
    const [found, exact] = [await uidsOf(memory, "shop"), await uidsOf(plain, "shop")];
    const shared = found.flatMap((uids, query) => uids.filter((uid) => exact[query]?.includes(uid)));
    expect(shared.length / exact.flat().length).toBeGreaterThanOrEqual(share);
  });

  test("gives a small namespace all of its own, and nothing else", async () => {
    const found = await uidsOf(memory, "small");
    expect(found).toEqual(await uidsOf(plain, "small"));
    expect(new Set(found.flat().map((uid) => Number(uid) % 1000))).toEqual(new Set([0]));
  });

  test("gives the same after a restart, and nothing when the index was changed", async () => {
    const copy = mkdtempSync(join(tmpdir(), "rectify-memory-faiss-"));
    cpSync(withFaiss, copy, { recursive: true });
    const again = await openMemory({ directory: copy, embedder });
    expect(await uidsOf(again, "shop")).toEqual(await uidsOf(memory, "shop"));
    await again.close();
    const index = join(copy, readdirSync(copy).find((name) => name !== "current.json") ?? "", "index.faiss");
    const bytes = readFileSync(index);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(index, bytes);
    const damaged = await openMemory({ directory: copy, embedder });
    expect(damaged.state()).toEqual({ kind: "off", because: "index.faiss of the memory does not match its checksum" });
    await damaged.close();
    rmSync(copy, { recursive: true, force: true });
  });
});
