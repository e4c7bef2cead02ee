import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubernetes } from "../../../src/adapters/kubernetes/kubernetes.ts";
import type { Cluster } from "../../../src/ports/kubernetes.ts";
import { Refused } from "../../../src/ports/errors.ts";
import { openShop, type TestShop } from "../../lab/cluster-shop.ts";
import { expectFailure, letdowns, patienceFor, sourceOf } from "../monitoring/sources.ts";

const workload = (name: string, kind = "Deployment") => ({ kind, namespace: "shop-production", name });
const web = workload("web");
let shop: TestShop;
let cluster: Cluster;
beforeAll(async () => {
  shop = await openShop({}, { quotaCpu: "2.2" });
  cluster = readerOf(shop.cluster.urls.kubernetes);
});
afterAll(() => shop.cluster.close());

function readerOf(url: string, deadlineMs = patienceFor()): Cluster {
  return kubernetes({ url, token: "t", cluster: "lab", deadlineMs });
}

test("a workload with its rollout, its images and its autoscaler", async () => {
  expect(await cluster.workload(web)).toMatchObject({
    ...{ replicas: 2, readyReplicas: 2, updatedReplicas: 2, observed: true },
    images: ["registry.example/web:1.0.0"],
  });
  expect(await cluster.workload(workload("checkout"))).toMatchObject({
    scaledBy: { kind: "HorizontalPodAutoscaler", name: "checkout", min: 3, max: 8 },
  });
  expect(await cluster.workload(workload("absent"))).toBeUndefined();
});

test("the marks of Flux lead to the entry and to the applied commit", async () => {
  const state = await cluster.workload(web);
  if (!state) throw new Error("web is missing");
  const entry = await cluster.entryOf(state);
  expect(entry).toMatchObject({
    ...{ tool: "flux", path: "manifests/shop", cluster: "lab" },
    object: "Kustomization flux-system/shop",
    spec: expect.objectContaining({ path: "./manifests/shop" }) as object,
  });
  expect(await cluster.appliedRevision(entry)).toEqual({ kind: "applied", sha: shop.cluster.appliedRevision() });
  const missing = { ...entry, object: "Kustomization flux-system/absent" };
  expect(await cluster.appliedRevision(missing)).toMatchObject({ kind: "unknown" });
});

test("what stands around a workload: rollouts, quota, refusals, kills, node pressure, autoscaler", async () => {
  shop.merge({ web: 2, webTag: "1.0.1", quotaCpu: "2.2" });
  await shop.cluster.advance(3_000);
  shop.merge({ web: 9, webTag: "1.0.1", quotaCpu: "2.2" });
  await shop.cluster.advance(2_000);
  shop.cluster.oomKill("web");
  for (const node of ["node-1", "node-2", "node-3"]) shop.cluster.setNodeCondition(node, "MemoryPressure", true);
  const around = await cluster.surroundings(web);
  expect(Object.keys(around.rollouts).sort()).toEqual(["1", "2"]);
  expect(around.events).toContainEqual(
    expect.stringMatching(/^Warning FailedCreate web-[a-z0-9]+: .*exceeded quota: shop/),
  );
  expect(around.events.every((line) => / web(-[a-z0-9]+)*:/.test(line))).toBe(true);
  expect(around.quotas).toContainEqual({
    quota: "shop",
    resource: "requests.cpu",
    used: expect.any(String),
    hard: "2.2",
  });
  expect(around.terminations).toContainEqual(
    expect.objectContaining({ container: "web", reason: "OOMKilled", exitCode: 137, restarts: 1 }),
  );
  expect(around.nodePressures).toContainEqual(expect.stringMatching(/^node-\d: MemoryPressure$/));
  expect(around.notes).toEqual([]);
  const { autoscaler } = await cluster.surroundings(workload("checkout"));
  expect(autoscaler).toMatchObject({ name: "checkout", current: 3, min: 3, max: 8 });
});

describe.each(letdowns)("when Kubernetes %s", (_, fault, kind) => {
  test("the reader says so", async () => {
    shop.cluster.setFault("kubernetes", fault);
    const cluster = readerOf(shop.cluster.urls.kubernetes, patienceFor(fault));
    await expectFailure(cluster.workload(web), kind, /^Kubernetes: reading Deployment shop-production\/web/);
    await expectFailure(cluster.surroundings(web), kind, /^Kubernetes: listing/);
    shop.cluster.setFault("kubernetes", undefined);
  });
});

test("a list that was cut says so", async () => {
  shop.cluster.setFault("kubernetes", { kind: "partial" });
  const { notes } = await cluster.surroundings(web);
  shop.cluster.setFault("kubernetes", undefined);
  expect(notes).toContainEqual(expect.stringMatching(/only the first \d+ events in shop-production were read/));
});

test("a list of another shape is refused", async () => {
  const source = await sourceOf({ status: 200, body: { hello: "world" } });
  await expectFailure(readerOf(source.url).surroundings(web), Refused, /no list/);
  await source.close();
});

test("a kind that is not supported is refused", async () => {
  await expectFailure(cluster.workload(workload("web", "Node")), Refused, /Node/);
});

test("nothing was ever written", () => {
  expect(shop.cluster.writesAttempted).toEqual([]);
});
