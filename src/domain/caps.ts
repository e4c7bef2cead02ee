import type { Guardrails } from "./guardrails.ts";
import type { Workload } from "./workload.ts";
import { workloadKey } from "./workload.ts";

/** A planned change that wants to become a proposal. */
export interface Candidate {
  readonly incident: string;
  readonly workload: Workload;
  readonly alert: string;
  readonly severity: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** One line: what would be changed. */
  readonly summary: string;
}

/** What is open already, and what people ticked on the dashboard. */
export interface Crowd {
  readonly open: readonly Workload[];
  /** Times at which proposals were opened, RFC 3339. */
  readonly openedAt: readonly string[];
  /** Incidents that a person with rights ticked: they pass the two caps. */
  readonly ticked: readonly string[];
  readonly now: Date;
}

export interface Admitted {
  readonly open: readonly Candidate[];
  readonly listed: readonly { readonly candidate: Candidate; readonly because: string }[];
}

/** The caps of the guardrails. */
export type CapLimits = Pick<Guardrails, "maxOpenPulls" | "maxPullsPerHour" | "exemptSeverities">;

/** What to open now and what only to list: by severity, then by age. Everything is in exactly one of both. */
export function admitCandidates(candidates: readonly Candidate[], crowd: Crowd, limits: CapLimits): Admitted {
  const taken = new Set(crowd.open.map(workloadKey));
  let openNow = crowd.open.length;
  let lastHour = crowd.openedAt.filter((at) => crowd.now.getTime() - Date.parse(at) < 3_600_000).length;
  const open: Candidate[] = [];
  const listed: { candidate: Candidate; because: string }[] = [];
  for (const candidate of inOrder(candidates, crowd, limits)) {
    const key = workloadKey(candidate.workload);
    const passes = isExempt(candidate, crowd, limits);
    const because = taken.has(key)
      ? "the workload has an open pull request"
      : passes
        ? undefined
        : capProblem(openNow, lastHour, limits);
    if (because === undefined) {
      open.push(candidate);
      taken.add(key);
      openNow += 1;
      lastHour += 1;
    } else listed.push({ candidate, because });
  }
  return { open, listed };
}

function capProblem(open: number, lastHour: number, limits: CapLimits): string | undefined {
  if (open >= limits.maxOpenPulls) return `${limits.maxOpenPulls} pull requests are open (maxOpenPulls)`;
  if (lastHour >= limits.maxPullsPerHour) return `${limits.maxPullsPerHour} were opened this hour (maxPullsPerHour)`;
  return undefined;
}

function isExempt(candidate: Candidate, crowd: Crowd, limits: CapLimits): boolean {
  return crowd.ticked.includes(candidate.incident) || limits.exemptSeverities.includes(candidate.severity);
}

// The severities that the field uses; any other name comes last.
const severities = ["critical", "page", "error", "warning", "info"];

function inOrder(candidates: readonly Candidate[], crowd: Crowd, limits: CapLimits): Candidate[] {
  const rank = (candidate: Candidate) => {
    const known = severities.indexOf(candidate.severity);
    return (isExempt(candidate, crowd, limits) ? 0 : 100) + (known === -1 ? severities.length : known);
  };
  return [...candidates].sort(
    (a, b) => rank(a) - rank(b) || a.startedAt.localeCompare(b.startedAt) || a.incident.localeCompare(b.incident),
  );
}
