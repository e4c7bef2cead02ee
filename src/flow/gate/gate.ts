import { type Trust, trustFor } from "../../domain/records/autonomy.ts";
import {
  type BudgetQuestion,
  budgetProblem,
  type Cost,
  costOf,
  renderBudget,
  renderCost,
  type Reserved,
  runningCost,
} from "../../domain/remedy/cost.ts";
import { gateFilesIn } from "../../domain/gate/gate-files.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import { isInShadow, modeSubject, shadowReason } from "../../domain/guardrails/mode.ts";
import type { Effect } from "../../domain/kubernetes/manifest-edit.ts";
import type { RemedyChange } from "../../domain/kubernetes/remediation.ts";
import { parseQuantity } from "../../domain/kubernetes/quantity.ts";
import { reservedByChange } from "../../domain/remedy/plan-cost.ts";
import { type PolicyVerdict, policyLacks } from "../../domain/gate/policy-report.ts";
import { checkOf } from "../../domain/gate/policy-text.ts";
import { driftOf } from "../../domain/proposal/rollback.ts";
import { looseningsIn } from "../../domain/remedy/reversal/limits.ts";
import { assessRisk, type Risk } from "../../domain/gate/risk.ts";
import { isInsideWindows } from "../../domain/guardrails/window.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";
import type { Ports } from "../../ports/ports.ts";
import { type ChangeRequest, changeOf } from "./change-request.ts";
import { policyVerdict, type PlanJudgement } from "./policy-verdict.ts";
import { loadGuardrails } from "../collect/load-guardrails.ts";
import { loadLedger, sealedAmong, sealedIn, withoutDisputed } from "../collect/load-trust.ts";
import type { Plan } from "../plan/plan.ts";
import { repetitionOf } from "../plan/repetition.ts";

/** A change that may be proposed, with everything that speaks against merging it without a person. */
export interface Gated {
  readonly kind: "passed";
  readonly risk: Risk;
  /** What the policies said, in one line for people. */
  readonly policy: string;
  /** What the change adds; undefined without a price book. */
  readonly cost: Cost | undefined;
  /** The budget of the namespace with its arithmetic; undefined where there is none. */
  readonly budget: string | undefined;
  readonly reserved: Reserved | undefined;
  readonly conclusion: "success" | "neutral";
  readonly selfMergeLacks: readonly string[];
}

/** `offer` is the nearest number that the policies let pass. */
export type GateAnswer =
  | Gated
  | {
      readonly kind: "refused";
      readonly because: string;
      readonly offer?: number | undefined;
      /** It was tried and reverted a short time ago. */
      readonly repeated?: true;
    };

/** Guardrails, policies and risk of one planned change, all read from its base commit. */
export async function gate(
  subject: ChangeRequest,
  plan: Plan,
  ports: Pick<Ports, "github" | "records" | "clock" | "telemetry" | "renderer" | "policies" | "sealKey" | "changes">,
): Promise<GateAnswer> {
  const base = await ports.github.at(plan.baseSha);
  const guardrails = loadGuardrails(base);
  if (!guardrails.ok) return { kind: "refused", because: guardrails.because };
  const written = writtenBefore(subject);
  const drift = written && driftOf(written, plan.effect);
  const forbidden = [
    ...shadowIn(guardrails.value, subject, plan),
    ...forbiddenBy(guardrails.value, plan, subject.hypothetical === true),
    ...(drift === undefined ? [] : [drift]),
  ];
  if (forbidden.length > 0) return { kind: "refused", because: forbidden.join("; ") };
  const repetition = written === undefined ? await repetitionOf(plan, ports) : undefined;
  if (repetition !== undefined) return { kind: "refused", because: repetition, repeated: true };
  const { uid } = subject.incident;
  const judgement = await policyVerdict(plan, { incident: uid, guardrails: guardrails.value }, ports);
  if (judgement.verdict.kind === "refused") {
    const { counterOffer } = judgement;
    return { kind: "refused", because: refusalOf(judgement), offer: counterOffer?.value };
  }

  const { workload } = plan.remediation;
  const now = ports.clock.now();
  const hourAgo = new Date(now.getTime() - 3_600_000).toISOString();
  const [recentChanges, cycles] = await Promise.all([
    ports.records.changesSince(workloadKey(workload), hourAgo, uid),
    ports.records.firingsSince(subject.incident.alert.fingerprint, hourAgo),
  ]);
  const { rendered, verdict, asked } = judgement;
  const reserved = rendered && reservedByChange(rendered.before, rendered.after);
  const spending = await spendingOf({ plan, guardrails: guardrails.value, reserved }, ports);
  const { cost } = spending;
  const trust = await trustIn(base, { subject, plan, guardrails: guardrails.value }, ports);
  const risk = riskOf({ subject, plan, guardrails: guardrails.value, recentChanges, cycles, trust, now });
  const lacks = lacksOf({ guardrails: guardrails.value, risk, plan, verdict, asked, spending, trust });
  const selfMergeLacks = [...lacks, ...(subject.needsPerson ?? [])];
  const policy = policyOf(guardrails.value, verdict);
  ports.telemetry.log(uid, "gate", `risk ${risk.reasons.join("; ")}`);
  ports.telemetry.log(uid, "gate", `${policy}${cost === undefined ? "" : `, ${renderCost(cost)}`}`);
  const conclusion = verdict.kind === "passed" && policyLacks(verdict).length === 0 ? "success" : "neutral";
  const budget = renderBudget(spending);
  return { kind: "passed", risk, policy, cost, budget, reserved, conclusion, selfMergeLacks };
}

