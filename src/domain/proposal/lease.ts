import { renderValue, unitOf } from "../evidence/unit.ts";
import { crosses, type Threshold } from "../incident/condition.ts";
import type { Reserved } from "../remedy/cost.ts";
import { parseDuration } from "../text/duration.ts";
import type { Incident } from "../incident/incident.ts";
import type { Entry, ObjectChange } from "../kubernetes/manifest-edit.ts";
import type { Remediation } from "../kubernetes/remediation.ts";
import { minuteOf } from "./body/words.ts";
import type { IncidentOutcome } from "./outcome.ts";

/** A scale-up that was verified and is kept until it expires. Times are RFC 3339. */
export interface Lease {
  readonly incident: Incident;
  /** The scale-up. */
  readonly remediation: Remediation;
  readonly entry: Entry;
  /** The one rendered field that it raised. */
  readonly field: ObjectChange;
  /** Its pull request, and the newest one about it. */
  readonly pull: number;
  readonly latestPull: number;
  readonly since: string;
  /** When it began or was renewed last: what was measured before says nothing of this term. */
  readonly termSince: string;
  readonly expires: string;
  readonly renewals: number;
  /** Why it was renewed last; empty at first. */
  readonly because: string;
  /** What it reserves more than before; undefined = unreadable. */
  readonly reserved: Reserved | undefined;
}

/** The lease that a workflow begins: only a verified scale-up of one number has one. */
export function leaseOf(incident: Incident, outcome: IncidentOutcome, now: Date, duration: string): Lease | undefined {
  if (outcome.ending !== "recovered" || outcome.remediation.kind !== "scale") return undefined;
  const { remediation, entry, effect, proposal, reserved } = outcome;
  const [field, ...others] = effect.changes;
  if (field === undefined || others.length > 0) return undefined;
  if (typeof field.from !== "number" || typeof field.to !== "number" || field.to <= field.from) return undefined;
  const since = now.toISOString();
  return {
    ...{ incident, remediation, entry, field, since, termSince: since, reserved },
    ...{ pull: proposal.number, latestPull: proposal.number, renewals: 0, because: "" },
    expires: leaseExpiry(now, duration),
  };
}

/** When a lease that begins now ends, RFC 3339; a duration that cannot be read gives a day. */
export function leaseExpiry(begin: Date, duration: string): string {
  return new Date(begin.getTime() + (parseDuration(duration) ?? day)).toISOString();
}

const day = 86_400_000;

/** When a lease that could not be settled for the moment is looked at again: after a tenth of its duration. */
export function shortExpiry(begin: Date, duration: string): string {
  return new Date(begin.getTime() + (parseDuration(duration) ?? day) / 10).toISOString();
}

export interface LeaseTerms {
  readonly expires: string;
  /** The number before and after the scale-up. */
  readonly from: number;
  readonly to: number;
}

export function termsOf({ expires, field }: Pick<Lease, "expires" | "field">): LeaseTerms {
  return { expires, from: Number(field.from), to: Number(field.to) };
}

/** What is known when a lease is looked at. */
export interface LeaseFacts {
  readonly now: Date;
  /** The number that Git asks for now; undefined = unreadable. */
  readonly current: number | undefined;
  /** The guardrails' fewest replicas. */
  readonly floor: number;
  /** Whether any alert fires for the workload; undefined = nobody knows. */
  readonly alertFiring: boolean | undefined;
  readonly threshold: Threshold | undefined;
  /** Values of the alert's metric over the window that was looked at. */
  readonly recent: readonly number[];
  /** Replicas that the highest load in that window needs at the target utilisation; undefined = not measured. */
  readonly needed: { readonly replicas: number; readonly arithmetic: readonly string[] } | undefined;
}

/** Keep it, propose to set it back to `to`, or forget it because somebody else decided. */
export type LeaseDecision =
  | { readonly kind: "keep"; readonly because: string }
  | { readonly kind: "over"; readonly because: string }
  | {
      readonly kind: "scale-down";
      readonly to: number;
      readonly because: string;
      readonly arithmetic: readonly string[];
    };

// A metric that is low with the leased replicas may cross again without them: wanted is distance from the limit.
const margin = 0.7;

/** Time alone never scales down: the alert must be silent, its metric low, and the number before enough for the load. */
export function leaseDecision(lease: LeaseTerms, facts: LeaseFacts): LeaseDecision {
  const { current, floor } = facts;
  if (current !== undefined && current !== lease.to) {
    return { kind: "over", because: `Git asks for ${current} now, not for the leased ${lease.to}` };
  }
  const to = Math.max(lease.from, floor);
  if (to >= lease.to) {
    return { kind: "over", because: `the guardrails ask for at least ${floor} (minReplicas)` };
  }
  if (facts.now.getTime() < Date.parse(lease.expires)) return keep(`it runs until ${minuteOf(lease.expires)}`);
  if (current === undefined) return keep("the number in Git could not be read");
  if (facts.alertFiring !== false) return keep("the workload is not known to be free of alerts");
  return measuredDecision(lease, facts, to);
}

function measuredDecision(lease: LeaseTerms, { threshold, recent, needed }: LeaseFacts, to: number): LeaseDecision {
  if (threshold === undefined || recent.length === 0) {
    return keep("the metric is unknown, and silence is not a low value");
  }
  if (!recent.every((value) => isLow(threshold, value))) {
    return keep(`the metric came too near to its limit of ${renderValue(threshold.limit, unitOf(threshold.query))}`);
  }
  if (needed === undefined) return keep("the load was not measured");
  if (needed.replicas > to) return keep(`${to} would not serve the load: ${needed.arithmetic.join("; ")}`);
  const limit = renderValue(threshold.limit, unitOf(threshold.query));
  const because = `the lease expired ${minuteOf(lease.expires)}, the metric stayed well off ${limit}, and ${to} serve the load`;
  return { kind: "scale-down", to, because, arithmetic: needed.arithmetic };
}

function keep(because: string): LeaseDecision {
  return { kind: "keep", because };
}

function isLow(threshold: Threshold, value: number): boolean {
  const { comparison, limit, and, or } = threshold;
  // Only a line that is crossed upwards or downwards has a distance.
  if (and || or || comparison === "==" || comparison === "!=") return !crosses(threshold, value);
  const low = comparison.startsWith(">")
    ? limit - Math.abs(limit) * (1 - margin)
    : limit + Math.abs(limit) * (1 / margin - 1);
  return !crosses({ ...threshold, limit: low }, value);
}
