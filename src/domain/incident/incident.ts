import { createHash } from "node:crypto";
import type { Alert } from "./alert.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { workloadKey } from "../kubernetes/workload.ts";

/** The alerts that concern one workload now: the unit of everything. Its uid is the workflow id. */
export interface Incident {
  readonly uid: string;
  /** W3C trace id: the same 16 bytes as the uid. */
  readonly traceId: string;
  readonly cluster: string;
  readonly workload: Workload;
  /** The alert that opened the incident. */
  readonly alert: Alert;
  readonly severity: string;
  /** RFC 3339, the first firing time. */
  readonly startedAt: string;
}

/** Which workload an alert is about, or why nobody can tell. */
export type Concern =
  /** `way` tells how the labels led there: `pod web-7d9f-x2x4z → ReplicaSet web-7d9f → Deployment web`. */
  | {
      readonly kind: "workload";
      readonly workload: Workload;
      readonly way: string;
      /** Where people mapped it: `alerts[0] of the guardrails`. */
      readonly mapping?: string;
    }
  /** `line` is what would map it, in the guardrails or in the environment; a workload is named where its source is not ours. */
  | {
      readonly kind: "nobody";
      readonly because: string;
      readonly line: string;
      readonly workload?: Workload;
      readonly mapping?: string;
    }
  /** People said so in the guardrails. */
  | { readonly kind: "ignored"; readonly because: string }
  /** Another process of this installation sees to it, and puts it on record. */
  | { readonly kind: "beside"; readonly because: string; readonly workload?: Workload }
  /** A source gave no answer: it may be told later. */
  | { readonly kind: "unknown"; readonly because: string };

/**
 * Opens the incident of a firing alert: the same alert always gives the same uid. `count` tells incidents of one
 * workload apart that began at the same instant; the first has 0.
 */
export function openIncident(cluster: string, workload: Workload, alert: Alert, count = 0): Incident {
  const uid = incidentUid([cluster, workloadKey(workload), alert.startsAt, ...(count === 0 ? [] : [count])]);
  return {
    uid,
    traceId: uid.replaceAll("-", ""),
    cluster,
    workload,
    alert,
    severity: alert.labels.severity ?? "none",
    startedAt: alert.startsAt,
  };
}

/** Why the work on an incident stopped. */
export type Ending =
  | "recovered"
  | "resolved-before-merge"
  | "declined"
  | "reverted"
  | "no-change"
  | "refused"
  | "not-synced"
  | "unclear"
  /** The same was tried and reverted a short time ago: a person decides. */
  | "escalated"
  /** Nothing was written, as the guardrails want: what people did meanwhile is told. */
  | "shadow"
  | "parked";

// RFC 9562 §5.5: SHA-1 over the namespace's bytes and the name; this namespace was drawn once for Rectify.
const uidNamespace = Buffer.from("5b0c1f4e9a3d4c7e8f21d6a0b3e4c592", "hex");

function incidentUid(name: readonly (string | number)[]): string {
  const digest = createHash("sha1").update(uidNamespace).update(JSON.stringify(name));
  const bytes = digest.digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
