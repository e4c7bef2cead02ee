import { settledTitle } from "../../domain/proposal/body/check-title.ts";
import { renderReport } from "../../domain/proposal/body/sticky.ts";
import { closeReasonOf } from "../../domain/proposal/decision.ts";
import type { Proposal } from "../../domain/proposal/pull-request.ts";
import {
  loweredTo,
  type Remediation,
  renderRemediation,
  scaledTo,
  wholeCommit,
} from "../../domain/kubernetes/remediation.ts";
import {
  type MergeCommit,
  mergeCommitOf,
  type MergedChange,
  type MergedOutcome,
  type PlannedChange,
  type SyncedChange,
  type UnmergedOutcome,
} from "../../domain/proposal/outcome.ts";
import type { Ports } from "../../ports/ports.ts";
import { shadowReason } from "../../domain/guardrails/mode.ts";
import { unlessShut } from "../../ports/errors.ts";
import type { Run } from "../../ports/workflow.ts";
import { type ChangeRequest, changeOf } from "../gate/change-request.ts";
import { type ReviewOutcome, decide } from "../decide/decide.ts";
import { gate, type GateAnswer, type Gated } from "../gate/gate.ts";
import type { CommandLog } from "../decide/pending.ts";
import { type Plan, planChange } from "../plan/plan.ts";
import { draftProposal, propose } from "../propose/propose.ts";
import { sync } from "../sync.ts";
import { parkedWith } from "./parked.ts";
import { type NotNeeded, placeOf, waitForSlot } from "../propose/slot.ts";

/** How far a change came: the cluster holds it, or its outcome is known already. */
type Delivered =
  | { readonly kind: "unmerged"; readonly outcome: UnmergedOutcome }
  | { readonly kind: "not-synced"; readonly outcome: MergedOutcome }
  | { readonly kind: "synced"; readonly change: SyncedChange };

/** gate → propose → decide → sync of one planned change. */
export async function deliverChange(subject: ChangeRequest, first: Plan, run: Run): Promise<Delivered> {
  const slot = await waitForSlot(subject, first, run);
  const outcome =
    slot.kind === "free" ? await proposed(subject, first, slot.waited, run) : goneWhileWaiting(first, slot);
  await run.step("leave queue", async (ports) => ports.queue?.leave(placeOf(subject)));
  const change = plannedChange(subject, outcome);
  if (outcome.kind === "ended") {
    return { kind: "unmerged", outcome: { ...change, ending: outcome.ending, because: outcome.because } };
  }
  const { decided, proposal } = outcome;
  if (decided.kind === "close") {
    const { ending, because } = decided;
    return { kind: "unmerged", outcome: { ...change, proposal, ending, because, closed: closeReasonOf(decided) } };
  }
  const merged = { ...change, proposal, mergedSha: decided.sha };
  // What is merged stays merged, whatever is refused afterwards: it belongs into the post-mortem.
  return afterMerge(subject, { outcome, merged }, run).catch((error: unknown) => ({
    kind: "not-synced",
    outcome: { ...merged, ...parkedWith(merged)(error) },
  }));
}

function plannedChange({ cause, selfHealing }: ChangeRequest, { plan, gated }: Outcome): PlannedChange {
  const { remediation, effect, entry } = plan;
  const about = { cause, selfHealing: selfHealing?.because, remediation, effect, entry };
  return { ...about, cost: gated?.cost, reserved: gated?.reserved };
}

interface Merged {
  readonly outcome: Extract<Outcome, { kind: "decided" }>;
  readonly merged: MergedChange;
}

