import { afterEach, expect, test } from "vitest";
import { kubernetes } from "../../../src/adapters/kubernetes/kubernetes.ts";
import { isRolledOut } from "../../../src/domain/kubernetes/workload-state.ts";
import { serveApi } from "../../../src/lab/cluster/servers/api-server.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A cluster whose only object is served at this path. */
async function clusterWith(end: string, object: object) {
  const missing = { status: 404, body: { kind: "Status", code: 404, reason: "NotFound", message: "not found" } };
  const nothing = { status: 200, body: { kind: "List", metadata: {}, items: [] } };
  const api = await serveApi(({ path }) => {
    if (path.endsWith("horizontalpodautoscalers")) return nothing;
    return path === `/apis/${end}` ? { status: 200, body: object } : missing;
  });
  closing.push(api.close);
  return kubernetes({ url: api.url, token: "t", cluster: "test" });
}

const template = { spec: { containers: [{ name: "c", image: "db:1", resources: { limits: { memory: "1Gi" } } }] } };
const metadata = { name: "db", namespace: "shop", generation: 2, labels: { app: "db" } };
const seen = { observedGeneration: 2 };
const at = (kind: string) => ({ kind, namespace: "shop", name: "db" });
const place = (group: string, plural: string) => `${group}/namespaces/shop/${plural}/db`;

test.each([
  [
    "Deployment",
    place("apps/v1", "deployments"),
    { replicas: 3 },
    { ...seen, readyReplicas: 3, updatedReplicas: 3 },
    3,
  ],
  [
    "StatefulSet",
    place("apps/v1", "statefulsets"),
    { replicas: 2 },
    { ...seen, readyReplicas: 2, updatedReplicas: 2 },
    2,
  ],
  [
    "DaemonSet",
    place("apps/v1", "daemonsets"),
    {},
    { ...seen, desiredNumberScheduled: 4, numberReady: 4, updatedNumberScheduled: 4 },
    4,
  ],
  [
    "Rollout",
    place("argoproj.io/v1alpha1", "rollouts"),
    { replicas: 5 },
    { observedGeneration: "2", readyReplicas: 5, updatedReplicas: 5 },
    5,
  ],
  ["ReplicaSet", place("apps/v1", "replicasets"), { replicas: 1 }, { ...seen, replicas: 1, readyReplicas: 1 }, 1],
  ["Job", place("batch/v1", "jobs"), { parallelism: 2 }, { ready: 2 }, 2],
] as const)("a %s has a state", async (...[kind, path, spec, status, replicas]) => {
  const cluster = await clusterWith(path, { metadata, spec: { ...spec, template }, status });
  const state = await cluster.workload(at(kind));
  expect(state).toMatchObject({ ...at(kind), replicas, readyReplicas: replicas, observed: true, images: ["db:1"] });
  expect(state?.resources).toEqual({ "limits.memory": "1Gi" });
  expect(state && isRolledOut(state)).toBe(true);
});

test.each([
  [
    "DaemonSet",
    place("apps/v1", "daemonsets"),
    { ...seen, desiredNumberScheduled: 4, numberReady: 3, updatedNumberScheduled: 4 },
  ],
  [
    "Rollout",
    place("argoproj.io/v1alpha1", "rollouts"),
    { observedGeneration: "1", readyReplicas: 1, updatedReplicas: 1 },
  ],
  ["Job", place("batch/v1", "jobs"), { ready: 0, failed: 3 }],
] as const)("a %s that is not there yet is not rolled out", async (kind, path, status) => {
  const cluster = await clusterWith(path, { metadata, spec: { replicas: 1, template }, status });
  const state = await cluster.workload(at(kind));
  expect(state && isRolledOut(state)).toBe(false);
});

test("a Job that is complete waits for nothing, and a CronJob never does", async () => {
  const conditions = [{ type: "Complete", status: "True" }];
  const job = await clusterWith(place("batch/v1", "jobs"), { metadata, spec: { template }, status: { conditions } });
  const done = await job.workload(at("Job"));
  expect(done && isRolledOut(done)).toBe(true);
  const spec = { schedule: "* * * * *", jobTemplate: { spec: { template } } };
  const cron = await clusterWith(place("batch/v1", "cronjobs"), { metadata, spec, status: {} });
  const state = await cron.workload(at("CronJob"));
  expect(state).toMatchObject({ images: ["db:1"], replicas: 0 });
  expect(state && isRolledOut(state)).toBe(true);
});

test("a Rollout that takes its pods from a Deployment has a state without images", async () => {
  const path = place("argoproj.io/v1alpha1", "rollouts");
  const spec = { replicas: 1, workloadRef: { apiVersion: "apps/v1", kind: "Deployment", name: "db" } };
  const cluster = await clusterWith(path, { metadata, spec, status: { observedGeneration: "2" } });
  expect(await cluster.workload(at("Rollout"))).toMatchObject({ replicas: 1, images: [] });
});

test("what is no workload is refused, and what is not there is undefined", async () => {
  const cluster = await clusterWith(place("apps/v1", "daemonsets"), { html: "Sign in" });
  await expect(cluster.workload(at("DaemonSet"))).rejects.toThrow(/the answer is no DaemonSet/);
  expect(await cluster.workload(at("StatefulSet"))).toBeUndefined();
  await expect(cluster.workload(at("Node"))).rejects.toThrow(/kind Node are not supported/);
});

test.each([
  ["DaemonSet", ["db-x2x4z"], ["db-7d9f-x2x4z", "db-other-0"]],
  ["Job", ["db-x2x4z", "db-0-x2x4z"], ["db-29384729-0-x2x4z"]],
  ["CronJob", ["db-29384729-x2x4z"], ["db-x2x4z"]],
  ["StatefulSet", ["db-0"], ["db-x2x4z"]],
] as const)("events of the pods of a %s are its own", async (kind, own, others) => {
  const api = await serveApi(({ path }) => {
    const items = path.endsWith("/events")
      ? [...own, ...others].map((name) => ({
          ...{ metadata: { name }, type: "Warning", reason: "BackOff", message: "m" },
          involvedObject: { kind: "Pod", name },
        }))
      : [];
    return { status: 200, body: { kind: "List", metadata: {}, items } };
  });
  closing.push(api.close);
  const cluster = kubernetes({ url: api.url, token: "t", cluster: "test" });
  const { events } = await cluster.surroundings(at(kind));
  expect(events.map((line) => line.split(" ")[2])).toEqual(own.map((name) => `${name}:`));
});
