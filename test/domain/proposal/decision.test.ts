import { expect, test } from "vitest";
import { closeReasonOf, decisionFor, type DecisionFacts } from "../../../src/domain/proposal/decision.ts";

const place = { base: "main", defaultBranch: "main", branch: "rectify/web", draft: false, fromFork: false };
const facts = (changes: Partial<DecisionFacts> = {}): DecisionFacts =>
  ({
    ...{ effect: "e", headSha: "h", branch: "rectify/web", alertFiring: true, overdue: false, stopped: undefined },
    ...{ selfMergeLacks: ["an approval"], approvalsNeeded: 1 },
    standing: { approvals: [], rejectedBy: undefined, held: false, refusal: "" },
    proposal: { state: "open", headSha: "h", requiredChecks: [], place, mergedSha: undefined, mergedBy: undefined },
    ...changes,
  }) as unknown as DecisionFacts;

const closed = (changes: Partial<DecisionFacts>) => {
  const decision = decisionFor(facts(changes));
  if (decision.kind !== "close") throw new Error(`it is not closed: ${decision.kind}`);
  return decision;
};

test("a proposal that closes though nobody said no carries the reason as a value", () => {
  expect(closeReasonOf(closed({ overdue: true }))).toBe("undecided");
  expect(closeReasonOf(closed({ overtaken: "the load is back, in whatever words" }))).toBe("overtaken");
});

test("what people decided, and an alert that resolved, are no such reason", () => {
  const rejected = { approvals: [], rejectedBy: "ann", held: false, refusal: "" };
  expect(closeReasonOf(closed({ standing: rejected, overdue: true, overtaken: "x" }))).toBeUndefined();
  expect(closeReasonOf(closed({ alertFiring: false, overdue: true }))).toBeUndefined();
});

test("a decision that an older release put on record is understood by its sentence", () => {
  expect(closeReasonOf({ because: "nobody decided in time" })).toBe("undecided");
  expect(closeReasonOf({ because: "an alert fires again: the capacity is needed" })).toBe("overtaken");
  expect(closeReasonOf({ because: "closed by a person" })).toBeUndefined();
});
