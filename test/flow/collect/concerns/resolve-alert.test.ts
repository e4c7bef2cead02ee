import { expect, test } from "vitest";
import { Refused, Unavailable } from "../../../../src/ports/errors.ts";
import type { LinkedObject } from "../../../../src/ports/kubernetes.ts";
import { resolveAlert } from "../../../../src/flow/collect/concerns/resolve-alert.ts";
import { anAlert } from "../../../builders.ts";
import { concernsIn, type KnownCluster, knownObjects } from "../../../concerns.ts";

const owner = (kind: string, name: string): LinkedObject => ({ owner: { kind, name } });
const podOf = (name: string, kind: string, ownerName: string) => ({
  ...{ namespace: "shop", name, owner: { kind, name: ownerName } },
});

const shop: KnownCluster = {
  objects: {
    "replicaset shop/web-7d9f": owner("Deployment", "web"),
    "replicaset shop/canary-1": owner("Rollout", "canary"),
    "replicaset shop/bare-set": {},
    "horizontalpodautoscaler shop/scale-web": { target: { kind: "Deployment", name: "web" } },
    "scaledobject shop/queue": { target: { kind: "Deployment", name: "worker" } },
    "verticalpodautoscaler shop/v": { target: { kind: "StatefulSet", name: "db" } },
    "job shop/nightly-123": owner("CronJob", "nightly"),
    "job shop/once": {},
    "poddisruptionbudget shop/web": { selector: "app=web" },
    "service shop/web": { selector: "app=web" },
    "service shop/both": { selector: "tier=front" },
    "service shop/headless": {},
    "ingress shop/front": { services: ["web"] },
    "ingress shop/mixed": { services: ["web", "db"] },
    "service shop/db": { selector: "app=db" },
    "statefulset shop/db": {},
    "service shop/asleep": { selector: "app=asleep" },
    "poddisruptionbudget shop/asleep": { selector: "app=asleep" },
    "ingress shop/asleep-front": { services: ["asleep"] },
    "deployment shop/asleep": {},
    "deployment shop/removed": {},
    "ingress shop/removed-front": { services: ["removed"] },
    "service shop/stray": { selector: "app=stray" },
    "service shop/switched": { selector: "app=switched-v2,tier=front-new" },
    "deployment shop/switched": {},
    "deployment shop/switched-v2": {},
  },
  pods: [
    {
      ...podOf("web-7d9f-aaaaa", "ReplicaSet", "web-7d9f"),
      labels: { app: "web", tier: "front" },
      containers: ["app"],
      address: "10.0.0.7",
    },
    {
      ...podOf("web-7d9f-bbbbb", "ReplicaSet", "web-7d9f"),
      labels: { app: "web", tier: "front" },
      containers: ["app"],
    },
    { ...podOf("canary-1-x", "ReplicaSet", "canary-1"), labels: { tier: "front" }, containers: ["canary"] },
    { ...podOf("db-0", "StatefulSet", "db"), labels: { app: "db" }, claims: ["data-db-0"], containers: ["postgres"] },
    { ...podOf("nightly-123-x", "Job", "nightly-123") },
    // Named like a pod of web, and none of its.
    { namespace: "shop", name: "web-7d9f-ccccc" },
  ],
};

async function led(labels: Record<string, string>, known = shop) {
  const concern = await concernsIn(known).of(anAlert({ name: "A", labels: { namespace: "shop", ...labels } }));
  return concern.kind === "workload" ? `${concern.workload.kind}/${concern.workload.name}` : concern;
}

