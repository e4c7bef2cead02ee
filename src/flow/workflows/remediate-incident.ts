import { evidenceAtRest } from "../../domain/evidence/at-rest.ts";
import type { Evidence } from "../../domain/evidence/evidence.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import { inverseOf } from "../../domain/kubernetes/remediation.ts";
import type { IncidentOutcome, OutcomeCause, VerifiedChange } from "../../domain/proposal/outcome.ts";
import type { Ports } from "../../ports/ports.ts";
import type { Run } from "../../ports/workflow.ts";
import { modelWait } from "../diagnose/await-model.ts";
import type { ChangeRequest } from "../gate/change-request.ts";
import { deliverChange } from "./deliver-change.ts";
import { parkedWith } from "./parked.ts";
import { collect, type Observed } from "../collect/collect.ts";
import { diagnose, type Diagnosis } from "../diagnose/diagnose.ts";
import { learn } from "../learn.ts";
import { plan, planChange, type Planned } from "../plan/plan.ts";
import { isPlanShadowed } from "../collect/load-guardrails.ts";
import { recall, type Recalled } from "../recall.ts";
import { verify } from "../verify.ts";
import { closed, type Shadowed, shadowedIn, shadowedNow, shadowOutcome } from "./shadow.ts";
import { subjectOf } from "./subject.ts";
import { wouldHave } from "./would-have.ts";

/** One incident, from alert to lesson. The step names are a stored format: see `workflowVersion`. */
export async function remediateIncident(incident: Incident, run: Run): Promise<void> {
  await remediated(incident, run).catch(async (error: unknown) => {
    // Before anything was known, or when the ending itself could not be told: an incident never stays open with nobody at work.
    const { ending, because } = parked(error);
    await run.step("park", async ({ records, telemetry }) => {
      await records.endIncident(incident.uid, { ending, because, outcome: null });
      telemetry.log(incident.uid, "park", `${ending}: ${because}`);
    });
  });
}

async function remediated(incident: Incident, run: Run): Promise<void> {
  const examined = await examine(incident, run);
  const outcome = await attempt(incident, examined, run).catch(parked);
  const last = outcome.ending === "shadow" ? closed(run) : run;
  await last.step("learn", (ports) => learn(incident, { outcome, evidence: examined.observed.evidence }, ports));
}

interface Examined {
  readonly observed: Observed & { readonly shadowed?: Shadowed | "unknown" };
  readonly recalled: Recalled;
  readonly diagnosis: Diagnosis;
}

// A metric over a window shows a sudden load late: before Rectify says "nothing stands out", or where it hurts and not
// why, it looks again.
const mostLooks = 3;

async function examine(incident: Incident, open: Run): Promise<Examined> {
  // Nothing is written before a proposal is.
  const run = closed(open);
  const model = modelWait(incident, run);
  let before: string | undefined;
  for (let look = 1; ; ) {
    const seen = await run.few(incident.severity, () => lookOnce(incident, before, run));
    before = seen.observed.evidence[0]?.to;
    const { diagnosis } = seen;
    if (diagnosis.kind === "abstained" && diagnosis.awaits === "model") {
      if ((await model.next()) === "ask") continue;
      const because = `the alert resolved before the model was back: ${diagnosis.because}`;
      return { ...seen, diagnosis: { kind: "abstained", because } };
    }
    if ((diagnosis.kind === "diagnosed" && diagnosis.unexplained !== true) || look === mostLooks) return seen;
    look += 1;
    await run.message(run.timings.settleMs);
  }
}

/** What all of it has seen is held until the diagnosis is made, and no longer: a workflow may wait for days beside others. */
async function lookOnce(incident: Incident, before: string | undefined, run: Run): Promise<Examined> {
  const observed = await run.step("collect", async (ports) => {
    const [seen, shadowed] = await Promise.all([collect(incident, ports, before), shadowedIn(incident, ports)]);
    return shadowed !== "unknown" && shadowed.length === 0 ? seen : { ...seen, shadowed };
  });
  const recalled = await run.step("recall", (ports) => recall(incident, observed.evidence, ports));
  const diagnosis = await run.step("diagnose", (ports) => diagnose(incident, observed, recalled.lines, ports));
  return { observed: { ...observed, evidence: evidenceAtRest(observed.evidence) }, recalled, diagnosis };
}

