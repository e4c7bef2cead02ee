import { performance } from "node:perf_hooks";
import { diagnoseSignals } from "../../src/domain/root-cause/diagnose-signals.ts";
import { signalsOf } from "../../src/domain/root-cause/signals.ts";
import { rankSymptom, type Suspect } from "../../src/domain/root-cause/symptom.ts";
import { baselines } from "./rca/baselines.ts";
import { type Issue, readScenarios, type Scenario, splitOf } from "./rca/data.ts";
import { type Asked, evidenceFor } from "./rca/evidence.ts";

/**
 * Scores the diagnosis on every folder of incidents at or below the given ones (`rca/data.ts` has the format): through
 * evidence, signals and diagnosis as in the line, no change point given. Prints one JSON object. `--cases` prints each case,
 * `--features` one line for each answer that calibration reads.
 */
const folders = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const verbose = process.argv.includes("--cases");
const features = process.argv.includes("--features");
const splits = [0.5, 0.6, 0.7, 0.8, 0.9];
const quietWindows = 24;
let spent = 0;
let asked = 0;

interface Answer {
  /** Nodes, best first; empty = abstained. */
  readonly named: readonly string[];
  readonly confidence: number;
  readonly suspects: readonly Suspect[];
}

interface Outcome {
  readonly folder: string;
  readonly kind: string;
  readonly truth: string;
  readonly answer: Answer;
  readonly others: Readonly<Record<string, readonly string[]>>;
}

const outcomes: Outcome[] = [];
const report: Record<string, unknown> = {};
for (const scenario of (folders.length === 0 ? ["../shared/rca"] : folders).flatMap(readScenarios)) {
  const all = scenario.issues.map((issue) => outcomeOf(scenario, issue));
  outcomes.push(...all);
  const kinds = [...new Set(all.map(({ kind }) => kind))].sort();
  report[scenario.name] = {
    ...scoresOf(all),
    ...quietnessOf(scenario),
    ranker: ranksOf(all, ({ answer }) => answer.suspects.map(({ workload }) => workload.name)),
    baselines: Object.fromEntries(
      Object.keys(baselines).map((name) => [name, ranksOf(all, ({ others }) => others[name] ?? [])]),
    ),
    kinds: Object.fromEntries(kinds.map((wanted) => [wanted, scoresOf(all.filter(({ kind }) => kind === wanted))])),
  };
}
if (!features) {
  const total = { ...scoresOf(outcomes), reliability: reliabilityOf(outcomes) };
  console.log(JSON.stringify({ folders: report, total, msPerCase: rounded(spent / Math.max(1, asked)) }));
}

function outcomeOf(scenario: Scenario, issue: Issue): Outcome {
  const paired = scenario.own?.issues.find(({ name }) => name === issue.name);
  const own = scenario.own && paired && { normal: scenario.own.normal, abnormal: paired.abnormal };
  const { normal } = scenario;
  const answer = answerTo({ scenario, symptom: issue, normal, abnormal: issue.abnormal, own });
  const others = Object.entries(baselines).map(([name, rank]) => [name, rank(normal, issue.abnormal)] as const);
  if (verbose) tell(`${scenario.name} ${issue.name}: ${issue.rootCause}`, answer);
  if (features) {
    const scores = answer.suspects.map(({ score }) => score);
    const rank = answer.suspects.findIndex(({ workload }) => workload.name === issue.rootCause);
    console.log(JSON.stringify({ folder: scenario.name, kind: issue.kind, rank, scores }));
  }
  return {
    folder: scenario.name,
    kind: issue.kind,
    truth: issue.rootCause,
    answer,
    others: Object.fromEntries(others),
  };
}

function answerTo(question: Asked): Answer {
  const { incident, evidence } = evidenceFor(question);
  const start = performance.now();
  const ranking = rankSymptom(incident.workload, evidence);
  const diagnosis = diagnoseSignals(signalsOf(incident, evidence, ranking));
  spent += performance.now() - start;
  asked += 1;
  const causes = diagnosis.kind === "diagnosed" ? diagnosis.causes : [];
  return {
    named: [...new Set(causes.map(({ workload }) => workload.name))],
    confidence: causes[0]?.confidence ?? 0,
    suspects: ranking.suspects,
  };
}

