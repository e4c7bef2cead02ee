import { parseArgs } from "node:util";
import fc from "fast-check";
import { editCases, violation } from "../manifests/edit-cases.ts";

/** Many generated manifests, each edited once: bytes outside the edit are equal, and only the named field differs. */
const { values } = parseArgs({ options: { runs: { type: "string", default: "100000" }, seed: { type: "string" } } });
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const started = performance.now();
const details = fc.check(
  fc.property(editCases, (one) => {
    const wrong = violation(one);
    if (wrong !== undefined) throw new Error(wrong);
  }),
  { numRuns: Number(values.runs), seed },
);
const counterexample = details.failed
  ? { counterexample: details.counterexample, error: String(details.errorInstance) }
  : {};
console.log(
  JSON.stringify({
    passed: !details.failed,
    runs: details.numRuns,
    seed,
    seconds: Math.round((performance.now() - started) / 100) / 10,
    ...counterexample,
  }),
);
process.exitCode = details.failed ? 1 : 0;
