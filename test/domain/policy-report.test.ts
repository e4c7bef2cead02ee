import { describe, expect, test } from "vitest";
import type { Policy } from "../../src/domain/policy.ts";
import { notEvaluated, policyLacks, readPolicyReport } from "../../src/domain/policy-report.ts";
import { aDeployment } from "../policies.ts";

const web = aDeployment("web");
const policy: Policy = {
  name: "ceiling",
  kind: "ValidatingPolicy",
  path: "policies/ceiling.yaml",
  audit: false,
  needs: undefined,
  selective: false,
  matches: [{ groups: ["apps"], versions: ["v1"], resources: ["deployments"] }],
};

function item(changes: object = {}) {
  return {
    policy: "ceiling",
    result: "pass",
    message: "success",
    resources: [{ apiVersion: "apps/v1", kind: "Deployment", namespace: "shop-production", name: "web" }],
    properties: {},
    ...changes,
  };
}

function verdict(results: readonly object[], policies: readonly Policy[] = [policy]) {
  const report = { kind: "ClusterReport", apiVersion: "openreports.io/v1alpha1", results };
  return readPolicyReport(JSON.stringify(report), { policies, objects: [web] });
}

describe("the verdict", () => {
  test("passes when every expected pair passed", () => {
    const passed = verdict([item()]);
    expect(passed.kind).toBe("passed");
    expect(policyLacks(passed)).toEqual([]);
  });

  test("refuses with message and number of the validation", () => {
    const refused = verdict([
      item({ result: "fail", message: "too many", properties: { "cel.validationIndex": "1" }, severity: "high" }),
    ]);
    expect(refused).toMatchObject({
      kind: "refused",
      failures: [
        {
          policy: "ceiling",
          object: "apps/v1/Deployment shop-production/web",
          message: "too many",
          validation: 1,
          severity: "high",
        },
      ],
    });
  });

  test.each<[string, readonly object[], RegExp]>([
    ["nothing in the report", [], /does not name policy ceiling on apps\/v1\/Deployment shop-production\/web/],
    [
      "another object only",
      [item({ resources: [{ apiVersion: "apps/v1", kind: "Deployment", namespace: "x", name: "web" }] })],
      /does not name/,
    ],
    ["another policy only", [item({ policy: "other" })], /does not name/],
    ["an error", [item({ result: "error", message: "no such key" })], /policy ceiling failed on .*: no such key/],
  ])("is none with %s", (_, results, because) => {
    expect(verdict(results)).toMatchObject({ kind: "not-evaluated", because: expect.stringMatching(because) });
  });

  test.each([
    ["nothing", ""],
    ["garbage", "panic: runtime error"],
    ["cut JSON", '{"kind":"ClusterReport","results":[{"pol'],
    ["another object", '{"kind":"List","items":[]}'],
    ["an unknown result", JSON.stringify({ kind: "ClusterReport", results: [item({ result: "maybe" })] })],
  ])("is none when the CLI printed %s", (_, json) => {
    expect(readPolicyReport(json, { policies: [policy], objects: [web] }).kind).toBe("not-evaluated");
  });

  test("a failure refuses even when others are missing", () => {
    expect(verdict([item({ result: "fail" })], [policy, { ...policy, name: "second" }]).kind).toBe("refused");
  });

  test("an audit failure is shown, blocks nothing and lets nothing merge by itself", () => {
    const passed = verdict([item({ result: "fail", message: "too many" })], [{ ...policy, audit: true }]);
    expect(passed.kind).toBe("passed");
    expect(policyLacks(passed)).toEqual(["policy ceiling warns: too many"]);
  });

  test("a policy that needs the cluster is listed and lets nothing merge by itself", () => {
    const needs = "it asks the cluster for other objects";
    const passed = verdict([item()], [policy, { ...policy, name: "quota", needs }]);
    expect(passed.kind).toBe("passed");
    expect(policyLacks(passed)).toEqual([`not evaluated here: policy quota: ${needs}`]);
  });

  test("a selective policy may skip an object, another may not", () => {
    expect(policyLacks(verdict([item({ result: "skip" })], [{ ...policy, selective: true }]))).toEqual([]);
    expect(policyLacks(verdict([item({ result: "skip" })]))).toHaveLength(1);
  });

  test("without an object or without a policy there is no verdict", () => {
    const report = JSON.stringify({ kind: "ClusterReport", results: null });
    expect(readPolicyReport(report, { policies: [policy], objects: [] }).kind).toBe("not-evaluated");
    expect(readPolicyReport(report, { policies: [], objects: [web] }).kind).toBe("not-evaluated");
  });
});

test("no verdict says why nothing merges by itself", () => {
  expect(policyLacks(notEvaluated("the CLI is absent"))).toEqual(["no policy verdict: the CLI is absent"]);
});
