import { expect, test } from "vitest";
import { type Found, fitGuardrails } from "../../../src/commands/setup/fitted.ts";

const check = { name: "ci", app: 7 };
const found: Found = {
  editable: new Map([
    ["shop", 3],
    ["cart", 1],
    ["monitoring", 2],
    ["kube-system", 1],
    ["batch", 1],
    ["dark", 1],
  ]),
  measured: new Map([
    ["shop", true],
    ["monitoring", true],
    ["kube-system", true],
    ["batch", false],
    ["dark", undefined],
  ]),
  infrastructure: new Set(["monitoring"]),
  requiredChecks: [check],
};

test("namespaces are proposed where a change could be made and seen to help, the others with the reason", () => {
  const { namespaces, requiredChecks, reasons } = fitGuardrails(found, undefined);
  expect(namespaces).toEqual(["cart", "dark", "shop"]);
  expect(requiredChecks).toEqual([check]);
  expect(reasons).toEqual([
    "`cart`: 1 workload that can be edited, Prometheus could not be asked.",
    "`dark`: 1 workload that can be edited, Prometheus could not be asked.",
    "`shop`: 3 workloads that can be edited, has metrics.",
    "`batch` is left out: Prometheus has no metrics of it.",
    "`kube-system` is left out: it belongs to Kubernetes.",
    "`monitoring` is left out: Rectify, or what it depends on, runs there.",
    "`ci` must be green: the default branch requires it.",
  ]);
});

test("what a person asks for counts before what was found", () => {
  const { namespaces, reasons } = fitGuardrails(found, ["batch"]);
  expect(namespaces).toEqual(["batch"]);
  expect(reasons[0]).toBe("`batch` was asked for: 1 workload that can be edited, Prometheus has no metrics.");
  expect(reasons).toContain("`shop` is left out: it was not asked for.");
});
