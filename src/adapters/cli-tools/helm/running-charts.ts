import type { FluxRelease, RunningChart } from "../../../domain/kubernetes/rendered.ts";
import { Refused, Unavailable } from "../../../ports/errors.ts";
import type { ChartArtifact, FluxCharts } from "../../../ports/kubernetes.ts";
import { fetchDirectly } from "../../http/allowed-fetch.ts";
import { unpackStrictly } from "../unpack-chart.ts";
import { cachedArchive, keepArchive, sha256 } from "./archive-cache.ts";
import { keepNewest } from "../../../domain/text/keep-newest.ts";

export interface RunningOptions {
  readonly cluster: FluxCharts;
  /** The Service of Flux's source-controller: the only host that is asked, whatever an object says. */
  readonly controller: FluxRelease;
  /** Where archives are kept by their SHA-256, outside of any work tree. */
  readonly cache: string;
  readonly timeLimitMs?: number;
  readonly maxBytes?: number;
  /** How long an archive that is not available is not asked for again. */
  readonly outageMs?: number;
  /** The host by which the Service is reached; its name in the cluster unless a test stands in for it. */
  readonly reachedAt?: string;
}

/**
 * The charts that the cluster runs, from the archives of Flux's own source-controller, each content once. An object of
 * the cluster only says which archive is meant: it is fetched from the controller's Service and from nowhere else, and
 * counts only with the digest that the object names.
 */
export function runningCharts(options: RunningOptions): (release: FluxRelease) => Promise<RunningChart> {
  const known = new Map<string, Promise<RunningChart>>();
  // Whoever gives no answer gives none to the next release either.
  let outage: RunningChart | undefined;
  const later = (forget: () => void) => setTimeout(forget, options.outageMs ?? 60_000).unref();
  const explained = (error: unknown): RunningChart => {
    if (error instanceof Unavailable) {
      outage = refusal(error.message);
      later(() => (outage = undefined));
    } else if (!(error instanceof Refused)) throw error;
    return refusal(error.message);
  };
  const held = async (artifact: ChartArtifact): Promise<RunningChart> => {
    const key = JSON.stringify(artifact);
    const found = known.get(key) ?? chartIn(options, artifact).catch(explained);
    keepNewest(known, key, found, mostKept);
    if (!(await found).ok) later(() => known.delete(key));
    return found;
  };
  return async (release) => {
    if (outage) return outage;
    try {
      const artifact = await options.cluster.artifactOf(release);
      return artifact === undefined ? refusal("Flux names no archive of it") : await held(artifact);
    } catch (error) {
      return explained(error);
    }
  };
}

const mostKept = 16;

const refusal = (because: string): RunningChart => ({ ok: false, because });

async function chartIn(options: RunningOptions, artifact: ChartArtifact): Promise<RunningChart> {
  const archive = cachedArchive(options.cache, hexOf(artifact)) ?? (await fetched(options, artifact));
  const unpacked = unpackStrictly(archive);
  if (!unpacked.ok) return unpacked;
  const [version = "", digest] = artifact.revision.split("@");
  return { ok: true, files: unpacked.files, version, digest };
}

const hexOf = ({ digest }: ChartArtifact): string => digest.slice("sha256:".length);

async function fetched(options: RunningOptions, artifact: ChartArtifact): Promise<Uint8Array> {
  const url = await addressOf(options, artifact);
  const { maxBytes = 20_000_000, timeLimitMs = 5_000, cache } = options;
  const answer = await fetchDirectly(url, { maxBytes, signal: AbortSignal.timeout(timeLimitMs) });
  if (answer.status !== 200) throw new Refused(`${url.host} says HTTP ${answer.status}`);
  if (sha256(answer.body) !== hexOf(artifact)) throw new Refused(`the digest of its archive is not ${artifact.digest}`);
  keepArchive(cache, answer.body);
  return answer.body;
}

/** The archive's path at the controller's own Service; the object must name that host as well. */
async function addressOf(options: RunningOptions, artifact: ChartArtifact): Promise<URL> {
  const { controller, cluster, reachedAt } = options;
  const service = `${controller.name}.${controller.namespace}`;
  const url = URL.canParse(artifact.url) ? new URL(artifact.url) : undefined;
  const isPlain = url?.protocol === "http:" && url.username === "" && url.search === "" && url.hash === "";
  if (url === undefined || !isPlain) throw new Refused("the address of its archive is none of the source-controller");
  const own = [service, `${service}.svc`, `${service}.svc.cluster.local`];
  if (!own.includes(url.hostname.replace(/\.$/, "")))
    throw new Refused(`its archive is said to stand on ${url.host}, which is not the Service ${service}`);
  const port = await cluster.sourcePort(controller);
  if (port === undefined)
    throw new Refused(
      `the Service ${controller.namespace}/${controller.name} is none of Flux's source-controller: set FLUX_SOURCE_CONTROLLER`,
    );
  if (Number(url.port || "80") !== port) throw new Refused(`its archive is said to stand on the port ${url.port}`);
  return new URL(url.pathname, `http://${reachedAt ?? `${service}.svc:${port}`}`);
}
