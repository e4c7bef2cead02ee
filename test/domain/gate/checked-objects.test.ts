import { expect, test } from "vitest";
import { checkedObjects, concernedObjects } from "../../../src/domain/gate/checked-objects.ts";
import type { ObjectChange } from "../../../src/domain/kubernetes/manifest-edit.ts";
import type { RenderedObject } from "../../../src/domain/kubernetes/rendered.ts";
import { aDeployment } from "../../policies.ts";

const uid = "5b0c1f4e-9a3d-5c7e-8f21-d6a0b3e4c592";

function scaled(name: string, namespace = "shop-production"): ObjectChange {
  return {
    object: { apiVersion: "apps/v1", kind: "Deployment", namespace, name },
    field: ["spec", "replicas"],
    from: undefined,
    to: 5,
  };
}

function anObject(apiVersion: string, kind: string, spec: object, metadata: object = {}): RenderedObject {
  return { apiVersion, kind, metadata: { name: "x", namespace: "shop-production", ...metadata }, spec };
}

function annotationsOf(objects: readonly RenderedObject[], kind: string) {
  return objects.find((object) => object.kind === kind)?.metadata.annotations as Record<string, string>;
}

test("a changed object says what changed and for which incident, its neighbours say nothing", () => {
  const { objects, missing } = checkedObjects([aDeployment("web"), aDeployment("catalog")], [scaled("web")], uid);
  expect(objects[0]?.metadata.annotations).toEqual({
    "rectify.dev/changes": '[{"path":"spec.replicas","from":null,"to":5}]',
    "rectify.dev/incident-uid": uid,
  });
  expect(objects[1]?.metadata.annotations).toEqual({});
  expect(missing).toEqual([]);
});

test("annotations of the gate that stand in Git are dropped, others are kept", () => {
  const forged = aDeployment(
    "web",
    {},
    { annotations: { "rectify.dev/changes": "[]", "rectify.dev/reserved": "{}", a: "b" } },
  );
  expect(checkedObjects([forged], [], uid).objects[0]?.metadata.annotations).toEqual({ a: "b" });
});

test("a change of an object that was not rendered is missing", () => {
  expect(checkedObjects([aDeployment("web")], [scaled("web", "other")], uid).missing).toEqual([
    "apps/v1/Deployment other/web",
  ]);
});

test("a commit that is reverted is named on what changes, and a mark in Git is none", () => {
  const sha = "6".repeat(40);
  const rendered = [aDeployment("web"), aDeployment("catalog", {}, { annotations: { "rectify.dev/reverts": sha } })];
  const { objects } = checkedObjects(rendered, [scaled("web")], uid, { reverts: sha });
  expect(objects[0]?.metadata.annotations).toMatchObject({ "rectify.dev/reverts": sha });
  expect(objects[1]?.metadata.annotations).toEqual({});
});

test("what goes with a commit that is reverted is told; nothing else may go", () => {
  const before = [aDeployment("web"), aDeployment("old")];
  const without = checkedObjects([aDeployment("web")], [scaled("old")], uid, { before });
  expect(without.missing).toEqual(["apps/v1/Deployment shop-production/old"]);
  const checked = checkedObjects([aDeployment("web")], [scaled("old")], uid, { before, reverts: "6".repeat(40) });
  expect(checked.missing).toEqual([]);
  expect(checked.uncounted).toEqual(["apps/v1/Deployment shop-production/old goes, and no policy judges what is gone"]);
});

const quota = anObject("v1", "ResourceQuota", { hard: { pods: "4" } });
const hpa = anObject("autoscaling/v2", "HorizontalPodAutoscaler", {
  scaleTargetRef: { kind: "Deployment", name: "web" },
  minReplicas: 3,
  maxReplicas: 8,
});

test("a quota is told what its namespace may reserve at most, autoscalers at their upper bound", () => {
  const elsewhere = aDeployment("web", {}, { namespace: "other" });
  const { objects, uncounted } = checkedObjects(
    [aDeployment("web"), aDeployment("catalog"), hpa, quota, elsewhere],
    [],
    uid,
  );
  const reserved = JSON.parse(annotationsOf(objects, "ResourceQuota")["rectify.dev/reserved"] ?? "{}");
  expect(reserved).toMatchObject({ pods: "10", "requests.cpu": "2500m", "limits.memory": String(10 * 256 * 2 ** 20) });
  expect(uncounted).toEqual([]);
});

test("a HelmRelease counts by its usual values, and is named when they are absent", () => {
  const values = { replicaCount: 2, resources: { requests: { cpu: "150m" } } };
  const release = (spec: object) => anObject("helm.toolkit.fluxcd.io/v2", "HelmRelease", spec);
  const counted = checkedObjects([release({ values }), quota], [], uid);
  expect(annotationsOf(counted.objects, "ResourceQuota")["rectify.dev/reserved"]).toContain('"requests.cpu":"300m"');
  expect(counted.uncounted).toEqual([]);
  expect(checkedObjects([release({}), quota], [], uid).uncounted).toEqual([
    "quota shop-production/x without helm.toolkit.fluxcd.io/v2/HelmRelease shop-production/x",
  ]);
});

test("what a quota cannot count is named", () => {
  const daemon = anObject("apps/v1", "DaemonSet", {});
  const broken = aDeployment("web", {
    template: { spec: { containers: [{ resources: { requests: { cpu: "lots" } } }] } },
  });
  expect(checkedObjects([daemon, broken, quota], [], uid).uncounted).toHaveLength(2);
  expect(checkedObjects([daemon, broken], [], uid).uncounted).toEqual([]);
});

test.each([
  ["its number", [], "2"],
  ["the lower bound of an autoscaler", [hpa], "3"],
])("a budget is told how many replicas it selects: %s", (_, more, replicas) => {
  const budget = anObject("policy/v1", "PodDisruptionBudget", { selector: { matchLabels: { app: "web" } } });
  const { objects } = checkedObjects([aDeployment("web"), aDeployment("catalog"), ...more, budget], [], uid);
  expect(annotationsOf(objects, "PodDisruptionBudget")["rectify.dev/selected-replicas"]).toBe(replicas);
});

test("a verdict concerns what changed and the budgets, quotas and autoscalers beside it", () => {
  const kept = concernedObjects([aDeployment("web"), aDeployment("catalog"), hpa, quota], [scaled("web")]);
  expect(kept.map((object) => object.kind)).toEqual(["Deployment", "HorizontalPodAutoscaler", "ResourceQuota"]);
});
