import { performance } from "node:perf_hooks";
import { type Ranking, rankCauses } from "../../src/domain/root-cause/ranking/attribution.ts";
import type { MetricKind } from "../../src/domain/root-cause/ranking/node-metric.ts";
import { metricsOf, readScenarios, type Scenario, splitOf, type Table } from "./petshop.ts";

/** Scores the ranker on a folder in PetShop's format; prints one JSON object. */
interface Tally {
  n: number;
  top1: number;
  top3: number;
  specificity: number;
}

const [folder, verbose] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: bench:rca DIR [verbose]");
const splits = [0.5, 0.6, 0.7, 0.8, 0.9];
let spent = 0;
let cases = 0;

const results = Object.fromEntries(readScenarios(folder).map((scenario) => [scenario.name, scoresOf(scenario)]));
const all = Object.values(results).flatMap((scenario) => Object.values(scenario));
const found = (pick: (tally: Tally) => number) => all.reduce((sum, tally) => sum + pick(tally) * tally.n, 0);
const n = found(() => 1);
console.log(
  JSON.stringify({
    scenarios: results,
    total: { n, top1: round(found((tally) => tally.top1) / n), top3: round(found((tally) => tally.top3) / n) },
    msPerCase: round(spent / cases),
  }),
);

function scoresOf(scenario: Scenario): Record<string, Tally> {
  const metrics = [...new Set(scenario.issues.map(({ metric }) => metric))].sort();
  return Object.fromEntries(metrics.map((metric) => [metric, tallyOf(scenario, metric)]));
}

function tallyOf(scenario: Scenario, metric: string): Tally {
  const issues = scenario.issues.filter((issue) => issue.metric === metric);
  const ranks = issues.map((issue) => {
    const ranking = ranked(scenario, issue, scenario.normal, issue.abnormal);
    const nodes = ranking.kind === "ranked" ? ranking.causes.map(({ node }) => node) : [];
    if (verbose) tell(`${scenario.name} ${issue.name} ${metric} cause ${issue.rootCause}`, ranking);
    return nodes.indexOf(issue.rootCause);
  });
  const symptoms = new Map(issues.map(({ node, statistic }) => [node, { node, statistic, metric }]));
  const quiet = [...symptoms.values()].flatMap((symptom) =>
    splits.map((share) => {
      const { early, late } = splitOf(scenario.normal, share);
      const ranking = ranked(scenario, symptom, early, late);
      if (verbose) tell(`${scenario.name} normal from ${share} ${metric}`, ranking);
      return ranking.kind === "abstained";
    }),
  );
  return {
    n: issues.length,
    top1: shareOf(ranks, (rank) => rank === 0),
    top3: shareOf(ranks, (rank) => rank >= 0 && rank < 3),
    specificity: shareOf(quiet, (abstained) => abstained),
  };
}

function ranked(
  scenario: Scenario,
  symptom: { node: string; metric: string; statistic: string },
  normal: Table,
  abnormal: Table,
): Ranking {
  const latency = symptom.metric === "latency" ? symptom.statistic : "Average";
  const metrics = metricsOf(normal, abnormal, latency);
  const start = performance.now();
  const kind = symptom.metric as MetricKind;
  const ranking = rankCauses({ graph: scenario.graph, metrics, symptom: { node: symptom.node, kind } });
  spent += performance.now() - start;
  cases += 1;
  return ranking;
}

function tell(title: string, ranking: Ranking): void {
  const lines =
    ranking.kind === "ranked"
      ? ranking.causes.map(({ node, score, because }) => `   ${score.toFixed(3)} ${node}: ${because.join("; ")}`)
      : [`   abstained: ${ranking.because}`];
  console.log([title, ...lines].join("\n"));
}

function shareOf<T>(items: readonly T[], accept: (item: T) => boolean): number {
  return round(items.filter(accept).length / items.length);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
