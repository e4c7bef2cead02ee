/** How one workload serves: the parameters of its queue. */
export interface ServiceModel {
  /** Requests per second that one ready replica can serve. */
  readonly perReplica: number;
  /** Mean time of one request without waiting and without calls to others. */
  readonly baseMs: number;
  /** Share of requests that fail by themselves, 0 to 1. */
  readonly errorShare: number;
  /** CPU seconds of one request. */
  readonly cpuPerRequest: number;
  /** Bytes of one replica at rest, and of each request that waits or runs. */
  readonly memoryBytes: number;
  readonly memoryPerRequest: number;
}

/** One workload calls another: so many calls per request. */
export interface Call {
  readonly caller: string;
  readonly callee: string;
  readonly perRequest: number;
}

/** What changes how a workload serves for a while: a bad image, a lock, a fault. */
export interface Burden {
  readonly capacityFactor: number;
  readonly extraMs: number;
  readonly extraErrorShare: number;
  readonly cpuFactor: number;
}

/** One workload during one tick. */
export interface Load {
  readonly model: ServiceModel;
  readonly burden: Burden;
  readonly readyReplicas: number;
  /** Replicas that count for the capacity where more do not help; otherwise the ready ones. */
  readonly usefulReplicas: number;
  /** CPU limit of one replica in cores; undefined = none. */
  readonly cpuLimit: number | undefined;
  /** Requests per second that arrive. */
  readonly offered: number;
  /** Requests that wait since earlier ticks. */
  readonly backlog: number;
  readonly seconds: number;
}

/** What came out of one tick at one workload, before its callees are counted. */
export interface Served {
  /** Requests per second that were taken up, and those that gave up waiting. */
  readonly served: number;
  readonly timedOut: number;
  readonly backlog: number;
  /** Load over capacity; may exceed 1. */
  readonly utilisation: number;
  /** Cores used by all replicas. */
  readonly cores: number;
  /** Share of CPU periods in which a replica was held back by its limit. */
  readonly throttled: number;
  /** Latency at evenly spaced quantiles, ascending, without callees. */
  readonly latencyMs: readonly number[];
  readonly failedShare: number;
}

/** Requests wait this long before their caller gives up. */
const patienceSeconds = 1;
export const quantiles = 200;
/** For each quantile q, -ln(1 - q): the same for every workload and tick. */
const exponential = Array.from({ length: quantiles }, (_, index) => -Math.log(1 - (index + 0.5) / quantiles));

/**
 * An M/M/c queue, as an approximation per tick: below saturation the stationary waiting time (Erlang C), above it a
 * backlog that grows and is cut where callers lose patience. Kleinrock, Queueing Systems I, 3.5.
 */
export function serve(load: Load): Served {
  const { model, burden, offered, seconds } = load;
  const byCpu =
    load.cpuLimit === undefined ? Number.POSITIVE_INFINITY : load.cpuLimit / (model.cpuPerRequest * burden.cpuFactor);
  const perReplica = Math.min(model.perReplica * burden.capacityFactor, byCpu);
  const capacity = perReplica * load.usefulReplicas;
  if (capacity <= 0) return nothingServed(offered);
  const waiting = Math.max(0, load.backlog + (offered - capacity) * seconds);
  const backlog = Math.min(waiting, capacity * patienceSeconds);
  const timedOut = (waiting - backlog) / seconds;
  const arrived = load.backlog / seconds + offered;
  const served = Math.min(capacity, arrived);
  const utilisation = offered / capacity;
  const failures = 1 - (1 - model.errorShare) * (1 - burden.extraErrorShare);
  return {
    ...{ served, timedOut, backlog, utilisation },
    // Who gave up is still worked on for a while: an overloaded replica burns more than it delivers.
    cores: Math.min((served + 0.3 * timedOut) * model.cpuPerRequest * burden.cpuFactor, coreLimit(load)),
    throttled:
      byCpu < Number.POSITIVE_INFINITY
        ? Math.max(0, Math.min(1, (offered / (byCpu * load.usefulReplicas) - 0.6) * 1.5))
        : 0,
    latencyMs: latencies({ load, perReplica, capacity, backlog }),
    failedShare: Math.min(1, failures + (timedOut / Math.max(offered, 1e-9)) * (1 - failures)),
  };
}

function coreLimit({ cpuLimit, readyReplicas }: Load): number {
  return cpuLimit === undefined ? Number.POSITIVE_INFINITY : cpuLimit * readyReplicas;
}

function nothingServed(offered: number): Served {
  const latencyMs = Array.from({ length: quantiles }, () => 1);
  const idle = { served: 0, timedOut: offered, backlog: 0, cores: 0, throttled: 0 };
  return { ...idle, utilisation: offered > 0 ? 2 : 0, latencyMs, failedShare: offered > 0 ? 1 : 0 };
}

interface Queue {
  readonly load: Load;
  readonly perReplica: number;
  readonly capacity: number;
  readonly backlog: number;
}

function latencies({ load, perReplica, capacity, backlog }: Queue): number[] {
  const { model, burden, offered } = load;
  const workers = Math.max(1, Math.round((perReplica * model.baseMs) / 1000));
  const servers = Math.max(1, Math.round(workers * load.usefulReplicas));
  const rate = Math.min(offered, capacity * 0.985);
  const waits = erlangC(servers, (rate / capacity) * servers);
  const drain = capacity - rate;
  const queueMs = (backlog / capacity) * 1000;
  const waitsFrom = -Math.log(waits);
  return exponential.map((drawn) => {
    // 60 % of the work is the same for every request, the rest varies.
    const service = model.baseMs * (0.6 + 0.4 * drawn);
    const wait = drawn <= waitsFrom ? 0 : ((drawn - waitsFrom) / drain) * 1000;
    return burden.extraMs + service + Math.min(wait, patienceSeconds * 1000) + queueMs;
  });
}

/** The probability that a request must wait, for `servers` servers and `erlangs` of load below them. */
export function erlangC(servers: number, erlangs: number): number {
  if (erlangs <= 0) return 0;
  if (erlangs >= servers) return 1;
  // Erlang B by its recursion, then C from B: stable for any size.
  let blocked = 1;
  for (let n = 1; n <= servers; n += 1) blocked = (erlangs * blocked) / (n + erlangs * blocked);
  const utilisation = erlangs / servers;
  return blocked / (1 - utilisation * (1 - blocked));
}
