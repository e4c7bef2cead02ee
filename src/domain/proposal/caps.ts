import { severityRank } from "../incident/severity.ts";
import type { Guardrails } from "../guardrails/guardrails.ts";
import type { HoldBack } from "../evidence/self-healing.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { workloadKey } from "../kubernetes/workload.ts";

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
  /** A person with rights asked for this change itself: only another open proposal of its workload holds it up. */
  readonly asked?: true;
  /** Such alerts mostly clear by themselves: it waits until then. */
  readonly heldBack?: HoldBack | undefined;
}

/** What is open already, and what people ticked on the dashboard. */
export interface Crowd {
  readonly open: readonly Workload[];
  /** Times at which proposals were opened, RFC 3339. */
  readonly openedAt: readonly string[];
  /** Incidents that a person with permission ticked: they pass the two caps. */
  readonly ticked: readonly string[];
  /** When a change of ours was merged last, RFC 3339, by workload (`namespace/Kind/name`). */
  readonly changed?: Readonly<Record<string, string>>;
  readonly now: Date;
}

/** How much of the two caps is used. */
export interface CapUse {
  readonly open: number;
  readonly lastHour: number;
}

/** What counts against the caps now. */
export function capUse({ open, openedAt, now }: Pick<Crowd, "open" | "openedAt" | "now">): CapUse {
  return {
    open: open.length,
    lastHour: openedAt.filter((at) => now.getTime() - Date.parse(at) < 3_600_000).length,
  };
}

export interface Admitted {
  readonly open: readonly Candidate[];
  readonly listed: readonly { readonly candidate: Candidate; readonly because: string }[];
}

/** The caps of the guardrails, and how long a workload is left alone after a change. */
export type CapLimits = Pick<Guardrails, "maxOpenPulls" | "maxPullsPerHour" | "exemptSeverities"> &
  Partial<Pick<Guardrails, "approvers">> & { readonly coolDownMs?: number };

/** What to open now and what only to list: by severity, then by age. Everything is in exactly one of both. */
export function admitCandidates(candidates: readonly Candidate[], crowd: Crowd, limits: CapLimits): Admitted {
  const taken = new Set(crowd.open.map(workloadKey));
  let { open: openNow, lastHour } = capUse(crowd);
  const open: Candidate[] = [];
  const listed: { candidate: Candidate; because: string }[] = [];
  for (const candidate of inOrder(candidates, crowd, limits)) {
    const key = workloadKey(candidate.workload);
    const passes = isExempt(candidate, crowd, limits);
    const because = taken.has(key)
      ? "the workload has an open pull request"
      : ((candidate.asked ? undefined : coolDownProblem(key, crowd, limits)) ??
        (passes ? undefined : (heldProblem(candidate, crowd.now) ?? capProblem(openNow, lastHour, limits))));
    if (because === undefined) {
      open.push(candidate);
      taken.add(key);
      openNow += 1;
      lastHour += 1;
    } else listed.push({ candidate, because });
  }
  return { open, listed };
}

/** High-load and low-load alerts that alternate must not make the workload swing: one change, then it settles. */
function coolDownProblem(key: string, { changed = {}, now }: Crowd, { coolDownMs = 0 }: CapLimits): string | undefined {
  const last = Object.hasOwn(changed, key) ? changed[key] : undefined;
  if (last === undefined) return undefined;
  const end = Date.parse(last) + coolDownMs;
  return now.getTime() < end
    ? `the workload was changed ${last} and cools down until ${new Date(end).toISOString()}`
    : undefined;
}

function heldProblem({ heldBack }: Candidate, now: Date): string | undefined {
  return heldBack !== undefined && now.getTime() < Date.parse(heldBack.until) ? heldBack.because : undefined;
}

function capProblem(open: number, lastHour: number, limits: CapLimits): string | undefined {
  if (open >= limits.maxOpenPulls) return `${limits.maxOpenPulls} pull requests are open (maxOpenPulls)`;
  if (lastHour >= limits.maxPullsPerHour) return `${limits.maxPullsPerHour} were opened this hour (maxPullsPerHour)`;
  return undefined;
}

function isExempt(candidate: Candidate, crowd: Crowd, limits: CapLimits): boolean {
  return (
    candidate.asked === true ||
    crowd.ticked.includes(candidate.incident) ||
    limits.exemptSeverities.includes(candidate.severity)
  );
}

function inOrder(candidates: readonly Candidate[], crowd: Crowd, limits: CapLimits): Candidate[] {
  const rank = (candidate: Candidate) =>
    (isExempt(candidate, crowd, limits) ? 0 : 100) + severityRank(candidate.severity);
  return [...candidates].sort(
    (a, b) => rank(a) - rank(b) || a.startedAt.localeCompare(b.startedAt) || a.incident.localeCompare(b.incident),
  );
}
