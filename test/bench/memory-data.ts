import { lexicalEmbedding } from "../../src/domain/llm/embedding.ts";

/** Made data for the memory bench: nothing here was measured on the embeddings of real incidents. */
export interface Made {
  readonly vectors: Float32Array;
  readonly queries: Float32Array;
}

/** A small seeded generator (mulberry32), so that two runs see the same data. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Embeddings shaped like those of sentence models: topics hold families, families hold incidents; family sizes follow
 * Zipf's law; variance falls along the axes, so that few of the 768 dimensions carry most of it. Queries are new
 * incidents of the same families.
 */
export function clusteredVectors(count: number, queryCount: number, dimension: number): Made {
  const random = randomOf(7);
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const spread = Float64Array.from({ length: dimension }, (_, i) => (i + 1) ** -0.35);
  const point = (around: Float64Array | undefined, scale: number) =>
    Float64Array.from({ length: dimension }, (_, i) => (around?.[i] ?? 0) + scale * (spread[i] ?? 0) * gauss());
  const topics = Array.from({ length: 60 }, () => point(undefined, 1));
  const families = Array.from({ length: 2500 }, () => point(topics[Math.floor(random() * topics.length)], 0.8));
  const draw = (into: Float32Array, row: number) => {
    // A continuous form of Zipf's law with exponent 1: rank = size^u.
    const family = families[Math.floor(families.length ** random()) - 1] ?? families[0];
    setRow(into, row, point(family, 0.6));
  };
  return made(count, queryCount, dimension, draw);
}

/** Lexical embeddings of made post-mortem texts: an alert, a workload, a cause, findings with numbers and log words. */
export function lexicalVectors(count: number, queryCount: number, dimension: number): Made {
  const random = randomOf(11);
  const draw = (into: Float32Array, row: number) => setRow(into, row, lexicalEmbedding(incidentText(random)));
  return made(count, queryCount, dimension, draw);
}

function made(
  count: number,
  queryCount: number,
  dimension: number,
  draw: (into: Float32Array, row: number) => void,
): Made {
  const vectors = new Float32Array(count * dimension);
  const queries = new Float32Array(queryCount * dimension);
  for (let row = 0; row < count; row++) draw(vectors, row);
  for (let row = 0; row < queryCount; row++) draw(queries, row);
  return { vectors, queries };
}

function setRow(into: Float32Array, row: number, values: Float64Array | Float32Array): void {
  let squares = 0;
  for (const value of values) squares += value * value;
  const scale = 1 / Math.sqrt(squares);
  for (let i = 0; i < values.length; i++) into[row * values.length + i] = (values[i] ?? 0) * scale;
}

const alerts =
  "HighLatency HighErrorRate PodCrashLooping CPUThrottlingHigh MemoryPressure QueueBacklog OOMKilled DiskFilling ConnectionPoolExhausted ReplicasUnavailable CertificateExpiring DNSErrors SaturationHigh SlowQueries CacheMissesHigh ThreadPoolFull".split(
    " ",
  );
const services =
  "web cart checkout payments catalog search recommendation shipping email frontend currency inventory orders auth gateway ledger invoices profile media session pricing reviews notifier reports".split(
    " ",
  );
const namespaces = "shop billing search media platform data edge core".split(" ");
const causes = [
  "NUM replicas cannot carry NUM requests a second",
  "the container reached its memory limit of NUM Mi and was killed",
  "the release NUM answers with errors since it was rolled out",
  "SVC waits for its connection pool of NUM",
  "the processor limit of NUM m throttles SVC",
  "the queue of SVC grows because its consumers are too few",
  "a commit at NUM changed the timeout of SVC",
  "the cache of SVC is cold after a restart",
];
const findings = [
  "p99 latency of SVC last value NUM s",
  "error share of SVC last value NUM",
  "cpu throttled seconds of SVC NUM",
  "restarts of SVC NUM in the last hour",
  "working set of SVC NUM MiB",
  "rollout of SVC complete NUM of NUM",
  "log lines with upstream timeout from SVC NUM",
  "requests a second of SVC NUM",
  "events back-off restarting failed container NUM",
  "replicas of SVC NUM wanted NUM",
  "connections in use of SVC NUM",
  "garbage collection pause of SVC NUM ms",
];
const words =
  "deadlock retry socket reset handshake quota backlog shard index vacuum replica leader election lease partition offset broker segment flush heap stack goroutine thread semaphore breaker fallback probe ingress egress proxy route header cookie token cache eviction ttl region zone node kernel cgroup swap inode mount volume snapshot migration schema column transaction cursor batch window trigger cron job secret config flag rollout canary".split(
    " ",
  );

function incidentText(random: () => number): string {
  const pick = (list: readonly string[]): string => list[Math.floor(random() ** 1.5 * list.length)] ?? "";
  const service = `${pick(services)}-${pick(words)}`;
  const filled = (text: string) =>
    text.replaceAll("SVC", service).replaceAll("NUM", () => String(Math.floor(random() * 900)));
  const seen = Array.from({ length: 3 + Math.floor(random() * 4) }, () => filled(pick(findings)));
  const log = Array.from({ length: 4 + Math.floor(random() * 8) }, () => pick(words));
  return [pick(alerts), `${pick(namespaces)} Deployment ${service}`, filled(pick(causes)), ...seen, log.join(" ")].join(
    "\n",
  );
}
