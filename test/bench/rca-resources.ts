import { diagnoseSignals } from "../../src/domain/root-cause/diagnose-signals.ts";
import { signalsOf } from "../../src/domain/root-cause/signals.ts";
import { rankSymptom } from "../../src/domain/root-cause/symptom.ts";
import { type FaultKind, type FaultCase, incidentOfFault } from "./rca/resource-faults.ts";

/**
 * `tsx test/bench/rca-resources.ts FROM TO [--cases]`: the whole diagnosis on made-up applications whose resources
 * alone are measured (`rca/resource-faults.ts`), for the seeds FROM to TO. One JSON object: right first, named but not
 * among the first three (wrong), and abstained, by kind of fault, by where it begins, and by whether the alert's start
 * is known; for windows without a fault the share in which something is named.
 */
const [from = 1, to = 20] = process.argv.slice(2).map(Number);
const verbose = process.argv.includes("--cases");
const kinds: readonly FaultKind[] = ["cpu", "memory", "throttling"];
const begins = [0, 0.3, 0.7];

interface Result {
  readonly faultCase: FaultCase;
  readonly rank: number;
  readonly named: number;
}

const seeds = Array.from({ length: to - from + 1 }, (_, index) => from + index);
const faults = seeds.flatMap((seed) =>
  kinds.flatMap((kind) =>
    begins.flatMap((begin) => [true, false].map((known) => resultOf({ seed, kind, begin, known }))),
  ),
);
const quiet = seeds.flatMap((seed) =>
  [0, 0.5].flatMap((begin) => [true, false].map((known) => resultOf({ seed, kind: "none", begin, known }))),
);
const by = (keyOf: (faultCase: FaultCase) => unknown) =>
  Object.fromEntries(
    [...new Set(faults.map(({ faultCase }) => String(keyOf(faultCase))))].map((key) => [
      key,
      scoresOf(faults.filter(({ faultCase }) => String(keyOf(faultCase)) === key)),
    ]),
  );
console.log(
  JSON.stringify({
    ...{ all: scoresOf(faults), kinds: by(({ kind }) => kind), begins: by(({ begin }) => begin) },
    ...{ known: by(({ known }) => known), quiet: { n: quiet.length, named: shareOf(quiet, ({ named }) => named > 0) } },
  }),
);

function resultOf(faultCase: FaultCase): Result {
  const { incident, evidence, culprit } = incidentOfFault(faultCase);
  const ranking = rankSymptom(incident.workload, evidence);
  const diagnosis = diagnoseSignals(signalsOf(incident, evidence, ranking));
  const causes = diagnosis.kind === "diagnosed" ? diagnosis.causes : [];
  const named = [...new Set(causes.map(({ workload }) => workload.name))];
  const rank = culprit === undefined ? -1 : named.indexOf(culprit);
  if (verbose && (culprit === undefined ? named.length > 0 : rank !== 0)) {
    const lines = ranking.suspects.map(({ workload, score, confidence, because }) => {
      return `   ${score.toFixed(2)} ${confidence} ${workload.name}: ${because.join("; ")}`;
    });
    console.log(
      [`${JSON.stringify(faultCase)} ${culprit ?? "nobody"} → ${named.join(" ") || "abstained"}`, ...lines].join("\n"),
    );
  }
  return { faultCase, rank, named: named.length };
}

function scoresOf(results: readonly Result[]) {
  return {
    n: results.length,
    top1: shareOf(results, ({ rank }) => rank === 0),
    wrong: shareOf(results, ({ rank, named }) => named > 0 && (rank < 0 || rank > 2)),
    abstained: shareOf(results, ({ named }) => named === 0),
  };
}

function shareOf<T>(items: readonly T[], accept: (item: T) => boolean): number {
  return items.length === 0 ? 0 : Math.round((items.filter(accept).length / items.length) * 1000) / 1000;
}
