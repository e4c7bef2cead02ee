import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { refFilesIn } from "./ref-files.ts";

/**
 * The answer of protocol 2 to `ls-refs`, which each fetch asks first and most ask alone: from the files, without a
 * process. Undefined where the question is another one, or only Git can tell, as what a tag points at.
 */
export async function lsRefs(directory: string, body: Buffer): Promise<Buffer | undefined> {
  const [command, ...said] = packetsIn(body);
  if (command !== "command=ls-refs") return undefined;
  const refs = await refFilesIn(directory).all();
  const target = /^ref: (\S+)/.exec(await readFile(join(directory, "HEAD"), "utf8"))?.[1];
  const head = refs.find(({ ref }) => ref === target);
  if (head === undefined || refs.some(({ ref }) => ref.startsWith("refs/tags/"))) return undefined;
  const prefixes = said.filter((line) => line.startsWith("ref-prefix ")).map((line) => line.slice(11));
  const isWanted = (ref: string) => prefixes.length === 0 || prefixes.some((prefix) => ref.startsWith(prefix));
  const symbolic = said.includes("symrefs") ? ` symref-target:${head.ref}` : "";
  const all = [{ line: `${head.sha} HEAD${symbolic}\n`, ref: "HEAD" }].concat(
    refs.map(({ ref, sha }) => ({ line: `${sha} ${ref}\n`, ref })),
  );
  const lines = all.filter(({ ref }) => isWanted(ref)).map(({ line }) => packet(line));
  return Buffer.from(`${lines.join("")}0000`);
}

const packet = (line: string) => (Buffer.byteLength(line) + 4).toString(16).padStart(4, "0") + line;

/** The lines of a request; those that only divide and end are left out. */
function packetsIn(body: Buffer): string[] {
  const lines: string[] = [];
  for (let at = 0; at + 4 <= body.length; ) {
    const length = Number.parseInt(body.toString("latin1", at, at + 4), 16);
    if (Number.isNaN(length)) return [];
    if (length > 4) lines.push(body.toString("utf8", at + 4, at + length).trimEnd());
    at += Math.max(length, 4);
  }
  return lines;
}