async function afterMerge(
  { incident, failed, rollback }: ChangeRequest,
  { outcome, merged }: Merged,
  run: Run,
): Promise<Delivered> {
  const { plan, decided } = outcome;
  const { remediation } = plan;
  const commit = mergeCommitOf(merged.mergedSha);
  const { openedAt } = outcome.proposal;
  // The two times are absent in what an older version put on record.
  const mergedAt: string | undefined = await run.step("report merge", async (ports) => {
    const now = ports.clock.now().toISOString();
    ports.telemetry.log(incident.uid, "decide", `merged #${outcome.proposal.number}: ${decided.because}`);
    await dropLanded(outcome.proposal, commit, ports);
    await ports.changes?.record({
      ...{ pull: outcome.proposal.number, incident: incident.uid, workload: remediation.workload },
      ...{ reserved: merged.reserved, mergedAt: now },
      remedy: {
        ...{ kind: remediation.kind, title: renderRemediation(remediation), effect: plan.effect.hash },
        takesBack: failed?.proposal?.number ?? rollback?.pull,
      },
    });
    const { because } = decided;
    const told = renderReport({ state: "merged", because });
    await ports.github.report(outcome.proposal, told, settledTitle("merged", because));
    return now;
  });
  const course = { openedAt, mergedAt, mergedBecause: decided.because };
  const synced = await sync(plan.entry, commit, run);
  if (!synced.reached) {
    const { because } = synced;
    return { kind: "not-synced", outcome: { ...merged, course, ending: "not-synced", because } };
  }
  const syncedAt: string | undefined = await run.step("report sync", async (ports) => {
    ports.telemetry.log(
      incident.uid,
      "sync",
      `${plan.entry.object ?? "the controller"} holds ${synced.sha.slice(0, 7)}`,
    );
    return ports.clock.now().toISOString();
  });
  return { kind: "synced", change: { ...merged, course: { ...course, syncedAt }, syncedSha: synced.sha } };
}

/** What travelled along with the proposal and is in Git now. */
async function dropLanded(
  { files }: Proposal,
  commit: MergeCommit,
  { github, records }: Pick<Ports, "github" | "records">,
): Promise<void> {
  const tree = commit.kind === "known" ? await github.at(commit.sha) : (await github.head()).tree;
  const landed = files.flatMap((path) => {
    const bytes = tree.read(path);
    return bytes === undefined ? [] : [{ path, content: new TextDecoder().decode(bytes) }];
  });
  await records.dropPendingFiles(landed);
}

type Outcome =
  | {
      readonly kind: "ended";
      readonly ending: "resolved-before-merge" | "refused" | "escalated";
      readonly plan: Plan;
      readonly proposal?: undefined;
      readonly gated?: undefined;
      readonly because: string;
    }
  | {
      readonly kind: "decided";
      readonly plan: Plan;
      readonly proposal: Proposal;
      readonly gated: Gated;
      readonly decided: Exclude<ReviewOutcome, { kind: "replan" }>;
    };

function goneWhileWaiting(plan: Plan, { because, shadowed }: NotNeeded): Outcome {
  return { kind: "ended", ending: shadowed ? "refused" : "resolved-before-merge", plan, because };
}

function refusedAtFirst(plan: Plan, { because, repeated }: Pick<Refusal, "because" | "repeated">): Outcome {
  return { kind: "ended", ending: repeated ? "escalated" : "refused", plan, because };
}

// Each new number is planned, gated and decided anew; nobody needs more of them.
const mostPlans = 5;

