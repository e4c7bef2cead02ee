import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Hexadecimal, without a prefix. */
export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** The archive with this SHA-256, checked again; undefined when it is not there. */
export function cachedArchive(cache: string, digest: string): Uint8Array | undefined {
  try {
    const archive = readFileSync(join(cache, "archives", digest));
    return sha256(archive) === digest ? archive : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps an archive by its SHA-256, which it returns. */
export function keepArchive(cache: string, archive: Uint8Array): string {
  const digest = sha256(archive);
  keepWhole(join(cache, "archives"), digest, archive);
  return digest;
}

/** Whole or not at all: another process may read at the same time. */
export function keepWhole(directory: string, name: string, content: string | Uint8Array): void {
  mkdirSync(directory, { recursive: true });
  const draft = join(directory, `.${randomUUID()}`);
  writeFileSync(draft, content);
  renameSync(draft, join(directory, name));
}