test.each<[string, Record<string, string>, string]>([
  ["a pod leads through its owners", { pod: "web-7d9f-aaaaa" }, "Deployment/web"],
  ["a pod of a Rollout", { pod: "canary-1-x" }, "Rollout/canary"],
  ["a pod of a StatefulSet", { pod: "db-0" }, "StatefulSet/db"],
  ["a pod of a Job of a CronJob", { pod: "nightly-123-x" }, "CronJob/nightly"],
  ["a bare pod is its own, whatever it is called", { pod: "web-7d9f-ccccc" }, "Pod/web-7d9f-ccccc"],
  ["an autoscaler by what it scales", { horizontalpodautoscaler: "scale-web" }, "Deployment/web"],
  ["a ScaledObject", { scaledObject: "queue" }, "Deployment/worker"],
  ["a vertical autoscaler", { verticalpodautoscaler: "v" }, "StatefulSet/db"],
  ["a job", { job_name: "nightly-123" }, "CronJob/nightly"],
  ["a job of nobody", { job_name: "once" }, "Job/once"],
  ["a ReplicaSet of nobody", { replicaset: "bare-set" }, "ReplicaSet/bare-set"],
  ["a disruption budget", { poddisruptionbudget: "web" }, "Deployment/web"],
  ["a service", { service: "web" }, "Deployment/web"],
  ["an ingress", { ingress: "front" }, "Deployment/web"],
  ["a claim", { persistentvolumeclaim: "data-db-0" }, "StatefulSet/db"],
  ["a container that one workload has", { container: "postgres" }, "StatefulSet/db"],
  ["what was scraped, by its address", { instance: "10.0.0.7:8080", job: "web" }, "Deployment/web"],
  ["a workload of unknown kind", { workload: "db" }, "StatefulSet/db"],
  ["an exporter's pod that is not there", { pod: "ksm-1", service: "web" }, "Deployment/web"],
  ["a service without pods, by its name at last", { service: "asleep" }, "Deployment/asleep"],
  ["a disruption budget without pods", { poddisruptionbudget: "asleep" }, "Deployment/asleep"],
  ["an ingress of a service without pods", { ingress: "asleep-front" }, "Deployment/asleep"],
  ["a service that is gone", { service: "removed" }, "Deployment/removed"],
  ["what else leads exactly comes before a name", { service: "asleep", container: "postgres" }, "StatefulSet/db"],
  ["what is selected comes before what selects", { service: "switched" }, "Deployment/switched-v2"],
  ["an ingress of a service that is gone", { ingress: "removed-front" }, "Deployment/removed"],
])("%s", async (_, labels, expected) => {
  expect(await led(labels)).toBe(expected);
});

test.each<[string, Record<string, string>, RegExp]>([
  [
    "a service of two workloads",
    { service: "both" },
    /several workloads: shop\/Deployment\/web, shop\/Rollout\/canary/,
  ],
  ["an ingress of two workloads", { ingress: "mixed" }, /several workloads/],
  ["a service that selects nothing", { service: "headless" }, /selects no pods/],
  ["a service without pods and without a namesake", { service: "stray" }, /service stray in shop has no pods/],
  ["a pod that never was", { pod: "gone" }, /no pod shop\/gone/],
  ["an autoscaler that is gone", { horizontalpodautoscaler: "gone" }, /no horizontalpodautoscaler shop\/gone/],
  ["labels that name nothing", { severity: "info" }, /none of its labels/],
])("%s leads to nobody, with the reason and the line that maps it", async (_, labels, because) => {
  expect(await led(labels)).toMatchObject({
    kind: "nobody",
    because: expect.stringMatching(because),
    line: expect.stringContaining('alerts: [{ alert: "A", workload: "{namespace}/Deployment/NAME" }]'),
  });
});

test("the way is told", async () => {
  const concern = await concernsIn(shop).of(anAlert({ labels: { namespace: "shop", pod: "web-7d9f-aaaaa" } }));
  expect(concern).toMatchObject({ way: "pod web-7d9f-aaaaa → ReplicaSet web-7d9f → Deployment web" });
});