function scoresOf(all: readonly Outcome[]) {
  const hits = all.map(({ truth, answer }) => answer.named.indexOf(truth));
  return {
    ...ranksOf(all, ({ answer }) => answer.named),
    abstained: shareOf(all, ({ answer }) => answer.named.length === 0),
    wrong: shareOf(all, ({ answer }, index) => answer.named.length > 0 && !isAmong(hits[index] ?? -1, 3)),
  };
}

function ranksOf(all: readonly Outcome[], nodesOf: (outcome: Outcome) => readonly string[]) {
  const ranks = all.map((outcome) => nodesOf(outcome).indexOf(outcome.truth));
  return {
    n: all.length,
    top1: shareOf(ranks, (rank) => rank === 0),
    top3: shareOf(ranks, (rank) => isAmong(rank, 3)),
  };
}

/** Specificity by PetShop's protocol (the normal period cut at five places), and over many short normal windows. */
function quietnessOf(scenario: Scenario) {
  const symptoms = [...new Map(scenario.issues.map((issue) => [`${issue.node} ${issue.metric}`, issue])).values()];
  const length = Math.max(4, Math.min(...scenario.issues.map(({ abnormal }) => abnormal.times.length)));
  const cutAt = (symptom: Issue, share: number, until = 1): Asked => {
    const parts = [scenario.normal, scenario.own?.normal].map(
      (table) => table && splitOf(splitOf(table, until).early, share),
    );
    const [{ early: normal, late: abnormal } = { early: scenario.normal, late: scenario.normal }, own] = parts;
    return { scenario, symptom, normal, abnormal, own: own && { normal: own.early, abnormal: own.late } };
  };
  const quiet = (question: Asked): boolean => {
    const answer = answerTo(question);
    if (verbose && answer.named.length > 0) tell(`${scenario.name}: a normal window`, answer);
    return answer.named.length === 0;
  };
  const protocol = symptoms.flatMap((symptom) => splits.map((share) => quiet(cutAt(symptom, share))));
  const rows = scenario.normal.times.length;
  const short = symptoms.flatMap((symptom) =>
    Array.from({ length: quietWindows }, (_, index) => {
      const until = 0.5 + (0.5 * (index + 1)) / quietWindows;
      return quiet(cutAt(symptom, 1 - length / Math.max(length + 1, Math.floor(until * rows)), until));
    }),
  );
  return { specificity: shareOf(protocol, Boolean), quietShortWindows: shareOf(short, Boolean) };
}

/** How often answers of about the same confidence were right. */
function reliabilityOf(all: readonly Outcome[]) {
  const bands = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01];
  return bands.slice(1).flatMap((to, index) => {
    const from = bands[index] ?? 0;
    const some = all.filter(
      ({ answer }) => answer.named.length > 0 && answer.confidence >= from && answer.confidence < to,
    );
    if (some.length === 0) return [];
    const said = some.reduce((sum, { answer }) => sum + answer.confidence, 0) / some.length;
    const right = shareOf(some, ({ answer, truth }) => answer.named[0] === truth);
    return [{ from, to: Math.min(1, to), n: some.length, said: rounded(said), right }];
  });
}

function tell(title: string, { named, confidence, suspects }: Answer): void {
  const lines = suspects.map(
    ({ workload, score, because }) => `   ${score.toFixed(2)} ${workload.name}: ${because.join("; ")}`,
  );
  console.log([`${title} → ${named[0] ?? "abstained"} ${confidence}`, ...lines].join("\n"));
}

function isAmong(rank: number, first: number): boolean {
  return rank >= 0 && rank < first;
}

function shareOf<T>(items: readonly T[], accept: (item: T, index: number) => boolean): number {
  return items.length === 0 ? 0 : rounded(items.filter(accept).length / items.length);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
