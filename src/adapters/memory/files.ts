import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, readSync, renameSync, writeSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/**
 * The memory on disk is a cache; the post-mortems in Git are the truth. One directory, one process:
 *
 *     current.json            which generation counts, with the checksums of its files; replaced by one rename
 *     <generation>/
 *       entries.jsonl         the remembered incidents, one JSON object a line
 *       vectors.f32           their vectors in the same order, little-endian floats
 *       index.faiss           the index over them, where there is one
 *
 * A process that is killed while it writes leaves a generation that nothing points to.
 */
const Manifest = z.strictObject({
  format: z.literal(1),
  generation: z.string().regex(/^[0-9a-f-]{36}$/),
  model: z.strictObject({ digest: z.string(), dimension: z.number().int().positive() }),
  count: z.number().int().nonnegative(),
  /** What it was made from, in the words of the caller: a commit. */
  revision: z.string(),
  /** How the index is asked; null = plain scan. */
  index: z
    .strictObject({
      /** Candidates that are asked from the index and then compared exactly. */
      candidates: z.number().int().positive(),
      /** Share of the true ten nearest that a sample of its own entries found. */
      recall: z.number(),
    })
    .nullable(),
  checksums: z.record(z.string(), z.string()),
});

export type Manifest = z.infer<typeof Manifest>;
export type IndexSettings = NonNullable<Manifest["index"]>;

const manifestName = "current.json";
export const entriesName = "entries.jsonl";
export const vectorsName = "vectors.f32";
export const indexName = "index.faiss";

type ReadManifest =
  | { readonly kind: "manifest"; readonly manifest: Manifest }
  | { readonly kind: "none"; readonly because: string };

/** What a first start finds: no reason to warn. */
export const nothingYet = "nothing remembered yet";

/** The generation that counts. A file that was cut or changed by hand is none. */
export function readManifest(directory: string): ReadManifest {
  try {
    const [sum, text] = splitOnce(readFileSync(join(directory, manifestName), "utf8"));
    if (sum !== hashOf(text)) return { kind: "none", because: "the memory's header does not match its checksum" };
    const parsed = Manifest.safeParse(JSON.parse(text));
    if (!parsed.success) return { kind: "none", because: "the memory's header is of another version" };
    return { kind: "manifest", manifest: parsed.data };
  } catch (error) {
    if (isMissing(error)) return { kind: "none", because: nothingYet };
    return { kind: "none", because: `the memory's header cannot be read: ${String(error)}` };
  }
}

/** Makes a finished generation the one that counts: files first, then one rename, each on the disk before the next. */
export function commitManifest(directory: string, manifest: Manifest): void {
  for (const name of Object.keys(manifest.checksums)) flush(join(directory, manifest.generation, name));
  flush(join(directory, manifest.generation));
  const text = JSON.stringify(manifest);
  const draft = join(directory, `${manifestName}.${manifest.generation}`);
  const file = openSync(draft, "w");
  writeSync(file, `${hashOf(text)}\n${text}`);
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, join(directory, manifestName));
  flush(directory);
}

/** Removes what no header points to. */
export async function sweep(directory: string): Promise<void> {
  const read = readManifest(directory);
  const kept = read.kind === "manifest" ? read.manifest.generation : undefined;
  for (const entry of await readdir(directory)) {
    const ours = /^(current\.json\.)?[0-9a-f]{8}-[0-9a-f-]{27}$/.test(entry);
    if (ours && entry !== kept) await rm(join(directory, entry), { recursive: true, force: true });
  }
}

/** Hex SHA-256 of a file, read in pieces. */
export function checksumOf(path: string): string {
  const hash = createHash("sha256");
  const file = openSync(path, "r");
  try {
    const piece = Buffer.alloc(1 << 20);
    for (;;) {
      const length = readSync(file, piece);
      if (length === 0) return hash.digest("hex");
      hash.update(piece.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
}

function flush(path: string): void {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function splitOnce(text: string): [string, string] {
  const end = text.indexOf("\n");
  return [text.slice(0, end), text.slice(end + 1)];
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