test("a pod that is gone is known by what Prometheus saw of it", async () => {
  const range = async (query: string) => {
    const owners = query.includes("kube_pod_owner")
      ? { owner_kind: "ReplicaSet", owner_name: "old-1" }
      : { owner_kind: "Deployment", owner_name: "old" };
    return { series: [{ labels: owners, points: [] }], notes: [] };
  };
  const concern = await concernsIn(shop, { range }).of(anAlert({ labels: { namespace: "shop", pod: "old-1-x" } }));
  expect(concern).toMatchObject({ kind: "workload", workload: { kind: "Deployment", name: "old" } });
});

test("an alert of another cluster is not ours", async () => {
  expect(await led({ deployment: "web", cluster: "us" })).toMatchObject({
    kind: "nobody",
    line: "CLUSTER_NAME=us in the environment, if that is this cluster",
  });
  expect(await led({ deployment: "web", cluster: "test" })).toBe("Deployment/web");
  expect(await led({ deployment: "web", cluster: "" })).toBe("Deployment/web");
});

test.each([
  ["no answer leaves it open", new Unavailable("Kubernetes: away"), { kind: "unknown", because: "Kubernetes: away" }],
  ["a refusal is a reason", new Refused("Kubernetes: HTTP 403"), { kind: "nobody", because: "Kubernetes: HTTP 403" }],
])("%s", async (_, failure, expected) => {
  const objects = { ...knownObjects(shop), find: () => Promise.reject(failure) };
  const around = {
    ...{ objects, metrics: { range: () => Promise.reject(failure) }, cluster: "test", clusterLabel: "cluster" },
    clock: { now: () => new Date() },
  };
  const alert = anAlert({ labels: { namespace: "shop", pod: "web-7d9f-aaaaa" } });
  expect(await resolveAlert(alert, [], around)).toMatchObject(expected);
});

test.each<[string, string, Record<string, string>, object]>([
  [
    "by its name",
    "Queue*Depth",
    { queue: "mail" },
    { workload: { namespace: "shop", kind: "Deployment", name: "mail" } },
  ],
  ["not by another", "Other", { queue: "mail" }, { kind: "nobody" }],
  ["with a label that is missing", "*", {}, { kind: "nobody", because: expect.stringContaining("could not hold") }],
])("the guardrails map an alert %s", async (_, pattern, labels, expected) => {
  const mappings = [{ alert: pattern, labels: {}, workload: "shop/Deployment/{queue}" }];
  expect(await concernsIn(shop, { mappings }).of(anAlert({ name: "QueueMailDepth", labels }))).toMatchObject(expected);
});

test("what people ignore is ignored, by label as well", async () => {
  const mappings = [{ alert: "*", labels: { team: "data-*" }, ignore: true as const }];
  const of = (team: string) =>
    concernsIn(shop, { mappings }).of(anAlert({ labels: { namespace: "shop", deployment: "web", team } }));
  expect(await of("data-eu")).toMatchObject({ kind: "ignored" });
  expect(await of("web")).toMatchObject({ kind: "workload" });
});

test("the same holds while a name is looked for at last", async () => {
  const { find, pods } = knownObjects(shop);
  const failing = (failure: Error) => ({
    pods,
    find: (...asked: Parameters<typeof find>) => (asked[0] === "service" ? find(...asked) : Promise.reject(failure)),
  });
  const metrics = { range: async () => ({ series: [], notes: [] }) };
  const around = (failure: Error) => ({
    ...{ objects: failing(failure), metrics, cluster: "test", clusterLabel: "cluster" },
    clock: { now: () => new Date() },
  });
  const alert = anAlert({ labels: { namespace: "shop", service: "asleep" } });
  const away = await resolveAlert(alert, [], around(new Unavailable("Kubernetes: away")));
  expect(away).toMatchObject({ kind: "unknown", because: "Kubernetes: away" });
  const refused = await resolveAlert(alert, [], around(new Refused("Kubernetes: HTTP 403")));
  expect(refused).toMatchObject({ kind: "nobody", because: expect.stringContaining("HTTP 403") });
});
