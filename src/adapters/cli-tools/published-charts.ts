import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ChartFound, ChartReference } from "../../domain/kubernetes/rendered.ts";
import { Refused, Unavailable } from "../../ports/errors.ts";
import { downloadChart } from "./chart-download.ts";
import { cachedArchive, keepArchive, keepWhole } from "./helm/archive-cache.ts";
import { unpackChart } from "./unpack-chart.ts";

export interface PublishedOptions {
  /** Only from these hosts (with a port where there is one): what a repository names is not trusted. */
  readonly hosts: readonly string[];
  /** Where charts are kept, outside of any work tree: archives by their SHA-256, and which one a reference means. */
  readonly cache: string;
  readonly timeLimitMs?: number;
  readonly maxBytes?: number;
  /** Docker's and Helm's `config.json`, for registries and repositories that want a login; never shown. */
  readonly credentialsFile?: string | undefined;
  /** Registries without TLS, for tests on loopback. */
  readonly plainHttp?: boolean;
  /** How long a host that gave no answer is not asked again. */
  readonly outageMs?: number;
}

/**
 * Fetches published charts, each exact version once. What was fetched before is read from the cache and checked against
 * its digest. A refusal is remembered for the life of the process and an outage for a minute, so that the renderings of
 * one question do not all wait for the same host.
 */
export function publishedCharts(options: PublishedOptions): (reference: ChartReference) => Promise<ChartFound> {
  const asked = new Map<string, Promise<ChartFound>>();
  return (reference) => {
    const key = keyOf(reference);
    const before = asked.get(key);
    if (before) return before;
    const forget = () => setTimeout(() => asked.delete(key), options.outageMs ?? 60_000).unref();
    const found = strangeHost(options, reference) ?? cached(options, reference) ?? fetched(options, reference, forget);
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

function cached({ cache }: PublishedOptions, reference: ChartReference): Promise<ChartFound> | undefined {
  try {
    const digest = readFileSync(join(cache, "references", keyOf(reference)), "utf8");
    if (!/^[0-9a-f]{64}$/.test(digest)) return undefined;
    const archive = cachedArchive(cache, digest);
    return archive && Promise.resolve(unpacked(archive, reference));
  } catch {
    return undefined;
  }
}

function unpacked(archive: Uint8Array, { name }: ChartReference): ChartFound {
  const files = unpackChart(archive);
  return files ? { ok: true, files } : { ok: false, because: `what was fetched for ${name} is no chart` };
}

async function fetched(
  options: PublishedOptions,
  reference: ChartReference,
  onOutage: () => void,
): Promise<ChartFound> {
  const { hosts, credentialsFile, plainHttp, maxBytes = 20_000_000, timeLimitMs = 30_000 } = options;
  const signal = AbortSignal.timeout(timeLimitMs);
  try {
    const limits = { hosts, credentialsFile, plainHttp, maxBytes, signal };
    // A host may close a connection just when it is used again: such a question is asked once more.
    const archive = await downloadChart(reference, limits).catch((error: unknown) => {
      if (!(error instanceof Unavailable) || signal.aborted) throw error;
      return downloadChart(reference, limits);
    });
    keep(options, reference, archive);
    return unpacked(archive, reference);
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof Unavailable)) throw error;
    if (error instanceof Unavailable) onOutage();
    return failed(reference, error.message);
  }
}

const failed = ({ name, version }: ChartReference, because: string): ChartFound => ({
  ok: false,
  because: `${name} ${version} could not be fetched: ${because}`,
});

function keep({ cache }: PublishedOptions, reference: ChartReference, archive: Uint8Array): void {
  keepWhole(join(cache, "references"), keyOf(reference), keepArchive(cache, archive));
}
