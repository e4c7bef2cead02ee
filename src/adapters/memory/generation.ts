import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Neighbour, Remembered } from "../../domain/records/precedent.ts";
import {
  checksumOf,
  commitManifest,
  entriesName,
  indexName,
  type Manifest,
  readManifest,
  vectorsName,
} from "./files.ts";
import { buildIndex, type CandidateIndex, type LoadedFaiss, openIndex } from "./index.ts";
import { type Hit, nearestOf, readVectors, scan, type Vectors } from "./vectors.ts";

/** Everything remembered, as it lies on the disk and checked. */
export interface Generation {
  readonly manifest: Manifest;
  readonly vectors: Vectors;
  readonly index: CandidateIndex | undefined;
  readonly entries: Entries;
}

/** The entries stay bytes, which are read when one is found: only what a search decides by is held apart. */
interface Entries {
  readonly lines: Buffer;
  readonly starts: readonly number[];
  readonly uids: readonly string[];
  readonly namespaces: readonly string[];
  readonly rowByText: ReadonlyMap<string, number>;
}

/** Opens the generation that counts, if every byte and the model are the right ones. */
export function openGeneration(
  directory: string,
  wanted: { readonly modelDigest: string; readonly dimension: number },
  faiss: LoadedFaiss,
): Generation | { readonly because: string } {
  const read = readManifest(directory);
  if (read.kind === "none") return { because: read.because };
  const { manifest } = read;
  if (manifest.model.digest !== wanted.modelDigest || manifest.model.dimension !== wanted.dimension) {
    return { because: `the memory was made by ${manifest.model.digest}, not by ${wanted.modelDigest}` };
  }
  const place = (name: string) => join(directory, manifest.generation, name);
  const wrong = Object.entries(manifest.checksums).find(([name, sum]) => sumOrNone(place(name)) !== sum);
  if (wrong !== undefined) return { because: `${wrong[0]} of the memory does not match its checksum` };
  const vectors = readVectors(place(vectorsName), manifest.model.dimension);
  const entries = readEntries(place(entriesName));
  if (vectors.count !== manifest.count || entries.uids.length !== manifest.count) {
    return { because: "the memory's files do not belong together" };
  }
  const index =
    manifest.index === null || faiss.kind === "absent" ? undefined : openIndex(faiss.faiss, place(indexName), vectors);
  if (index !== undefined && "problem" in index) return { because: index.problem };
  return { manifest, vectors, index, entries };
}

function sumOrNone(path: string): string | undefined {
  try {
    return checksumOf(path);
  } catch {
    return undefined;
  }
}

function readEntries(path: string): Entries {
  const lines = readFileSync(path);
  const starts: number[] = [];
  const uids: string[] = [];
  const namespaces: string[] = [];
  const rowByText = new Map<string, number>();
  for (let start = 0; start < lines.length; start = lines.indexOf(10, start) + 1) {
    const entry = lineOf(lines, start);
    rowByText.set(entry.textHash, uids.length);
    uids.push(entry.uid);
    namespaces.push(entry.namespace);
    starts.push(start);
  }
  return { lines, starts, uids, namespaces, rowByText };
}

export interface Search {
  readonly query: Float32Array;
  readonly k: number;
  /** What may be seen. */
  readonly namespaces: readonly string[];
  /** Uids that may not, whatever their namespace. */
  readonly except: readonly string[];
}

/** The nearest entries, nearest first; of equal ones the earlier one first. */
export function search(opened: Generation, { query, k, namespaces, except }: Search): readonly Neighbour[] {
  const { entries, vectors } = opened;
  const visible = new Set(namespaces);
  const gone = new Set(except);
  const allowed = (row: number) => visible.has(entries.namespaces[row] ?? "") && !gone.has(entries.uids[row] ?? "");
  const hits = indexed(opened, query, k, allowed) ?? scan(vectors, query, k, allowed);
  return hits.map(({ row, similarity }) => ({ remembered: entryAt(entries, row), similarity }));
}

/** Asks the index; undefined when too many of its candidates may not be seen from here, and a scan must answer. */
function indexed(
  { index, manifest, vectors }: Generation,
  query: Float32Array,
  k: number,
  allowed: (row: number) => boolean,
): readonly Hit[] | undefined {
  if (index === undefined || manifest.index === null) return undefined;
  for (const times of [1, 8]) {
    const asked = Math.max(manifest.index.candidates, 2 * k) * times;
    const rows = index.candidates(query, asked).filter(allowed);
    if (rows.length >= Math.min(2 * k, manifest.count) || asked >= vectors.count)
      return nearestOf(vectors, rows, query, k);
  }
  return undefined;
}

function entryAt({ lines, starts }: Entries, row: number): Remembered {
  const { textHash: _, ...remembered } = lineOf(lines, starts[row] ?? 0);
  return remembered;
}

function lineOf(lines: Buffer, start: number): Remembered & { readonly textHash: string } {
  return JSON.parse(lines.toString("utf8", start, lines.indexOf(10, start)));
}

/** The vector of a text by its hash, if there is one. */
export function vectorOf({ entries, vectors }: Generation, textHash: string): Float32Array | undefined {
  const row = entries.rowByText.get(textHash);
  return row === undefined ? undefined : vectors.values.slice(row * vectors.dimension, (row + 1) * vectors.dimension);
}

/** A generation whose entries and vectors are on the disk. */
export interface IndexBuild {
  readonly generation: string;
  readonly modelDigest: string;
  readonly dimension: number;
  readonly revision: string;
}

/** Index over the vectors of a generation where there is faiss, checksums, and the switch to it. */
export function finish(
  directory: string,
  { generation, modelDigest, dimension, revision }: IndexBuild,
  faiss: LoadedFaiss,
): void {
  const place = (name: string) => join(directory, generation, name);
  const vectors = readVectors(place(vectorsName), dimension);
  const usable = faiss.kind === "faiss" && vectors.count > 0;
  const index = usable ? buildIndex(faiss.faiss, place(indexName), { path: place(vectorsName), vectors }) : null;
  const names = [entriesName, vectorsName, ...(index === null ? [] : [indexName])];
  commitManifest(directory, {
    format: 1,
    generation,
    model: { digest: modelDigest, dimension },
    count: vectors.count,
    revision,
    index,
    checksums: Object.fromEntries(names.map((name) => [name, checksumOf(place(name))])),
  });
}
