import type { PastIncident } from "../../../domain/backtest/past-alerts.ts";
import { type PastRecord, recordedWould } from "../../../domain/backtest/record.ts";
import { unseenIn } from "../../../domain/backtest/unseen.ts";
import { verdictOf, type WouldHave } from "../../../domain/backtest/verdict.ts";
import type { Entry } from "../../../domain/kubernetes/manifest-edit.ts";
import { type Workload, workloadKey } from "../../../domain/kubernetes/workload.ts";
import type { CommitMark } from "../../../ports/github.ts";
import { Refused } from "../../../ports/errors.ts";
import type { Ports } from "../../../ports/ports.ts";
import { collect, type Observed } from "../../collect/collect.ts";
import { loadGuardrails } from "../../collect/load-guardrails.ts";
import type { PastRendering } from "../../collect/commits/recent-commits.ts";
import { diagnose } from "../../diagnose/diagnose.ts";
import { plan } from "../../plan/plan.ts";
import { peoplesCommits } from "../../workflows/peoples-commits.ts";
import { subjectOf } from "../../workflows/subject.ts";
import { wouldHave } from "../../workflows/would-have.ts";

/** The past, as the line may ask it. */
export interface PastWorld {
  /** The ports at that moment: none of them writes. */
  readonly portsAt: (moment: Date, incident: PastIncident) => Ports;
  /** Commits of the default branch between two moments, oldest first. */
  readonly commitsBetween: (from: Date, to: Date) => readonly CommitMark[];
  readonly renderedAt: PastRendering;
  /** Where the repository made the workload at that moment. */
  readonly entryAt: (moment: Date, workload: Workload) => Promise<Entry>;
  /** The end of the history. */
  readonly until: Date;
  /** How long after an alert began it would have been delivered: a scrape or two. */
  readonly deliveredAfterMs: number;
}

// A running Rectify looks three times before it says that nothing stands out.
const mostLooks = 3;

/** One incident of the past: what the line would have come to, and what people did. Throws `Unavailable` only. */
export async function examinePast(past: PastIncident, world: PastWorld): Promise<PastRecord> {
  const { incident, endedAt } = past;
  const { would, observed, growthLimit } = await lookBack(past, world);
  const end = endedAt === undefined ? world.until : new Date(endedAt);
  const target = would.kind === "proposed" ? [would.remediation.workload] : [];
  const workloads = new Map([incident.workload, ...target].map((workload) => [workloadKey(workload), workload]));
  const people = await peoplesCommits({
    commits: world.commitsBetween(new Date(incident.startedAt), end),
    workloads: [...workloads.values()],
    entryOf: (workload) => world.entryAt(end, workload),
    renderedAt: world.renderedAt,
  });
  const verdict = verdictOf(would, {
    ...{ workload: incident.workload, startedAt: incident.startedAt, endedAt, growthLimit, people },
  });
  const { missing, empty } = unseenIn(observed?.evidence ?? []);
  return {
    ...{ uid: incident.uid, alert: incident.alert.name, workload: workloadKey(incident.workload) },
    ...{ severity: incident.severity, startedAt: incident.startedAt, ...(endedAt === undefined ? {} : { endedAt }) },
    ...{ would: recordedWould(would), verdict },
    ...{ missing: [...missing], empty: [...empty] },
  };
}

interface LookedBack {
  readonly would: WouldHave;
  readonly observed: Observed | undefined;
  readonly growthLimit: number;
  /** Another look may show more, as in the line. */
  readonly again: boolean;
}

async function lookBack(past: PastIncident, world: PastWorld): Promise<LookedBack> {
  const begun = Date.parse(past.incident.startedAt) + world.deliveredAfterMs;
  let last: LookedBack | undefined;
  let at = begun;
  for (let look = 1; look <= mostLooks; look += 1) {
    const ports = world.portsAt(new Date(at), past);
    last = await oneLook(past, ports);
    const next = at + ports.timings.settleMs;
    const stillFires = past.endedAt === undefined || next < Date.parse(past.endedAt);
    if (!last.again || !stillFires) return last;
    at = next;
  }
  return (
    last ?? {
      would: { kind: "no-remedy", because: "it was never looked at" },
      observed: undefined,
      growthLimit: 1,
      again: false,
    }
  );
}

async function oneLook({ incident }: PastIncident, ports: Ports): Promise<LookedBack> {
  let observed: Observed | undefined;
  let growthLimit = 3;
  try {
    const guardrails = loadGuardrails((await ports.github.head()).tree);
    if (guardrails.ok) growthLimit = guardrails.value.growthLimit;
    observed = await collect(incident, ports);
    const diagnosis = await diagnose(incident, observed, [], ports);
    if (diagnosis.kind === "abstained")
      return { would: { kind: "no-remedy", because: diagnosis.because }, observed, growthLimit, again: true };
    const planned = await plan(incident, diagnosis, ports, { hypothetical: true });
    const subject = subjectOf(incident, { observed, diagnosis, precedents: [] });
    const again = diagnosis.unexplained === true;
    return { would: await wouldHave(subject, planned, ports), observed, growthLimit, again };
  } catch (error) {
    // What cannot be known any more is no remedy, with that reason.
    if (!(error instanceof Refused)) throw error;
    return { would: { kind: "no-remedy", because: error.message }, observed, growthLimit, again: true };
  }
}
