import { describe, expect, test } from "vitest";
import type { Policy } from "../../../src/domain/gate/policy.ts";
import { batchesOf, notEvaluated, policyLacks, readPolicyReports } from "../../../src/domain/gate/policy-report.ts";
import { aDeployment } from "../../policies.ts";

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
  return readPolicyReports([{ json: JSON.stringify(report), objects: [web] }], policies);
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
    expect(readPolicyReports([{ json, objects: [web] }], [policy]).kind).toBe("not-evaluated");
  });

  test("a failure refuses even when others are missing", () => {
    expect(verdict([item({ result: "fail" })], [policy, { ...policy, name: "second" }]).kind).toBe("refused");
  });

  test("a policy that denies and is not scored refuses, although the CLI calls it a warning", () => {
    const unscored = item({ result: "warn", message: "too many", properties: { scored: "false" } });
    expect(verdict([unscored])).toMatchObject({ kind: "refused", failures: [{ policy: "ceiling", result: "fail" }] });
    expect(verdict([unscored], [{ ...policy, audit: true }]).kind).toBe("passed");
  });

  test("an audit failure is shown, blocks nothing and lets nothing auto-merge", () => {
    const passed = verdict([item({ result: "fail", message: "too many" })], [{ ...policy, audit: true }]);
    expect(passed.kind).toBe("passed");
    expect(policyLacks(passed)).toEqual(["policy ceiling warns: too many"]);
  });

  test("a policy that needs the cluster is listed and lets nothing auto-merge", () => {
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
    expect(readPolicyReports([{ json: report, objects: [] }], [policy]).kind).toBe("not-evaluated");
    expect(readPolicyReports([{ json: report, objects: [web] }], []).kind).toBe("not-evaluated");
  });
});

test("no verdict says why nothing is auto-merged", () => {
  expect(policyLacks(notEvaluated("the CLI is absent"))).toEqual(["no policy verdict: the CLI is absent"]);
});

describe("an object that a repository defines twice", () => {
  const second = aDeployment("web", { replicas: 9 });
  const api = aDeployment("api");
  const { namespace: _namespace, ...nowhere } = web.metadata;

  test.each([
    ["nothing", [], []],
    ["objects of their own", [web, api], [[web, api]]],
    ["the same object three times", [web, api, second, web], [[web, api], [second], [web]]],
    [
      "no namespace and the default one",
      [
        { ...web, metadata: nowhere },
        { ...web, metadata: { ...nowhere, namespace: "default" } },
      ],
      [[{ ...web, metadata: nowhere }], [{ ...web, metadata: { ...nowhere, namespace: "default" } }]],
    ],
    ["another version", [web, { ...web, apiVersion: "apps/v2" }], [[web, { ...web, apiVersion: "apps/v2" }]]],
  ])("%s: no batch holds it twice, and none is lost", (_what, objects, batches) => {
    expect(batchesOf(objects)).toEqual(batches);
  });

  const report = (...results: object[]) => JSON.stringify({ kind: "ClusterReport", results });
  const both = (first: string, then: string) =>
    readPolicyReports(
      [
        { json: first, objects: [web] },
        { json: then, objects: [second] },
      ],
      [policy],
    );

  test("is refused when the policies refuse either definition", () => {
    const fail = item({ result: "fail", message: "too many" });
    for (const verdictOfBoth of [both(report(fail), report(item())), both(report(item()), report(fail))])
      expect(verdictOfBoth).toMatchObject({ kind: "refused", failures: [{ message: "too many" }] });
  });

  test("passes when both passed, and a verdict on one of them is none on the other", () => {
    expect(both(report(item()), report(item()))).toMatchObject({ kind: "passed", notEvaluated: [] });
    expect(both(report(item(), item()), report())).toMatchObject({
      kind: "not-evaluated",
      because: "the report does not name policy ceiling on apps/v1/Deployment shop-production/web",
    });
    expect(both(report(item()), "panic")).toEqual(notEvaluated("the report of the Kyverno CLI cannot be read"));
  });

  test("a batch that no policy looks at does not stand against the rest", () => {
    const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c", namespace: "shop-production" } };
    const judged = [
      { json: report(item()), objects: [web, config] },
      { json: report(), objects: [config] },
    ];
    expect(readPolicyReports(judged, [policy]).kind).toBe("passed");
  });
});
