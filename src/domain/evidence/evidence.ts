import { createHash } from "node:crypto";
import { masked, maskedField } from "../text/masking.ts";

/** Where an observed fact came from. */
export type EvidenceSource =
  | "alertmanager"
  | "prometheus"
  | "loki"
  | "kubernetes"
  | "gitops"
  | "git"
  | "runbook"
  | "memory";

/**
 * What an item answers, whatever its title says: the stable names by which code reads it. Series of the load keys may
 * hold several workloads, told apart by their labels `namespace` and `deployment`, `statefulset` or `rollout`; a series
 * without them belongs to the workload of the incident.
 */
export type EvidenceKey =
  /** Facts: the alert's labels, `status`, `startsAt`. */
  | "alert"
  /** Facts: `query`, `forSeconds`, and `comparison` and `limit` where it has them. */
  | "alert-rule"
  /** Facts: how often it fired before, and whether it mostly clears by itself. */
  | "alert-history"
  /** Series: what the alert measures. */
  | "alert-metric"
  /** Facts: `replicas`, `readyReplicas`, `updatedReplicas`, `observed`, `images`, `owners`, `autoscaler`, `autoscalerMax`. */
  | "workload-state"
  /** Series: requests per second. */
  | "requests"
  /** Series: share of requests that failed, 0 to 1. */
  | "error-share"
  /** Series: cores used, and cores requested. */
  | "cpu-used"
  | "cpu-requested"
  /** Series: share of CPU periods that were throttled, 0 to 1. */
  | "cpu-throttled"
  /** Series: bytes used by the fullest container, and its limit. */
  | "memory-used"
  | "memory-limit"
  /** Series: containers killed for memory, and restarts, per point in the window. */
  | "oom-kills"
  | "restarts"
  /** Text: events, one line each. */
  | "events"
  /** Facts: `<used> of <hard>` by quota and resource. */
  | "quotas"
  /** Facts: time of the rollout by its revision, RFC 3339. */
  | "rollouts"
  /**
   * Facts: by full sha, `<RFC 3339> <what>`, what = image, resources, replicas or config; where it did not touch the
   * workload of the incident, or not only that one: followed by the `namespace/Kind/name` of each that it touched.
   */
  | "commits"
  /**
   * Facts: by full sha, `<RFC 3339>` and, for each object that the commit changed in the rendered entry,
   * `<relation>:<Kind>/<name>:<aspect>,…`, parted by spaces.
   */
  | "suspects"
  /** Facts: by `pod` or `pod/container`, what keeps it from running: `waiting ImagePullBackOff: …; last exit 1 Error`. */
  | "pod-states"
  /** Series with both ends as labels: requests per second between two workloads. */
  | "calls"
  /**
   * Series that name a workload as above, and in `metric` what they measure: latency (any unit of time), availability,
   * error-share and saturation (0 to 1), requests and errors (per second); `-seen` = as the callers of the workload see it. Input of the ranker: all on the same points in time.
   */
  | "node-metrics"
  /** Facts: `controller`, `path`, `commit` that it applied last. */
  | "applied-revision"
  /** Text: log lines. */
  | "logs"
  /** Series: lines per second that look like errors. */
  | "log-errors"
  /** Text: `<namespace/Kind/name> <new|frequent> <lines> since <RFC 3339>: <template>`, kinds of log lines. */
  | "log-patterns"
  /** Series that name a workload, and in `metric` the resource (disk, queue, …): its use in any unit. */
  | "resource-use";

/** One observed fact, cut and masked, with an id that a diagnosis can cite. */
export interface Evidence {
  /** Short and unique within the incident: `E1`, `E2`, … */
  readonly id: string;
  readonly source: EvidenceSource;
  readonly key?: EvidenceKey | undefined;
  /** What it shows, one line for people: `p99 latency of web`. */
  readonly title: string;
  /** The exact query or request that gave it, so that a person can repeat it. */
  readonly query: string;
  /** Time range asked for, RFC 3339. */
  readonly from: string;
  readonly to: string;
  readonly finding: Finding;
  /** Hex SHA-256 of the finding. */
  readonly hash: string;
}

export type Finding =
  | {
      readonly kind: "series";
      readonly unit: string;
      readonly series: readonly Series[];
      readonly notes: readonly string[];
    }
  | {
      readonly kind: "facts";
      readonly facts: Readonly<Record<string, string | number | boolean>>;
      readonly notes: readonly string[];
    }
  /** Text that others can write (log lines, events, commit messages): never trusted. */
  | { readonly kind: "text"; readonly lines: readonly string[]; readonly notes: readonly string[] }
  /** The source gave no answer or a clear no: this is evidence too, and lowers confidence. */
  | { readonly kind: "missing"; readonly because: string };

/** One time series; `points` are [unix seconds, value]; a gap is an absent point. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [number, number])[];
}

/** Completes an item: secrets masked, and the hash of the finding that is left. */
export function evidenceOf(id: string, item: Omit<Evidence, "id" | "hash">): Evidence {
  const finding = maskedFinding(item.finding);
  return { id, ...item, finding, hash: createHash("sha256").update(JSON.stringify(finding)).digest("hex") };
}

/** What was observed, without the secrets in it: names of objects, numbers and hashes stay. */
function maskedFinding(finding: Finding): Finding {
  const clean = (text: string) => masked(text).text;
  switch (finding.kind) {
    case "missing":
      return { ...finding, because: clean(finding.because) };
    case "text":
      return { ...finding, lines: finding.lines.map(clean), notes: finding.notes.map(clean) };
    case "facts": {
      const facts = Object.entries(finding.facts).map(([key, value]) => {
        if (typeof value !== "string") return [key, value] as const;
        return [key, maskedField(key, value)] as const;
      });
      return { ...finding, facts: Object.fromEntries(facts), notes: finding.notes.map(clean) };
    }
    case "series": {
      const series = finding.series.map(({ labels, points }) => ({
        labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, clean(value)])),
        points,
      }));
      return { ...finding, series, notes: finding.notes.map(clean) };
    }
  }
}
