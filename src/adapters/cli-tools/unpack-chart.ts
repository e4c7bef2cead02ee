import { gunzipSync } from "node:zlib";
import type { ChartFiles } from "../../domain/kubernetes/rendered.ts";

const maxBytes = 50_000_000;
const block = 512;

/** The files of a packed chart by their path below its directory; undefined when the bytes are no such archive. */
export function unpackChart(archive: Uint8Array): ChartFiles | undefined {
  const tar = unzipped(archive);
  if (tar === undefined) return undefined;
  const files = new Map<string, Uint8Array>();
  let longName: string | undefined;
  for (let at = 0; at + block <= tar.length; ) {
    const head = tar.subarray(at, at + block);
    if (head.every((byte) => byte === 0)) break;
    const size = Number.parseInt(textOf(head, 124, 12).trim() || "0", 8);
    if (!Number.isInteger(size) || size < 0 || at + block + size > tar.length) return undefined;
    const content = tar.subarray(at + block, at + block + size);
    const type = textOf(head, 156, 1);
    at += block + Math.ceil(size / block) * block;
    if (type === "x") longName = /\d+ path=(.*)\n/.exec(content.toString("utf8"))?.[1] ?? longName;
    else if (type === "L") longName = content.toString("utf8").replace(/\0.*$/s, "");
    else {
      const path = longName ?? nameOf(head);
      longName = undefined;
      const inside = belowTop(path);
      // Links and devices have no place in a chart.
      if ((type === "0" || type === "") && inside !== undefined) files.set(inside, content);
    }
  }
  return files.has("Chart.yaml") ? files : undefined;
}

function unzipped(archive: Uint8Array): Buffer | undefined {
  try {
    return gunzipSync(archive, { maxOutputLength: maxBytes });
  } catch {
    return undefined;
  }
}

const textOf = (head: Buffer, from: number, length: number): string =>
  head.toString("utf8", from, from + length).replace(/\0.*$/s, "");

function nameOf(head: Buffer): string {
  const prefix = textOf(head, 257, 5) === "ustar" ? textOf(head, 345, 155) : "";
  const name = textOf(head, 0, 100);
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Charts are packed as one directory; a path that leaves it is dropped. */
function belowTop(path: string): string | undefined {
  const parts = path.replace(/^\.\//, "").split("/");
  const inner = parts.slice(1);
  return inner.length > 0 && inner.every((part) => part !== "" && part !== "." && part !== "..")
    ? inner.join("/")
    : undefined;
}
