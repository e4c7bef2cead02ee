import { describe, expect, test } from "vitest";
import {
  admissionOf,
  type Evaluation,
  evaluationOf,
  percentile,
  type ReplayedAnswer,
  renderEvaluations,
} from "../../../src/domain/llm/evaluation.ts";

const expected = { cause: "c1", remedy: "r1" };
const right = { kind: "answered", cause: "c1", remedy: "r1" } as const;
const wrongRemedy = { kind: "answered", cause: "c1", remedy: "r2" } as const;
const silent = { kind: "abstained", because: "no answer" } as const;
const broken = { kind: "unusable", because: "cut" } as const;

function replayed(answers: readonly ReplayedAnswer["answer"][], slowest = 100): ReplayedAnswer[] {
  return answers.map((answer, i) => ({ incident: `i${i}`, expected, answer, durationMs: i === 0 ? slowest : 10 }));
}

function judged(answers: readonly ReplayedAnswer["answer"][], slowest = 100): Evaluation {
  const evaluation = evaluationOf("m", replayed(answers, slowest));
  if (evaluation === undefined) throw new Error("unreachable");
  return evaluation;
}

const many = (answer: ReplayedAnswer["answer"], count: number) => Array.from({ length: count }, () => answer);

describe("a model", () => {
  test("is counted over all cases", () => {
    expect(judged([right, right, wrongRemedy, silent, broken])).toMatchObject({
      accuracy: 0.4,
      wrong: 0.2,
      abstention: 0.2,
      unusable: 0.2,
      latencyMs: { p50: 10, p95: 100, p99: 100 },
    });
  });

  test("is not judged without cases", () => {
    expect(evaluationOf("m", [])).toBeUndefined();
  });

  const current = judged([...many(right, 18), wrongRemedy, silent]);
  test.each<[string, Evaluation, string | undefined]>([
    ["the same", current, undefined],
    ["better", judged(many(right, 20)), undefined],
    ["silent where the other was wrong", judged([...many(right, 18), silent, silent]), undefined],
    ["less accurate", judged([...many(right, 17), ...many(silent, 3)]), "accuracy is lower: 90.0 % against 85.0 %"],
    [
      "wrong where the other was silent",
      judged([...many(right, 18), wrongRemedy, wrongRemedy]),
      "more answers are wrong",
    ],
    [
      "unusable where the other was silent",
      judged([...many(right, 18), wrongRemedy, broken]),
      "more answers are unusable",
    ],
    ["slower", judged([...many(right, 19), silent], 200), "p99 is slower: 200 ms, was 100 ms"],
    ["asked less", judged(many(right, 19)), "the two were asked different questions"],
  ])("is admitted only if not worse: %s", (_, candidate, against) => {
    const admission = admissionOf(candidate, current);
    expect(admission.admitted).toBe(against === undefined);
    expect(admission.against.join("\n")).toContain(against ?? "");
  });

  test("is not admitted on a handful of cases", () => {
    const few = judged(many(right, 5));
    expect(admissionOf(few, few)).toEqual({ admitted: false, against: ["only 5 cases, 20 are needed"] });
  });

  test("has a row in the table", () => {
    expect(renderEvaluations([judged([right, silent])]).split("\n")).toEqual([
      "| model | cases | accuracy | wrong | abstained | unusable | p50 | p95 | p99 |",
      "|---|---|---|---|---|---|---|---|---|",
      "| m | 2 | 50.0 % | 0.0 % | 50.0 % | 0.0 % | 10 ms | 100 ms | 100 ms |",
    ]);
  });
});

test.each([
  [50, 2],
  [75, 3],
  [76, 4],
  [99, 4],
])("the %i. percentile of 1 to 4 is %i", (percent, value) => {
  expect(percentile([1, 2, 3, 4], percent)).toBe(value);
});
