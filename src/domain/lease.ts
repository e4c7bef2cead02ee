import { crosses, type Threshold } from "./alert-rule.ts";
import { parseDuration } from "./duration.ts";

/** A scale-up with an expiry. Times are RFC 3339. */
export interface Lease {
  readonly incident: string;
  readonly expires: string;
  /** The replicas before and after the scale-up. */
  readonly from: number;
  readonly to: number;
}

/** What is known when a lease is looked at. */
export interface LeaseFacts {
  readonly now: Date;
  /** Replicas that Git asks for now; undefined = unreadable. */
  readonly current: number | undefined;
  readonly alertFiring: boolean | undefined;
  readonly threshold: Threshold | undefined;
  /** Values of the alert's metric over the last half hour. */
  readonly recent: readonly number[];
}

/** Keep it, propose to take it back, or forget it because somebody else changed the number. */
export type LeaseDecision = { readonly kind: "keep" | "scale-down" | "over"; readonly because: string };

// A metric that is low with the leased replicas may cross again without them: wanted is distance from the limit.
const margin = 0.7;

/** When a lease that begins now ends, RFC 3339; a duration that cannot be read gives a day. */
export function leaseExpiry(begin: Date, duration: string): string {
  return new Date(begin.getTime() + (parseDuration(duration) ?? 86_400_000)).toISOString();
}

/** Time alone never scales down: the alert must be silent and its metric low, or somebody looks. */
export function leaseDecision(lease: Lease, facts: LeaseFacts): LeaseDecision {
  if (facts.current !== undefined && facts.current !== lease.to) {
    return { kind: "over", because: `Git asks for ${facts.current} replicas now, not for the leased ${lease.to}` };
  }
  if (facts.now.getTime() < Date.parse(lease.expires)) return { kind: "keep", because: `runs until ${lease.expires}` };
  if (facts.current === undefined) return { kind: "keep", because: "the replicas in Git could not be read" };
  if (facts.alertFiring !== false) return { kind: "keep", because: "the alert is not known to be silent" };
  if (facts.threshold === undefined || facts.recent.length === 0) {
    return { kind: "keep", because: "the metric is unknown, and silence is not a low value" };
  }
  const { threshold } = facts;
  if (!facts.recent.every((value) => staysLow(threshold, value, lease))) {
    return { kind: "keep", because: `the metric came too near to its limit of ${threshold.limit}` };
  }
  return { kind: "scale-down", because: `expired ${lease.expires}, and the metric stayed well off ${threshold.limit}` };
}

/** Low with room for the same load on fewer replicas: as far off as the replicas shrink, and never nearer than the margin. */
function staysLow(threshold: Threshold, value: number, lease: Lease): boolean {
  const shrink = Math.min(margin, lease.to > 0 ? lease.from / lease.to : margin);
  const limit = threshold.comparison.startsWith(">")
    ? threshold.limit - Math.abs(threshold.limit) * (1 - shrink)
    : threshold.limit + Math.abs(threshold.limit) * (1 / shrink - 1);
  return !crosses({ ...threshold, limit }, value);
}
