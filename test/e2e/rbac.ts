import { fileURLToPath } from "node:url";
import { kubernetes } from "../../src/adapters/kubernetes/kubernetes.ts";
import type { Workload } from "../../src/domain/kubernetes/workload.ts";
import type { ControlPlane } from "./control-plane.ts";
import { installDefinitions, objectsIn, vendors } from "./definitions.ts";
import { type Finding, findingOf } from "./finding.ts";
import type { ApiObject, KubeClient } from "./kube-client.ts";
import { allowedOf, type Question, questionsAbout, resourcesOf, wordsOf } from "./rbac-questions.ts";

const account = { namespace: "rectify", name: "rectify" } as const;
/** A namespace of this check, which is removed at its end. */
const playground = "rbac-check";
const sha = "0123456789abcdef0123456789abcdef01234567";

/** What Rectify's ServiceAccount may and may not do, asked and tried on the real API server. */
export async function checkRbac(plane: ControlPlane): Promise<readonly Finding[]> {
  const { kube } = plane;
  await installDefinitions(kube, vendors);
  await kube.apply(accountObjects());
  await prepare(kube);
  try {
    const token = await plane.tokenFor(account.namespace, account.name);
    return [
      await findingOf("RBAC: reads what the adapters read", () => readsAll(plane, token)),
      await findingOf("RBAC: asked about every verb", () => asksAll(kube)),
      await findingOf("RBAC: its own list of permissions", () => listsPermissions(kube, token)),
      await findingOf("RBAC: writes that were tried", () => triesAll(kube, token)),
    ];
  } finally {
    await kube.call("DELETE", `/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/${playground}`);
    await kube.call("DELETE", `/api/v1/namespaces/${playground}`);
  }
}

function rbacObjects(): readonly ApiObject[] {
  return objectsIn(fileURLToPath(new URL("../../manifests/rectify/base/rbac.yaml", import.meta.url)));
}

/** The account as `manifests/rectify` installs it. */
function accountObjects(): readonly ApiObject[] {
  const { namespace } = account;
  const placed = rbacObjects().map((object) =>
    object.kind === "ServiceAccount" ? { ...object, metadata: { ...object.metadata, namespace } } : object,
  );
  return [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }, ...placed];
}

const byFlux: Workload = { kind: "Deployment", namespace: playground, name: "by-flux" };
const byArgo: Workload = { kind: "StatefulSet", namespace: playground, name: "by-argo" };

