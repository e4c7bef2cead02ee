import { expect, test } from "vitest";
import { branchOf, titleAs } from "../../../src/domain/proposal/wording.ts";
import { parseGuardrails } from "../../../src/domain/guardrails/guardrails.ts";

const workload = (name: string, namespace = "shop") => ({ kind: "Deployment", namespace, name });
const byDefault = { branchPrefix: "rectify/" };

test.each([
  ["as it always was, without a cluster's name", workload("web"), "default", byDefault, "rectify/shop-web"],
  ["with the cluster's name", workload("web"), "prod-eu", byDefault, "rectify/prod-eu/shop-web"],
  ["with the prefix of the guardrails", workload("web"), "default", { branchPrefix: "bot/" }, "bot/shop-web"],
  ["git refuses .lock", workload("a.lock"), "default", byDefault, "rectify/shop-a-lock"],
  ["a cluster's name may be anything", workload("web"), "eu west:1..x", byDefault, "rectify/eu-west-1.x/shop-web"],
])("the branch: %s", (...[, of, cluster, rules, branch]) => {
  expect(branchOf(of, cluster, rules)).toBe(branch);
});

test("two clusters never share a branch", () => {
  const one = branchOf(workload("c", "b"), "a", byDefault);
  const other = branchOf(workload("c", "a-b"), "default", byDefault);
  expect(one).not.toBe(other);
});

const history = (fitting: number, others: number) => [
  ...Array<string>(fitting).fill("feat(web): more"),
  ...Array<string>(others).fill("More"),
];

test.each([
  ["as it is", {}, history(0, 9), "Scale web to 4"],
  ["as a conventional commit where the history has them", {}, history(8, 2), "fix: scale web to 4"],
  [
    "merges do not count",
    {},
    [...history(6, 0), ...Array<string>(9).fill("Merge pull request #1")],
    "fix: scale web to 4",
  ],
  ["a history of few says nothing", {}, history(4, 0), "Scale web to 4"],
  ["half of them is not the habit", {}, history(5, 5), "Scale web to 4"],
  [
    "by the template, whatever the history says",
    { titleTemplate: "OPS-1 {title}" },
    history(9, 0),
    "OPS-1 Scale web to 4",
  ],
  ["a template's dollar is a dollar", { titleTemplate: "$& {title}" }, [], "$& Scale web to 4"],
])("the title: %s", (_, rules, subjects, title) => {
  expect(titleAs("Scale web to 4", rules, subjects)).toBe(title);
});

test.each([
  [{ branchPrefix: "/x/" }, false],
  [{ branchPrefix: "a..b/" }, false],
  [{ branchPrefix: "rectify" }, false],
  [{ branchPrefix: "team-a/rectify-" }, true],
  [{ titleTemplate: "fix: something" }, false],
  [{ titleTemplate: "fix: {title}\nx" }, false],
  [{ titleTemplate: "fix(ops): {title}" }, true],
])("the guardrails hold %o to what GitHub takes", (fields, ok) => {
  expect(parseGuardrails(fields).ok).toBe(ok);
});