async function attempt(
  incident: Incident,
  { observed, recalled, diagnosis }: Examined,
  run: Run,
): Promise<IncidentOutcome> {
  const shadowed =
    observed.shadowed === "unknown"
      ? await closed(run).step("shadow mode", (ports) => shadowedNow(incident, ports))
      : observed.shadowed;
  const isShadow = (remedy: Shadowed[number]) => shadowed?.includes(remedy) === true;
  if (diagnosis.kind === "abstained") {
    const { because } = diagnosis;
    if (!isShadow("none")) return { ending: "no-change", because };
    const would = async () => ({ kind: "no-remedy", because }) as const;
    return shadowOutcome({ incident, observed, remedy: "none", would }, run);
  }
  const subject = subjectOf(incident, { observed, diagnosis, precedents: recalled.lines });
  // `shadowed` is absent in what an older version put on record.
  const planned: Planned & { readonly shadowed?: boolean } = await closed(run).step("plan", async (ports) => {
    const found = await plan(incident, diagnosis, ports);
    if (found.kind === "none" || !(await isPlanShadowed(incident, found.remediation, ports))) return found;
    return { ...found, shadowed: true };
  });
  const remedy = diagnosis.remedy.kind === "change" ? diagnosis.remedy.remediation.kind : "none";
  if (isShadow(remedy) || planned.shadowed === true) {
    const target = planned.kind === "none" ? {} : { target: planned.remediation.workload };
    const would = (ports: Ports) => wouldHave(subject, planned, ports);
    const told = await shadowOutcome({ incident, observed, remedy, ...target, would }, run);
    return planned.kind === "none"
      ? { ...told, cause: subject.cause }
      : {
          ...told,
          cause: subject.cause,
          remediation: planned.remediation,
          effect: planned.effect,
          entry: planned.entry,
        };
  }
  const { selfHealing } = observed;
  if (planned.kind === "none")
    return { ending: planned.ending, because: planned.because, cause: subject.cause, selfHealing: selfHealing.because };

  const delivered = await deliverChange(subject, planned, run);
  if (delivered.kind !== "synced") return delivered.outcome;
  const { change } = delivered;
  const before = { threshold: observed.threshold, condition: observed.condition, value: observed.value, selfHealing };
  return verify(incident, planned.remediation.workload, before, run)
    .then((verification) => judged(subject, { ...change, verification }, run))
    .catch(parkedWith(change));
}

/** What the verification comes to; the revert may still be refused by somebody outside. */
async function judged(subject: ChangeRequest, change: VerifiedChange, run: Run): Promise<IncidentOutcome> {
  const { kind, because } = change.verification;
  if (kind === "recovered") return { ...change, ending: "recovered", because };
  if (kind === "unclear") return { ...change, ending: "unclear", because };
  return revert(subject, change, run).catch(parkedWith(change));
}

/** The same line again with its remediation fixed: back to the value before. */
async function revert(subject: ChangeRequest, change: VerifiedChange, run: Run): Promise<IncidentOutcome> {
  const failed = { ...change, ending: "unclear", because: change.verification.because } as const;
  const back = inverseOf(change.remediation, change.mergedSha);
  // `seen` is absent in what an older version put on record.
  const planned: Planned & { readonly seen?: readonly Evidence[] } = await run.step("plan revert", async (ports) => {
    const [plan, now] = await Promise.all([
      planChange(subject.incident, back, ports),
      collect(subject.incident, ports),
    ]);
    return { ...plan, seen: evidenceAtRest(now.evidence) };
  });
  const evidence = planned.seen ?? subject.evidence;
  if (planned.kind === "none") {
    return { ...failed, because: `${failed.because}; the revert could not be planned: ${planned.because}` };
  }
  const cause = whyReverted(subject.cause, evidence);
  const undone = await deliverChange({ ...subject, evidence, cause, failed, closesWhenResolved: false }, planned, run);
  const { proposal, mergedSha, course } = undone.kind === "synced" ? undone.change : undone.outcome;
  const reverted = { ...failed, revert: { proposal, mergedSha, course } };
  if (undone.kind === "synced") return { ...reverted, ending: "reverted" };
  return { ...reverted, because: `${failed.because}; the revert: ${undone.outcome.because}` };
}

/** Why a change that did not help goes while the alert still fires, and what a person looks at next. */
function whyReverted({ sentence, considered = [] }: OutcomeCause, evidence: readonly Evidence[]): OutcomeCause {
  const next = considered.find((one) => one.sentence !== sentence);
  const look =
    next === undefined ? "no other cause stood out: a person is needed" : `look next at this: ${next.sentence}`;
  const why =
    "What did not help is reverted although it still burns, so that the next change starts from a known state";
  const metric = evidence.find(({ key }) => key === "alert-metric")?.id;
  return { sentence: `${why}; ${look}`, citing: metric === undefined ? [] : [metric] };
}

const parked = parkedWith({});