async function prepare(kube: KubeClient): Promise<void> {
  const metadata = { namespace: playground };
  const entry = { apiVersion: "kustomize.toolkit.fluxcd.io/v1", kind: "Kustomization" };
  const application = { apiVersion: "argoproj.io/v1alpha1", kind: "Application" };
  const source = { repoURL: "https://git.example/shop", path: "shop" };
  await kube.apply([
    { apiVersion: "v1", kind: "Namespace", metadata: { name: playground } },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "argocd" } },
    { apiVersion: "v1", kind: "Secret", metadata: { ...metadata, name: "secret" }, stringData: { key: "value" } },
    ...[workloadObject(byFlux), workloadObject(byArgo)],
    {
      ...{ ...entry, metadata: { ...metadata, name: "shop" } },
      spec: {
        interval: "1h",
        path: "./shop",
        prune: false,
        suspend: true,
        sourceRef: { kind: "GitRepository", name: "shop" },
      },
    },
    {
      ...{ ...application, metadata: { name: playground, namespace: "argocd" } },
      spec: { project: playground, source, destination: { namespace: playground } },
      status: { sync: { status: "Synced", revision: sha, comparedTo: { source, destination: {} } } },
    },
  ]);
  const status = { lastAppliedRevision: `main@sha1:${sha}` };
  const path = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${playground}/kustomizations/shop/status`;
  await kube.ask("PATCH", path, { body: { status }, contentType: "application/merge-patch+json" });
}

function workloadObject({ kind, name, namespace }: Workload): ApiObject {
  const labels = { app: name };
  const marks =
    name === byFlux.name
      ? { labels: { "kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": playground } }
      : { annotations: { "argocd.argoproj.io/tracking-id": `${playground}:apps/${kind}:${namespace}/${name}` } };
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace, ...marks },
    spec: {
      ...{ replicas: 1, selector: { matchLabels: labels }, ...(kind === "StatefulSet" ? { serviceName: name } : {}) },
      template: { metadata: { labels }, spec: { containers: [{ name, image: "example.org/app:1" }] } },
    },
  };
}

/** Through the very adapter that Rectify uses, as its account. */
async function readsAll({ url, caPath }: ControlPlane, token: string): Promise<string> {
  const cluster = kubernetes({ url, token, caPath, cluster: "e2e" });
  for (const [workload, tool] of [
    [byFlux, "flux"],
    [byArgo, "argocd"],
  ] as const) {
    const live = await cluster.workload(workload);
    if (live === undefined) throw new Error(`${workload.kind} ${workload.name} was not read`);
    const { notes } = await cluster.surroundings(workload);
    if (notes.length > 0) throw new Error(notes.join("; "));
    const entry = await cluster.entryOf(live);
    const applied = await cluster.appliedRevision(entry);
    const isRead = entry.tool === tool && entry.path === "shop" && applied.kind === "applied" && applied.sha === sha;
    if (!isRead) throw new Error(`of ${tool} it read ${JSON.stringify({ entry, applied })}`);
  }
  return "workloads, autoscalers, events, pods, quotas, nodes, Kustomization, Application";
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** Every account may ask what it may do: the answer is stored nowhere. */
const askingRules: readonly Rule[] = [
  {
    apiGroups: ["authorization.k8s.io"],
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    verbs: ["create"],
  },
  { apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"], verbs: ["create"] },
];

/** The permissions of rbac.yaml, of which each must be a reading one, and those of every account. */
function grantedRules(): readonly Rule[] {
  const own = rbacObjects().flatMap((object) => (object.kind === "ClusterRole" ? (object.rules as Rule[]) : []));
  return [...own, ...askingRules];
}

function isGranted({ group, name, verb }: Question): boolean {
  return grantedRules().some(
    (rule) => rule.apiGroups.includes(group) && rule.resources.includes(name) && rule.verbs.includes(verb),
  );
}

async function asksAll(kube: KubeClient): Promise<string> {
  const resources = await resourcesOf(kube);
  const questions = questionsAbout(resources, [account.namespace, playground]);
  const allowed = await allowedOf(kube, account, questions);
  const beyond = allowed.filter((question) => !isGranted(question) || !isHarmless(question));
  if (beyond.length > 0) throw new Error(`it may ${beyond.map(wordsOf).join(", ")}`);
  const missing = questions.filter((question) => isGranted(question) && !allowed.includes(question));
  if (missing.length > 0) throw new Error(`it may not ${missing.map(wordsOf).join(", ")}`);
  const refused = questions.length - allowed.length;
  return `${questions.length} questions on ${resources.length} resources: ${allowed.length} yes, ${refused} no`;
}

/** Whatever rbac.yaml may come to say: Rectify reads, and no Secret. */
function isHarmless({ group, name, verb }: Question): boolean {
  if (verb === "create")
    return askingRules.some((rule) => rule.apiGroups.includes(group) && rule.resources.includes(name));
  return (
    ["get", "list", "watch"].includes(verb) &&
    name.split("/")[0] !== "secrets" &&
    !/\/(exec|attach|portforward|proxy)$/.test(name)
  );
}

interface RightsAnswer {
  readonly status: {
    readonly incomplete: boolean;
    readonly resourceRules: readonly Rule[];
    readonly nonResourceRules: readonly { readonly verbs: readonly string[] }[];
  };
}

/** What the API server itself says when the account asks for the list of its permissions. */
async function listsPermissions(kube: KubeClient, token: string): Promise<string> {
  const spec = { namespace: playground };
  const body = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec };
  const path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
  const { status } = (await kube.ask("POST", path, { body, token })) as RightsAnswer;
  const writing = status.resourceRules.filter(({ apiGroups, resources, verbs }) =>
    apiGroups.some((group) =>
      resources.some((name) =>
        verbs.some((verb) => !isHarmless({ group, name, verb, namespaced: true, namespace: "" })),
      ),
    ),
  );
  if (writing.length > 0) throw new Error(`the list holds ${JSON.stringify(writing)}`);
  const outside = status.nonResourceRules.flatMap(({ verbs }) => verbs).filter((verb) => verb !== "get");
  if (outside.length > 0) throw new Error(`on other addresses it may ${outside.join(", ")}`);
  if (status.incomplete) throw new Error("the list is incomplete");
  return `${status.resourceRules.length} rules, none writes`;
}

const apps = `/apis/apps/v1/namespaces/${playground}`;
const core = `/api/v1/namespaces/${playground}`;
const rbac = "/apis/rbac.authorization.k8s.io/v1";

/** Requests that must not get through, whatever the authorizer says when it is only asked. */
const attempts: readonly (readonly [method: string, path: string, body?: object])[] = [
  ["GET", `${core}/secrets`],
  ["GET", `${core}/secrets/secret`],
  ["POST", `${core}/configmaps`, { metadata: { name: "new" } }],
  ["PATCH", `${apps}/deployments/by-flux`, { spec: { replicas: 9 } }],
  ["PATCH", `${apps}/deployments/by-flux/scale`, { spec: { replicas: 9 } }],
  ["PUT", `${apps}/deployments/by-flux`, { metadata: { name: "by-flux" } }],
  ["DELETE", `${apps}/deployments/by-flux`],
  ["DELETE", `${apps}/statefulsets`],
  ["DELETE", `${core}/pods`],
  ["POST", `${core}/pods/any/exec?command=id&stdout=true`],
  ["GET", `${core}/pods/any/exec?command=id&stdout=true`],
  ["POST", `${core}/pods/any/portforward`],
  ["GET", `${core}/pods/any/log`],
  ["POST", `${core}/pods/any/eviction`, { metadata: { name: "any" } }],
  ["POST", `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`, { spec: {} }],
  ["PATCH", "/api/v1/nodes/node-1", { spec: { unschedulable: true } }],
  ["GET", "/api/v1/nodes/node-1/proxy/pods"],
  ["PATCH", `${rbac}/clusterroles/rectify-reader`, { metadata: { labels: { mine: "yes" } } }],
  ["POST", `${rbac}/clusterrolebindings`, { metadata: { name: "mine" } }],
  ["PATCH", `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${playground}/kustomizations/shop`, { spec: {} }],
  ["PATCH", `/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/${playground}`, { spec: {} }],
];

async function triesAll(kube: KubeClient, token: string): Promise<string> {
  for (const [method, path, body] of attempts) {
    const contentType = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const { status } = await kube.call(method, path, { token, ...(body === undefined ? {} : { body, contentType }) });
    if (status !== 403) throw new Error(`${method} ${path}: HTTP ${status}, not 403`);
  }
  return `${attempts.length} requests, each refused with 403`;
}