/** What an earlier change of ours wrote, where this one reverts it: a revert, a rollback, the end of a lease. */
function writtenBefore({ failed, rollback, lease }: ChangeRequest): Pick<Effect, "changes"> | undefined {
  return failed?.effect ?? rollback?.effect ?? (lease && { changes: [lease.field] });
}

/** The messages of the policies, each with what to do, and the nearest number that passes. */
function refusalOf({ verdict, counterOffer }: PlanJudgement): string {
  const failures = verdict.kind === "refused" ? verdict.failures : [];
  const said = failures.map(({ policy, message }) => `policy ${policy}: ${message.replace(/\.?$/, ".")}`);
  return [...said, ...(counterOffer === undefined ? [] : [counterOffer.line])].join(" ");
}

/** Whatever asks for a change of a class in shadow mode, and on whichever way: it is not written. */
function shadowIn(guardrails: Guardrails, subject: ChangeRequest, { remediation }: Plan): string[] {
  const isShadow = isInShadow(guardrails, modeSubject(subject.incident, changeOf(subject, remediation)));
  return !isShadow || subject.hypothetical === true ? [] : [shadowReason];
}

/**
 * What the guardrails never allow, whoever approves. What nobody will write is looked at in every namespace, as long as none
 * is named: a file to begin with would show nothing otherwise.
 */
function forbiddenBy(guardrails: Guardrails, { remediation, effect, files }: Plan, hypothetical: boolean): string[] {
  const { workload, change } = remediation;
  const guarded = gateFilesIn(files.map((file) => file.path));
  const { namespaces, kinds, minReplicas, maxReplicas } = guardrails;
  const to = "to" in change && typeof change.to === "number" ? change.to : undefined;
  const looksEverywhere = hypothetical && namespaces.length === 0;
  return [
    ...(looksEverywhere || namespaces.includes(workload.namespace)
      ? []
      : [`namespace ${workload.namespace} is not one that Rectify may change (guardrails: namespaces)`]),
    ...(kinds.some((kind) => kind === workload.kind)
      ? []
      : [`kind ${workload.kind} is not allowed (guardrails: kinds)`]),
    ...(to !== undefined && (to < minReplicas || to > maxReplicas)
      ? [`${to} replicas are outside ${minReplicas} to ${maxReplicas} (guardrails)`]
      : []),
    ...guarded.map((path) => `${path} decides what may merge: only people change it`),
    ...(effect.changes.length === 0 ? ["the change has no effect"] : []),
  ];
}

/** What this remedy has earned for this alert and workload, by the ledger and the sealed post-mortems of the base commit. */
async function trustIn(
  base: Tree,
  { subject, plan, guardrails }: Pick<Judged, "subject" | "plan" | "guardrails">,
  { records: onRecord, sealKey }: Pick<Ports, "records" | "sealKey">,
): Promise<Trust> {
  const { alert, workload } = subject.incident;
  const key = { alert: alert.name, workload, remedy: plan.remediation.kind };
  const [files, withdrawals] = await Promise.all([onRecord.pendingFiles(), onRecord.withdrawals()]);
  const pending = files.map(({ content }) => content);
  const { records } = await sealedIn(base, sealKey, alert.name);
  const withdrawn = withdrawals.map((withdrawal) => withdrawal.incident);
  const sources = {
    ledger: loadLedger(base),
    records: withoutDisputed(records, withdrawn),
    pending: sealedAmong(pending, sealKey),
  };
  return trustFor(key, sources, guardrails.autonomy);
}