/** Until it is merged or closed. A person's own number, and a base that moved, are planned, rendered and gated again. */
async function proposed(subject: ChangeRequest, first: Plan, waited: boolean, run: Run): Promise<Outcome> {
  let plan = first;
  if (waited) {
    const fresh = await run.step("plan again", (ports) => planChange(subject.incident, first.remediation, ports));
    if (fresh.kind === "none") return refusedAtFirst(plan, fresh);
    plan = fresh;
  }
  const opened = await openFirst(subject, plan, run);
  if (opened.kind === "refused") return refusedAtFirst(plan, opened);
  let current = opened;
  let approvedBy: string | undefined;
  let earlier: CommandLog | undefined;
  let rebaseRefused = false;
  for (let count = 1; ; count += 1) {
    const { gated, proposal } = current;
    const { kind: remedy, workload: target } = changeOf(subject, current.plan.remediation);
    const pending = {
      ...{
        incident: subject.incident,
        proposal,
        remedy,
        target,
        selfMergeLacks: gated.selfMergeLacks,
        approvedBy,
        earlier,
      },
      ...{
        closesWhenResolved: subject.closesWhenResolved,
        cause: subject.cause.sentence,
        lease: subject.lease,
        canReplan: count < mostPlans,
        rebaseRefused,
      },
    };
    const decided = await decide(pending, run);
    if (decided.kind !== "replan") return { kind: "decided", plan: current.plan, proposal, gated, decided };
    const { replicas, whole, by, commandLog } = decided;
    const { remediation } = current.plan;
    const wanted = wantedOf(remediation, { replicas, whole, by });
    const passed = await planned(subject, wanted, run);
    const again = passed.kind === "passed" ? await open({ ...subject, branch: proposal.branch }, passed, run) : passed;
    approvedBy = undefined;
    earlier = commandLog;
    if (again.kind === "refused") {
      // What is open stays open, as it was, with the reason: a refused wish is no verdict on what was proposed.
      rebaseRefused ||= replicas === undefined && whole !== true;
      const refusal = again.because;
      earlier = { ...commandLog, standing: { ...commandLog.standing, refusal } };
      continue;
    }
    current = again;
    approvedBy = replicas === undefined && whole !== true ? undefined : by;
  }
}

interface Wish {
  readonly replicas: number | undefined;
  readonly whole: boolean | undefined;
  readonly by: string;
}

/** The same remedy as somebody wants it: with a number, or for the whole commit. */
function wantedOf(remediation: Remediation, { replicas, whole, by }: Wish): Remediation {
  if (whole === true) return wholeCommit(remediation, by);
  return replicas === undefined ? remediation : scaledTo(remediation, replicas, by);
}

/** A plan that passed the gate. */
interface Passed {
  readonly kind: "passed";
  readonly plan: Plan;
  readonly gated: Gated;
}

interface Opened extends Passed {
  readonly proposal: Proposal;
}

type Refusal = Exclude<GateAnswer, Gated>;

/** The first proposal. Where the policies refuse its number, it is the nearest one that they let pass. */
async function openFirst(subject: ChangeRequest, plan: Plan, run: Run): Promise<Opened | Refusal> {
  const gated = await run.step("gate", (ports) => gate(subject, plan, ports));
  if (gated.kind === "passed") return open(subject, { kind: "passed", plan, gated }, run);
  if (gated.offer === undefined || plan.remediation.kind !== "scale") return gated;
  const second = await planned(subject, loweredTo(plan.remediation, gated.offer, gated.because), run);
  return second.kind === "passed" ? open(subject, second, run) : { kind: "refused", because: gated.because };
}

async function planned(subject: ChangeRequest, wanted: Remediation, run: Run): Promise<Passed | Refusal> {
  const plan = await run.step("plan again", (ports) => planChange(subject.incident, wanted, ports));
  if (plan.kind === "none") return { kind: "refused", because: plan.because };
  const gated = await run.step("gate", (ports) => gate(subject, plan, ports));
  return gated.kind === "passed" ? { kind: "passed", plan, gated } : gated;
}

async function open(subject: ChangeRequest, { plan, gated }: Passed, run: Run): Promise<Opened | Refusal> {
  const draft = await run.step("draft", (ports) => draftProposal(subject, plan, gated, ports));
  // Nothing = shadow mode began between the gate and this.
  const proposal = await run.step("propose", async (ports) => {
    const change = changeOf(subject, plan.remediation);
    return (await unlessShut(propose(draft, ports, { incident: subject.incident, change }))) ?? null;
  });
  return proposal === null ? { kind: "refused", because: shadowReason } : { kind: "passed", plan, gated, proposal };
}
