import { describe, expect, test } from "vitest";
import { kyvernoEngine } from "../../../src/adapters/cli-tools/kyverno.ts";
import { checkedObjects } from "../../../src/domain/gate/checked-objects.ts";
import { findCounterOffer } from "../../../src/domain/remedy/counter-offer.ts";
import { policyLacks } from "../../../src/domain/gate/policy-report.ts";
import type { RenderedObject } from "../../../src/domain/kubernetes/rendered.ts";
import { aDeployment, kyvernoOptions, ourPolicies, realKyverno } from "../../policies.ts";

const real = await realKyverno();

describe.skipIf(real.kind === "absent")("with the real CLI", () => {
  const engine = kyvernoEngine(kyvernoOptions);
  const uid = "5b0c1f4e-9a3d-5c7e-8f21-d6a0b3e4c592";
  const judge = (files: { path: string; content: string }[], objects: readonly RenderedObject[]) =>
    engine.judge({ files, objects });

  function scaled(from: number, to: number) {
    const object = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop-production", name: "web" };
    const change = { object, field: ["spec", "replicas"], from, to };
    return checkedObjects([aDeployment("web", { replicas: to })], [change], uid).objects;
  }

  test("a sane change passes our policies", async () => {
    const verdict = await judge(ourPolicies(), scaled(2, 5));
    expect(verdict).toMatchObject({ kind: "passed", notEvaluated: [] });
    expect(policyLacks(verdict)).toEqual([]);
  });

  test("too many replicas are refused with the messages of both rules", async () => {
    const verdict = await judge(ourPolicies(), scaled(2, 12));
    expect(verdict.kind === "refused" && verdict.failures.map((failure) => failure.policy).sort()).toEqual([
      "rectify-growth",
      "rectify-replicas",
    ]);
  });

  test("the counter-offer is the largest number that passes", async () => {
    const offer = await findCounterOffer(12, 2, async (replicas) => {
      const verdict = await judge(ourPolicies(), scaled(2, replicas));
      if (verdict.kind === "passed") return { passes: true };
      return {
        passes: false,
        rule: verdict.kind === "refused" ? (verdict.failures[0]?.policy ?? "") : verdict.because,
      };
    });
    expect(offer).toEqual({ value: 6, rule: "rectify-growth" });
  });

  const policy = (name: string, spec: string) => ({
    path: `policies/${name}.yaml`,
    content: `apiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\nmetadata:\n  name: ${name}\nspec:\n${spec}`,
  });
  const match = (resource: string) =>
    `  matchConstraints:\n    resourceRules:\n      - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [${resource}]}\n`;
  const rule = (expression: string) => `  validations:\n    - {expression: "${expression}", message: no}\n`;
  const good = policy("good", match("deployments") + rule("object.spec.replicas < 5"));

  test.each<[string, { path: string; content: string }[], RegExp]>([
    ["a broken policy file", [good, { path: "policies/b.yaml", content: "a: [" }], /b.yaml: is not YAML/],
    ["an empty policy directory", [], /no policy that can be judged/],
    [
      "a typing error in the resource name",
      [good, policy("typo", match("deploymets") + rule("false"))],
      /matches deploymets/,
    ],
    ["an expression that does not compile", [good, policy("odd", match("deployments") + rule("object.spec.("))], /./],
    [
      "an expression that fails on the object",
      [policy("absent", match("deployments") + rule("object.spec.nope > 1"))],
      /failed on|does not name/,
    ],
  ])("K02: %s gives no verdict", async (_, files, because) => {
    expect(await judge(files, [aDeployment("web")])).toMatchObject({
      kind: "not-evaluated",
      because: expect.stringMatching(because),
    });
  });

  test("K03: a policy that asks the cluster is listed, not answered from the given files", async () => {
    const asking = policy(
      "asking",
      match("deployments") + rule("resource.List('apps/v1', 'deployments', 'x').items.size() < 9"),
    );
    const verdict = await judge([good, asking], [aDeployment("web")]);
    expect(verdict).toMatchObject({
      kind: "passed",
      notEvaluated: ["policy asking: it asks the cluster for other objects"],
    });
    expect(policyLacks(verdict)).toHaveLength(1);
  });

  test("an object that stands twice in the repository is judged twice: the CLI would panic", async () => {
    const web = (replicas: number) => aDeployment("web", { replicas });
    expect(await judge([good], [web(2), web(3)])).toMatchObject({ kind: "passed", results: [{}, {}] });
    for (const objects of [
      [web(2), web(9)],
      [web(9), web(2)],
    ])
      expect(await judge([good], objects)).toMatchObject({ kind: "refused", failures: [{ policy: "good" }] });
  });

  test("K04: an audit policy that fails is shown and does not block", async () => {
    const audit = policy(
      "audit",
      `  validationActions: [Audit]\n${match("deployments")}${rule("object.spec.replicas > 5")}`,
    );
    const verdict = await judge([good, audit], [aDeployment("web")]);
    expect(verdict.kind).toBe("passed");
    expect(policyLacks(verdict)).toEqual(["policy audit warns: no"]);
  });

  test("a condition that leaves out the object is a skip, not a gap", async () => {
    const condition = `  matchConditions:\n    - {name: x, expression: "object.metadata.name == 'other'"}\n`;
    const verdict = await judge(
      [good, policy("picky", match("deployments") + condition + rule("false"))],
      [aDeployment("web")],
    );
    expect(verdict).toMatchObject({ kind: "passed", notEvaluated: [] });
  });
});