interface Judged {
  readonly subject: ChangeRequest;
  readonly plan: Plan;
  readonly guardrails: Guardrails;
  readonly recentChanges: number;
  readonly cycles: number;
  readonly trust: Trust;
  readonly now: Date;
}

function riskOf({ subject, plan, guardrails, recentChanges, cycles, trust, now }: Judged): Risk {
  const { remediation, effect } = plan;
  const { change, workload, from } = remediation;
  const objects = new Set(effect.changes.map(({ object }) => workloadKey(object)));
  return assessRisk({
    kind: remediation.kind,
    amount: amountOf(change, from, guardrails),
    critical: guardrails.criticalWorkloads.includes(workloadKey(workload)),
    objectsChanged: objects.size,
    trust,
    witnesses: subject.witnesses,
    taintedOnly: subject.taintedOnly,
    recentChanges,
    cycles,
    insideWindow:
      isInsideWindows(guardrails.windows, now) || guardrails.windowExemptSeverities.includes(subject.incident.severity),
    proof: effect.proof.kind,
    loosens: change.kind === "commit" ? looseningsIn(effect.changes) : [],
  });
}

/** The number before and after, in one unit; undefined for a change that is no number. */
function amountOf(change: RemedyChange, from: string, { maxReplicas, maxCpu, maxMemory }: Guardrails) {
  if (change.kind === "image-tag" || change.kind === "commit") return undefined;
  if (change.kind !== "resources") return { from: Number(from), to: change.to, ceiling: maxReplicas };
  const [before, after] = [parseQuantity(from), parseQuantity(change.to)];
  if (before === undefined || after === undefined) return undefined;
  return { from: before, to: after, ceiling: parseQuantity(change.field.endsWith(".memory") ? maxMemory : maxCpu) };
}

/** Where our own CLI gave no verdict, a required check of the repository evaluates the policies. */
function policyOf({ requiredChecks }: Guardrails, verdict: PolicyVerdict): string {
  const names = requiredChecks.map((check) => check.name).join(", ");
  if (verdict.kind === "passed" || names === "") return checkOf(verdict).title;
  return `${checkOf(verdict).title} here: left to the required check ${names}`;
}

/** What the change costs, and what the changes cost that nobody reverted. */
async function spendingOf(
  { plan, guardrails, reserved }: Pick<Judged, "plan" | "guardrails"> & { readonly reserved: Reserved | undefined },
  { changes }: Pick<Ports, "changes">,
): Promise<BudgetQuestion> {
  const { budgets, priceBook } = guardrails;
  const { namespace } = plan.remediation.workload;
  const counted = Object.hasOwn(budgets, namespace) ? await changes?.reservedIn(namespace) : undefined;
  const running = counted && runningCost(counted, priceBook);
  return { namespace, budgets, running, cost: costOf(reserved, priceBook) };
}

interface Weighed {
  readonly guardrails: Guardrails;
  readonly risk: Risk;
  readonly plan: Plan;
  readonly verdict: PolicyVerdict;
  readonly asked: boolean;
  readonly spending: BudgetQuestion;
  readonly trust: Trust;
}

function lacksOf({ guardrails, risk, plan, verdict, asked, spending, trust }: Weighed): string[] {
  const { requiredChecks } = guardrails;
  const budget = budgetProblem(spending);
  const leftToCheck = !asked && requiredChecks.length > 0;
  return [
    ...(guardrails.autoMerge === "low-risk" ? [] : ["the guardrails allow no auto-merge"]),
    ...(risk.level === "low" ? [] : [`risk is ${risk.level}`]),
    ...(plan.remediation.change.kind === "commit" ? ["a person approves the revert of a commit"] : []),
    ...(plan.effect.proof.kind === "rendered" ? [] : ["the effect was not rendered"]),
    ...(leftToCheck ? [] : policyLacks(verdict)),
    ...(budget === undefined ? [] : [budget]),
    ...trust.problems,
  ];
}
