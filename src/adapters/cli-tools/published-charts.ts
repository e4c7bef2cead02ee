import { createHash, randomUUID } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChartFound, ChartReference } from "../../domain/kubernetes/rendered.ts";
import { unpackChart } from "./unpack-chart.ts";

export interface PublishedOptions {
  readonly helm: string;
  /** Only from these hosts (with a port where there is one): what a repository names is not trusted. */
  readonly hosts: readonly string[];
  /** Where charts are kept, outside of any work tree: archives by their SHA-256, and which one a reference means. */
  readonly cache: string;
  readonly timeLimitMs?: number;
  readonly maxBytes?: number;
  /** For registries and repositories that want one; never shown. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Registries without TLS, for tests on loopback. */
  readonly plainHttp?: boolean;
}

/**
 * Fetches published charts with `helm pull`, each exact version once. What was fetched before is read from the cache
 * and checked against its digest; a failure is remembered for the life of the process, so nothing asks twice.
 */
export function publishedCharts(options: PublishedOptions): (reference: ChartReference) => Promise<ChartFound> {
  const asked = new Map<string, Promise<ChartFound>>();
  return (reference) => {
    const key = keyOf(reference);
    const before = asked.get(key);
    if (before) return before;
    const found = strangeHost(options, reference) ?? cached(options, reference) ?? fetched(options, reference);
    asked.set(key, found);
    return found;
  };
}

function strangeHost({ hosts }: PublishedOptions, { url, name }: ChartReference): Promise<ChartFound> | undefined {
  const host = /^(?:https?|oci):\/\/([^/?#@\s]+)(?:\/|$)/.exec(url)?.[1] ?? url;
  if (hosts.includes(host)) return undefined;
  return Promise.resolve({ ok: false, because: `${name} is published on ${host}, which is not among CHART_HOSTS` });
}

function keyOf({ url, name, version, digest }: ChartReference): string {
  return createHash("sha256")
    .update(JSON.stringify([url, name, version, digest]))
    .digest("hex");
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function cached({ cache }: PublishedOptions, reference: ChartReference): Promise<ChartFound> | undefined {
  try {
    const digest = readFileSync(join(cache, "references", keyOf(reference)), "utf8");
    if (!/^[0-9a-f]{64}$/.test(digest)) return undefined;
    const archive = readFileSync(join(cache, "archives", digest));
    if (sha256(archive) !== digest) return undefined;
    return Promise.resolve(unpacked(archive, reference));
  } catch {
    return undefined;
  }
}

function unpacked(archive: Uint8Array, { name }: ChartReference): ChartFound {
  const files = unpackChart(archive);
  return files ? { ok: true, files } : { ok: false, because: `what was fetched for ${name} is no chart` };
}

async function fetched(options: PublishedOptions, reference: ChartReference): Promise<ChartFound> {
  const scratch = mkdtempSync(join(tmpdir(), "rectify-chart-"));
  try {
    const problem = await pull(options, reference, scratch);
    const [file] = readdirSync(scratch).filter((name) => name.endsWith(".tgz"));
    if (problem !== undefined || file === undefined) return failed(reference, problem ?? "nothing came");
    const archive = readFileSync(join(scratch, file));
    if (archive.byteLength > maxBytesOf(options)) return failed(reference, "it is too big");
    keep(options, reference, archive);
    return unpacked(archive, reference);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const maxBytesOf = (options: PublishedOptions): number => options.maxBytes ?? 20_000_000;

const failed = ({ name, version }: ChartReference, because: string): ChartFound => ({
  ok: false,
  because: `${name} ${version} could not be fetched: ${because}`,
});

function keep({ cache }: PublishedOptions, reference: ChartReference, archive: Uint8Array): void {
  const digest = sha256(archive);
  write(join(cache, "archives"), digest, archive);
  write(join(cache, "references"), keyOf(reference), digest);
}

/** Whole or not at all: another process may read at the same time. */
function write(directory: string, name: string, content: string | Uint8Array): void {
  mkdirSync(directory, { recursive: true });
  const draft = join(directory, `.${randomUUID()}`);
  writeFileSync(draft, content);
  renameSync(draft, join(directory, name));
}

/** What went wrong; undefined when the archive is there. The size is watched while it comes. */
function pull(options: PublishedOptions, reference: ChartReference, scratch: string): Promise<string | undefined> {
  const { url, name, version, digest } = reference;
  const { credentials, plainHttp } = options;
  const isOci = url.startsWith("oci://");
  const what = isOci ? [digest === undefined ? url : `${url}@${digest}`] : [name, "--repo", url];
  const exact = isOci && digest !== undefined ? [] : ["--version", version];
  const login = credentials ? ["--username", credentials.username, "--password", credentials.password] : [];
  const args = [
    "pull",
    ...what,
    ...exact,
    "--destination",
    scratch,
    ...login,
    ...(plainHttp && isOci ? ["--plain-http"] : []),
  ];
  const env = { PATH: scratch, HOME: scratch, TMPDIR: scratch, GOMEMLIMIT: "400MiB", LC_ALL: "C" };
  return new Promise((resolve) => {
    const limits = {
      env,
      cwd: scratch,
      timeout: options.timeLimitMs ?? 30_000,
      killSignal: "SIGKILL",
      maxBuffer: 1_000_000,
    } as const;
    const child = execFile(options.helm, args, limits, (error, _out, stderr) => {
      clearInterval(watch);
      const words = stderr.split("\n").find((line) => line.trim() !== "") ?? error?.message.split("\n")[0] ?? "";
      const shown = credentials ? words.replaceAll(credentials.password, "***") : words;
      resolve(error ? (error.killed ? "it took too long or was too big" : shown.slice(0, 200)) : undefined);
    });
    const watch = setInterval(() => {
      if (bytesBelow(scratch) > 3 * maxBytesOf(options)) child.kill("SIGKILL");
    }, 200);
  });
}

function bytesBelow(directory: string): number {
  try {
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
  } catch {
    return 0;
  }
}
