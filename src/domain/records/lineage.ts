import { renderCost } from "../remedy/cost.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Incident } from "../incident/incident.ts";
import { renderRemediation } from "../kubernetes/remediation.ts";
import { type Exchange, renderModel, renderMs, renderStepCosts, type StepCost } from "./step-cost.ts";
import type { OutcomeOnRecord } from "../proposal/outcome.ts";

/** What is known of the way of one incident. */
interface Way {
  readonly incident: Incident;
  readonly outcome: OutcomeOnRecord | undefined;
  readonly evidence: readonly Evidence[];
  readonly exchanges: readonly Exchange[];
  readonly steps: readonly StepCost[];
  readonly events: readonly { readonly verb: string; readonly text: string }[];
}

/** One part of the line from alert to outcome. */
interface LineageStage {
  readonly name: string;
  readonly value: string;
  /** What it took, one line; undefined where nothing was spent or is on record. */
  readonly cost: string | undefined;
}

const stepsOf = {
  queries: ["collect", "recall"],
  answer: ["diagnose"],
  change: ["plan", "plan again", "plan revert", "gate", "draft"],
  proposal: ["queue", "propose", "report"],
  approval: ["listen", "hear", "begin to decide", "decide", "close"],
  merge: ["merge", "leave queue", "report merge"],
  sync: ["sync", "report sync"],
  outcome: ["verify", "report verification", "learn"],
} as const;

/** The line from alert to outcome, in its order: the parts that exist, with the cost of each and of all. */
export function lineageOf(way: Way): readonly LineageStage[] {
  const { incident, outcome, steps } = way;
  const costOf = (part: keyof typeof stepsOf) =>
    renderStepCosts(steps.filter(({ step }) => (stepsOf[part] as readonly string[]).includes(step)));
  const stages: [name: string, value: string | undefined, cost?: string | undefined][] = [
    ["Incident-UID", incident.uid],
    ["Trace", incident.traceId],
    ["Alert", `${incident.alert.name} since ${incident.startedAt}`],
    ["Query", queryOf(way), costOf("queries")],
    ["Log line", logLineOf(way)],
    ...exchangeStages(way.exchanges),
    ["Cause", outcome?.cause?.sentence, costOf("answer")],
    ["Change", changeOf(outcome), joined(costOf("change"), outcome?.cost && renderCost(outcome.cost))],
    ["Effect", outcome?.effect?.hash],
    ["Pull request", outcome?.proposal?.url, costOf("proposal")],
    ["Approval", approvalOf(way), costOf("approval")],
    ["Merged as", outcome?.mergedSha, costOf("merge")],
    ["Synced", outcome?.syncedSha, costOf("sync")],
    ["Outcome", outcomeOf(outcome), costOf("outcome")],
    [outcome?.revert?.mergedSha === undefined ? "Revert, not merged" : "Reverted by", outcome?.revert?.proposal?.url],
    ["In all", steps.length === 0 ? undefined : `${stepCount(steps)} steps`, renderStepCosts(steps)],
  ];
  return stages.flatMap(([name, value, cost]) => (value === undefined ? [] : [{ name, value, cost }]));
}

function changeOf(outcome: OutcomeOnRecord | undefined): string | undefined {
  return outcome?.remediation && renderRemediation(outcome.remediation);
}

function outcomeOf(outcome: OutcomeOnRecord | undefined): string | undefined {
  return outcome?.verification ? `${outcome.verification.kind}: ${outcome.verification.because}` : outcome?.because;
}

function stepCount(steps: readonly StepCost[]): number {
  return steps.reduce((total, { times }) => total + times, 0);
}

function joined(...parts: readonly (string | undefined)[]): string | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.join("; ");
}

/** The query of the first item that the cause cites and that a person can repeat. */
function queryOf({ evidence, outcome }: Way): string | undefined {
  const citing = outcome?.cause?.citing ?? [];
  const cited = evidence.filter(({ id }) => citing.includes(id));
  const item = cited.find(({ source }) => source === "prometheus") ?? cited[0];
  return item && `[${item.id}] ${item.query}`;
}

/** The first log line that was seen; a cited item goes first. */
function logLineOf({ evidence, outcome }: Way): string | undefined {
  const citing = outcome?.cause?.citing ?? [];
  const logs = evidence.filter(({ key, finding }) => key === "logs" && finding.kind === "text");
  const item = logs.find(({ id }) => citing.includes(id)) ?? logs[0];
  const line = item?.finding.kind === "text" ? item.finding.lines[0] : undefined;
  return item && line && `[${item.id}] ${line}`;
}

function exchangeStages(exchanges: readonly Exchange[]) {
  return exchanges.flatMap((exchange): [string, string, string][] => [
    ["Prompt", `${exchange.prompt.length} characters to ${renderModel(exchange)}`, `${exchange.promptTokens} tokens`],
    ["Answer", exchange.answer, `${renderMs(exchange.durationMs)}, ${exchange.answerTokens} tokens`],
  ]);
}

/** Who or what let the change pass, as it was told at the merge. */
function approvalOf({ events }: Way): string | undefined {
  const merged = events.find(({ verb, text }) => verb === "decide" && text.startsWith("merged #"));
  return merged?.text.slice(merged.text.indexOf(": ") + 2);
}
