import { createHash } from "node:crypto";

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

/** One observed fact, cut and masked, with an id that a diagnosis can cite. */
export interface Evidence {
  /** Short and unique within the incident: `E1`, `E2`, … */
  readonly id: string;
  readonly source: EvidenceSource;
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

/** Completes an item with the hash of its finding. */
export function evidenceOf(id: string, item: Omit<Evidence, "id" | "hash">): Evidence {
  return { id, ...item, hash: createHash("sha256").update(JSON.stringify(item.finding)).digest("hex") };
}
