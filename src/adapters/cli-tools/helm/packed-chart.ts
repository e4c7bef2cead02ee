import { gzipSync } from "node:zlib";

const block = 512;

/** Files as one archive, as Helm packs charts; undefined where a path is longer than an archive can name. */
export function packedChart(files: ReadonlyMap<string, Uint8Array>): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  for (const [path, bytes] of files) {
    const head = headOf(path, bytes.byteLength);
    if (head === undefined) return undefined;
    parts.push(head, bytes, new Uint8Array((block - (bytes.byteLength % block)) % block));
  }
  return gzipSync(Buffer.concat([...parts, new Uint8Array(2 * block)]), { level: 1 });
}

function headOf(path: string, size: number): Uint8Array | undefined {
  const names = namesOf(path);
  if (names === undefined) return undefined;
  const head = Buffer.alloc(block);
  const put = (text: string, at: number) => head.write(text, at, "utf8");
  put(names.name, 0);
  put("0000644\0" + "0000000\0".repeat(2), 100);
  put(`${size.toString(8).padStart(11, "0")}\0`, 124);
  put(`${"0".repeat(11)}\0`, 136);
  // The sum is taken with blanks in its own place.
  put(" ".repeat(8), 148);
  put("0", 156);
  put("ustar\u000000", 257);
  put(names.prefix, 345);
  const sum = head.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return head;
}

/** A long path is told in two parts. */
function namesOf(path: string): { readonly prefix: string; readonly name: string } | undefined {
  const isShort = (text: string, most: number) => Buffer.byteLength(text) <= most;
  if (isShort(path, 100)) return { prefix: "", name: path };
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (isShort(prefix, 155) && isShort(name, 100)) return { prefix, name };
  }
  return undefined;
}
