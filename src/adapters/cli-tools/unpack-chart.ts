import { gunzipSync } from "node:zlib";
import type { ChartFiles, ChartFound } from "../../domain/kubernetes/rendered.ts";

const maxBytes = 50_000_000;
const block = 512;

/**
 * The files of a packed chart by their path below its directory; undefined when the bytes are no such archive. What has
 * no place in a chart is left out.
 */
export function unpackChart(archive: Uint8Array): ChartFiles | undefined {
  const read = readArchive(archive);
  return typeof read === "string" || !read.files.has("Chart.yaml") ? undefined : read.files;
}

/** The same for an archive in which nothing may be odd: the first thing that is refuses it whole. */
export function unpackStrictly(archive: Uint8Array): ChartFound {
  const read = readArchive(archive);
  if (typeof read === "string") return { ok: false, because: read };
  const because = read.odd ?? (read.files.has("Chart.yaml") ? undefined : "it holds no chart");
  return because === undefined ? { ok: true, files: read.files } : { ok: false, because };
}

interface Read {
  readonly files: ChartFiles;
  /** The first item that has no place in a chart. */
  readonly odd: string | undefined;
}

/** A text says why nothing could be read. */
function readArchive(archive: Uint8Array): Read | string {
  const tar = unzipped(archive);
  if (typeof tar === "string") return tar;
  const files = new Map<string, Uint8Array>();
  let odd: string | undefined;
  let longName: string | undefined;
  for (let at = 0; at + block <= tar.length; ) {
    const head = tar.subarray(at, at + block);
    if (head.every((byte) => byte === 0)) break;
    const size = sizeOf(head);
    if (size === undefined || at + block + size > tar.length) return "its archive is cut short";
    const content = tar.subarray(at + block, at + block + size);
    const type = textOf(head, 156, 1);
    at += block + Math.ceil(size / block) * block;
    if (aboutNext.has(type)) {
      const named = nameIn(type, content);
      if (named === "unclear") return "its archive says of an item what tools read differently";
      longName = named ?? longName;
    } else {
      odd ??= placed(files, { path: longName ?? nameOf(head), type, content });
      longName = undefined;
    }
  }
  return { files, odd };
}

/** Headers that say something about the item after them, or about all. */
const aboutNext = new Set(["x", "g", "L", "K"]);

function nameIn(type: string, content: Buffer): string | undefined {
  if (type === "x") return nameInRecords(content);
  return type === "L" ? content.toString("utf8").replace(/\0.*$/s, "") : undefined;
}

/** `unclear` where a record says more of the item than its name: its size, that it is sparse, or two names. */
function nameInRecords(content: Buffer): string | undefined {
  let name: string | undefined;
  for (let at = 0; at < content.length; ) {
    const [, length = "", key = ""] = /^(\d{1,8}) ([^=\0]+)=/.exec(content.toString("latin1", at)) ?? [];
    const end = at + Number(length);
    if (length === "" || end > content.length || content[end - 1] !== newline) return "unclear";
    const value = content.toString("utf8", at + length.length + key.length + 2, end - 1);
    if (key === "size" || key.startsWith("GNU.")) return "unclear";
    if (key === "path" && (name !== undefined || value === "" || value.includes("\0"))) return "unclear";
    if (key === "path") name = value;
    at = end;
  }
  return name;
}

const newline = 10;

function sizeOf(head: Buffer): number | undefined {
  const text = textOf(head, 124, 12).trim();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || "0", 8) : undefined;
}

/** Puts a file where it belongs; what is odd about the item, if anything is. */
function placed(
  files: Map<string, Uint8Array>,
  { path, type, content }: { readonly path: string; readonly type: string; readonly content: Uint8Array },
): string | undefined {
  const inside = belowTop(path);
  const isFile = type === "0" || type === "";
  const odd = oddity(path, type, isFile && inside !== undefined && files.has(inside));
  if (isFile && inside !== undefined) files.set(inside, content);
  return odd;
}

/** What is wrong with an item; directories and files below the top directory are as they should be. */
function oddity(path: string, type: string, isTwice: boolean): string | undefined {
  const name = JSON.stringify(path.slice(0, 100));
  if (type === "1" || type === "2") return `${name} in its archive is a link`;
  if (type !== "0" && type !== "" && type !== "5") return `${name} in its archive is neither file nor directory`;
  if (isTwice) return `${name} stands in its archive twice`;
  const parts = path.split("/");
  if (path.startsWith("/") || parts.includes("..")) return `${name} in its archive leads out of the chart`;
  // Helm takes them for other paths than they seem to be, or they cannot be written.
  const isPlain = type === "5" || (parts.length > 1 && !parts.some((part) => part === "" || part === "."));
  const isShort = parts.every((part) => Buffer.byteLength(part) <= 255);
  return isPlain && isShort && !path.includes("\\") ? undefined : `${name} in its archive is no plain path`;
}

function unzipped(archive: Uint8Array): Buffer | string {
  try {
    return gunzipSync(archive, { maxOutputLength: maxBytes });
  } catch (error) {
    const isBig = (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
    return isBig ? `its archive unpacks to more than ${maxBytes} bytes` : "it is no packed chart";
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
