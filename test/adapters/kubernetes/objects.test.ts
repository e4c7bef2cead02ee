import { afterEach, expect, test } from "vitest";
import { kubernetesObjects } from "../../../src/adapters/kubernetes/kubernetes.ts";
import { serveApi } from "../../../src/lab/cluster/servers/api-server.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** An API server with these answers, by the end of their path; the rest is not there. */
async function objectsWith(answers: Readonly<Record<string, object>>) {
  const missing = { status: 404, body: { kind: "Status", code: 404, reason: "NotFound", message: "not found" } };
  const api = await serveApi(({ path }) => {
    const found = Object.entries(answers).find(([end]) => path.endsWith(end));
    return found === undefined ? missing : { status: 200, body: found[1] };
  });
  closing.push(api.close);
  return kubernetesObjects({ url: api.url, token: "test", cluster: "test" });
}

const at = { namespace: "shop", name: "web" };
const controller = (kind: string, name: string) => [
  { apiVersion: "v1", kind, name, uid: "u", controller: true },
  { apiVersion: "v1", kind: "Other", name: "other", uid: "o" },
];
const object = (spec: object, more: object = {}) => ({ metadata: { ...at, ...more }, spec });

test.each([
  [
    "a pod without anything but containers leads to its controller",
    "pod",
    "/pods/web",
    object({ containers: [{ name: "c" }] }, { ownerReferences: controller("ReplicaSet", "web-1") }),
    { owner: { kind: "ReplicaSet", name: "web-1" } },
  ],
  [
    "a ReplicaSet, too",
    "replicaset",
    "/replicasets/web",
    object(
      { replicas: 2, selector: { matchLabels: { app: "web" } } },
      { ownerReferences: controller("Rollout", "web") },
    ),
    { owner: { kind: "Rollout", name: "web" } },
  ],
  ["an object that nobody made leads nowhere", "job", "/jobs/web", object({ parallelism: 1 }), {}],
  [
    "an autoscaler leads to what it scales",
    "horizontalpodautoscaler",
    "/horizontalpodautoscalers/web",
    object({ maxReplicas: 4, scaleTargetRef: { apiVersion: "apps/v1", kind: "StatefulSet", name: "db" } }),
    { target: { kind: "StatefulSet", name: "db" } },
  ],
  [
    "KEDA takes a target without a kind for a Deployment",
    "scaledobject",
    "/scaledobjects/web",
    object({ scaleTargetRef: { name: "queue" }, triggers: [] }),
    { target: { kind: "Deployment", name: "queue" } },
  ],
  [
    "a service leads to the pods of its selector",
    "service",
    "/services/web",
    object({ selector: { app: "web" }, ports: [{ port: 80 }] }),
    { selector: "app=web" },
  ],
  ["a service without a selector leads nowhere", "service", "/services/web", object({ ports: [{ port: 80 }] }), {}],
  [
    "a budget may select by expressions",
    "poddisruptionbudget",
    "/poddisruptionbudgets/web",
    object({ selector: { matchExpressions: [{ key: "tier", operator: "In", values: ["a", "b"] }] } }),
    { selector: "tier in (a,b)" },
  ],
  [
    "an ingress leads to its services",
    "ingress",
    "/ingresses/web",
    object({
      rules: [{ http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web" } } }] } }],
    }),
    { services: ["web"] },
  ],
] as const)("%s", async (...[, type, path, answer, linked]) => {
  const objects = await objectsWith({ [path]: answer });
  expect(await objects.find(type, at)).toEqual(linked);
});

test("what is not there is undefined, and a sign-in page is refused", async () => {
  expect(await (await objectsWith({})).find("pod", at)).toBeUndefined();
  const objects = await objectsWith({ "/pods/web": { html: "Sign in" } });
  await expect(objects.find("pod", at)).rejects.toThrow(/no such object/);
});

test("pods tell their containers, claims and owner", async () => {
  const items = [
    {
      ...object(
        {
          containers: [{ name: "c" }],
          volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }, { name: "e" }],
        },
        { ownerReferences: controller("StatefulSet", "web") },
      ),
    },
    object({ containers: [{ name: "d" }] }, { name: "bare" }),
  ];
  const objects = await objectsWith({ "/namespaces/shop/pods": { kind: "PodList", metadata: {}, items } });
  expect(await objects.pods({ namespace: "shop" })).toEqual([
    {
      namespace: "shop",
      name: "web",
      claims: ["data"],
      containers: ["c"],
      owner: { kind: "StatefulSet", name: "web" },
    },
    { namespace: "shop", name: "bare", claims: [], containers: ["d"] },
  ]);
});
