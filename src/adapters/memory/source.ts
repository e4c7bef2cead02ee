import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { PostMortem } from "../../domain/records/post-mortem.ts";
import { isOurs, latestOf, type Remembered, rememberedOf } from "../../domain/records/precedent.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { postMortemPaths, readRecord } from "../../manifests/repository/post-mortem-files.ts";

/** What the memory is made from. */
export interface MemorySource {
  readonly entries: readonly Remembered[];
  /** Every record of ours, whether it counts or not, newest incident first. */
  readonly records: readonly PostMortem[];
  /** Changes with the post-mortems and the key: equal to the memory's revision = nothing to rebuild. */
  readonly revision: string;
  /** Files that are no post-mortem of ours, each with the reason. */
  readonly ignored: readonly string[];
}

const filesAtATime = 8;

/** Reads the post-mortems of a commit, a few at a time: intake goes on meanwhile. */
export async function readMemorySource(tree: Tree, key: string | undefined): Promise<MemorySource> {
  const hash = createHash("sha256").update(key ?? "");
  const ours: PostMortem[] = [];
  const ignored: string[] = [];
  for (const [place, path] of [...postMortemPaths(tree)].sort().entries()) {
    if (place % filesAtATime === 0) await setImmediate();
    const bytes = tree.read(path) ?? new Uint8Array();
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
    const record = readRecord(new TextDecoder().decode(bytes));
    if (record.kind === "problem") ignored.push(`${path}: ${record.because}`);
    else if (isOurs(record, key)) ours.push(record.postMortem);
    else ignored.push(`${path}: it does not carry our seal`);
  }
  return { entries: rememberedOf(ours), records: latestOf(ours), revision: hash.digest("hex"), ignored };
}
