import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

interface Item {
  readonly path: string;
  readonly text?: string;
  /** As tar writes it: 0 a file, 1 and 2 links, 5 a directory. */
  readonly type?: string;
}

/** A packed archive of exactly these items, as odd as they may be. */
export function archiveOf(items: readonly Item[]): Uint8Array {
  const blocks = items.flatMap(({ path, text = "", type = "0" }) => {
    const head = Buffer.alloc(512);
    head.write(path, 0);
    head.write(Buffer.byteLength(text).toString(8).padStart(11, "0"), 124);
    head.write(type, 156);
    const body = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512);
    body.write(text);
    return [head, body];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** A chart with one Deployment. */
export const shopChart = (version = "1.2.3", name = "shop"): readonly Item[] => [
  { path: `${name}/`, type: "5" },
  { path: `${name}/Chart.yaml`, text: `apiVersion: v2\nname: ${name}\nversion: ${version}\n` },
  { path: `${name}/values.yaml`, text: "web: {size: 2}\n" },
  {
    path: `${name}/templates/web.yaml`,
    text: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: {{ .Values.web.size }}}\n",
  },
];

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
