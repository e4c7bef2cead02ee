import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { openStore } from "../../../src/adapters/postgres/store.ts";
import { examineAlertPlaces } from "../../../src/commands/doctor/alert-places.ts";
import { examineCollection } from "../../../src/commands/doctor/collection.ts";
import { examine } from "../../../src/commands/doctor/doctor.ts";
import type { DoctorFinding } from "../../../src/commands/doctor/finding.ts";
import { examineGitops } from "../../../src/commands/doctor/gitops.ts";
import { examinePolicyWorkflow } from "../../../src/commands/doctor/policy-workflow.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { loadGuardrails } from "../../../src/flow/collect/load-guardrails.ts";
import { type Answer, type Asked, serveApi } from "../../../src/lab/cluster/servers/api-server.ts";
import { parseSettings, type Settings } from "../../../src/settings/settings.ts";
import { key } from "../../lab/forge-shop.ts";
import { migratedDatabase } from "../../postgres.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serving(answer: (asked: Asked) => Answer): Promise<string> {
  const api = await serveApi(answer);
  closing.push(api.close);
  return api.url;
}

const guardrails = loadGuardrails(treeOf({ ".github/rectify.yml": "namespaces: [shop]\n" }));
if (!guardrails.ok) throw new Error(guardrails.problems.join());
const around = { guardrails: guardrails.value, clock: { now: () => new Date() } };

function settingsWith(changes: Partial<Settings>): Settings {
  const read = parseSettings({
    ...{ RECTIFY_REPOSITORY: "acme/shop", APP_ID: "7", PRIVATE_KEY: key, CLUSTER_NAME: "lab" },
    ...{ WEBHOOK_SECRET: "w".repeat(32), ALERTS_TOKEN: "a".repeat(32), KYVERNO: "off", PORT: "0", INTERNAL_PORT: "0" },
    ...{ PROMETHEUS_URL: "http://127.0.0.1:1", ALERTMANAGER_URL: "http://127.0.0.1:1" },
    ...{ KUBERNETES_URL: "http://127.0.0.1:1", GITHUB_API_URL: "http://127.0.0.1:1" },
  });
  if (!read.ok) throw new Error(read.problems.join());
  return { ...read.value, ...changes };
}

/** Findings as `state: what was found → fix`. */
function toldBy(findings: readonly DoctorFinding[]): string[] {
  return findings.map(({ state, found, fix = "" }) => `${state}: ${found} → ${fix}`);
}

const matrix = (result: readonly object[]) => ({ status: "success", data: { resultType: "matrix", result } });
const missing = { status: 404, body: { kind: "Status", code: 404, reason: "NotFound", message: "not found" } };

function alertOf(name: string, labels: Readonly<Record<string, string>>) {
  const at = new Date().toISOString();
  return {
    ...{ labels: { alertname: name, ...labels }, annotations: {}, startsAt: at, updatedAt: at, endsAt: at },
    ...{ fingerprint: name, receivers: [], generatorURL: "", status: { state: "active" } },
  };
}

/** What is said of these alerts where neither the cluster nor Prometheus knows anything. */
async function placesOf(alerts: readonly object[], changes: Partial<Settings> = {}): Promise<string[]> {
  const settings = settingsWith({
    alertmanager: { url: await serving(() => ({ status: 200, body: alerts })) },
    prometheus: { url: await serving(() => ({ status: 200, body: matrix([]) })) },
    kubernetes: { url: await serving(() => missing) },
    ...changes,
  });
  return toldBy(await examineAlertPlaces(settings, around));
}

test("alerts that lead nowhere are told with their labels and the line that maps them", async () => {
  const told = await placesOf([
    alertOf("QueueBacksUp", { queue: "orders", namespace: "shop" }),
    alertOf("HighRequestLatency", { namespace: "shop", deployment: "web" }),
  ]);
  expect(told).toEqual([
    "good: 1 of 2 firing alerts lead to a workload → ",
    expect.stringMatching(
      /^warning: QueueBacksUp opens no incident: .*queue=orders.* → in \.github\/rectify\.yml: alerts: \[\{ alert: "QueueBacksUp", workload: "\{namespace\}\/Deployment\/NAME" \}\]/,
    ),
  ]);
});

test("alerts of the last days that a running Rectify put on record are told as well", async () => {
  const databaseUrl = await migratedDatabase();
  const store = await openStore(databaseUrl);
  const alert = {
    ...{ name: "TokenBucketEmpty", labels: { alertname: "TokenBucketEmpty", tenant: "a" } },
    ...{ fingerprint: "f", status: "firing" as const, annotations: {}, startsAt: "2026-01-01T00:00:00Z" },
    generatorUrl: "",
  };
  const line = 'alerts: [{ alert: "TokenBucketEmpty", workload: "NAMESPACE/Deployment/NAME" }]';
  await store.recordUnplaced(alert, { kind: "nobody", because: "no label names a workload", line });
  await store.close();
  expect(await placesOf([], { databaseUrl })).toEqual([
    "good: 0 of 0 firing alerts lead to a workload → ",
    `warning: TokenBucketEmpty opens no incident: no label names a workload (labels: tenant=a) → in .github/rectify.yml: ${line}`,
  ]);
});

test("alerts that name another cluster are told with the setting", async () => {
  const told = await placesOf([alertOf("Slow", { namespace: "shop", deployment: "web", cluster: "eu-1" })]);
  expect(told).toContainEqual(expect.stringMatching(/^warning: Slow .*eu-1.*→ CLUSTER_NAME=eu-1/));
});

/** What is said of the queries, where those that `isEmpty` names return nothing. */
async function collectionOf(isEmpty: (query: string) => boolean, changes: Partial<Settings["prometheus"]> = {}) {
  const url = await serving(({ query }) => {
    const one = { metric: { namespace: "shop", deployment: "web" }, values: [[Date.now() / 1000, "1"]] };
    return { status: 200, body: matrix(isEmpty(query.get("query") ?? "") ? [] : [one]) };
  });
  return toldBy(await examineCollection(settingsWith({ prometheus: { url, ...changes } }), around));
}

test("every query of the collection says whether it returned data", async () => {
  expect(await collectionOf(() => false)).toEqual([
    expect.stringMatching(
      /^good: every query of the collection returns data in shop: requests per second \(1 series\), /,
    ),
  ]);
});

test("an exporter that is not scraped is named", async () => {
  expect(await collectionOf((query) => query.includes("kube_pod_container"))).toEqual([
    expect.stringMatching(
      /^warning: no data in shop for: CPU requested, memory limit, restarts of containers; data for: .* → let Prometheus scrape, for that namespace: kube-state-metrics$/,
    ),
  ]);
  expect(await collectionOf((query) => query.includes("container_cpu_usage"))).toEqual([
    expect.stringMatching(/^bad: no data in shop for: CPU used; .* → .*cAdvisor/),
  ]);
});

test("a cluster label that no series has blinds every query", async () => {
  const only = { label: "cluster", value: "lab" };
  expect(await collectionOf((query) => query.includes('cluster="lab"'), { only })).toEqual([
    expect.stringMatching(/^bad: no data in shop .*without cluster="lab" there is some → leave CLUSTER_LABEL out/),
  ]);
});

const sha = "a".repeat(40);
const kustomization = {
  apiVersion: "kustomize.toolkit.fluxcd.io/v1",
  kind: "Kustomization",
  metadata: { name: "shop", namespace: "flux-system", generation: 1 },
  spec: { path: "./apps", sourceRef: { kind: "GitRepository", name: "shop" } },
  status: { lastAppliedRevision: `main@sha1:${sha}`, conditions: [{ type: "Ready", status: "True" }] },
};
const flux = { "kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system" };
const deploymentWith = (labels: Readonly<Record<string, string>>) => ({
  ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "shop", generation: 1, labels } },
  spec: { replicas: 1, selector: {}, template: { spec: { containers: [{ name: "web", image: "web:1" }] } } },
  status: { replicas: 1, readyReplicas: 1, updatedReplicas: 1, observedGeneration: 1 },
});

async function gitopsOf(controller: object, deployment: object): Promise<string[]> {
  const url = await serving(({ path }) => {
    if (path.endsWith("/kustomizations/shop")) return { status: 200, body: controller };
    if (path.endsWith("/deployments/web")) return { status: 200, body: deployment };
    return path.endsWith("autoscalers") ? { status: 200, body: { kind: "List", metadata: {}, items: [] } } : missing;
  });
  const tree = treeOf({
    "clusters/shop.yaml": JSON.stringify({ ...kustomization, status: undefined }),
    "apps/kustomization.yaml": "resources: []\n",
  });
  const desired = { head: { sha, tree }, contains: async () => true };
  const running = { kind: "Deployment", namespace: "shop", name: "web" };
  return toldBy(await examineGitops(settingsWith({ kubernetes: { url } }), desired, running));
}

test("a controller that applied our commit, and a workload that it marks, are in order", async () => {
  expect(await gitopsOf(kustomization, deploymentWith(flux))).toEqual([
    `good: Kustomization flux-system/shop has applied ${sha.slice(0, 7)} → `,
    "good: shop/Deployment/web leads to Kustomization flux-system/shop → ",
  ]);
});

test("a Kustomization that is suspended or fails is told with how it goes on", async () => {
  const suspended = { ...kustomization, spec: { ...kustomization.spec, suspend: true } };
  expect(await gitopsOf(suspended, deploymentWith(flux))).toContainEqual(
    expect.stringMatching(/^warning: Kustomization flux-system\/shop is suspended → .*flux resume/),
  );
  const conditions = [{ type: "Ready", status: "False", reason: "BuildFailed", message: "no such file base" }];
  const failing = { ...kustomization, status: { ...kustomization.status, conditions } };
  expect(await gitopsOf(failing, deploymentWith(flux))).toContainEqual(
    expect.stringMatching(/^warning: Kustomization flux-system\/shop: BuildFailed: no such file base → repair/),
  );
});

test("a workload that no controller marks is told", async () => {
  expect(await gitopsOf(kustomization, deploymentWith({}))).toContainEqual(
    expect.stringMatching(/^warning: no mark on shop\/Deployment\/web leads to .* → .*applications/),
  );
});

const workflow = (env: string, comparison: string) =>
  `on: pull_request_target\n${env}jobs:\n  p:\n    steps:\n      - run: |\n          if [[ "$BRANCH" == ${comparison} ]]; then a+=(--by-rectify); fi\n          rectify check-policies\n`;

test.each([
  ["a copy of before", workflow("", "rectify/*"), "rectify/"],
  ["another variable", workflow("env:\n  BRANCH_PREFIX: ops/\n", '"$BRANCH_PREFIX"*'), "ops/"],
])("a policy workflow that knows our branches by another name is told: %s", (_what, text, prefix) => {
  const path = ".github/workflows/rectify-policy.yml";
  const told = toldBy(examinePolicyWorkflow({ branchPrefix: "bot/rectify-" }, treeOf({ [path]: text })));
  expect(told).toEqual([
    `bad: ${path} takes ${prefix}* for our branches, the guardrails call them bot/rectify-*: ours are judged as a person's → set BRANCH_PREFIX: bot/rectify- in the env of ${path}, or branchPrefix: ${prefix} in .github/rectify.yml`,
  ]);
});

test("the policy workflow that we ship fits the guardrails' default, and follows its variable", () => {
  const shipped = readFileSync("manifests/github/rectify-policy.yml", "utf8");
  const judged = (branchPrefix: string, text: string) =>
    examinePolicyWorkflow({ branchPrefix }, treeOf({ ".github/workflows/gate.yaml": text })).map(({ state }) => state);
  expect(judged("rectify/", shipped)).toEqual(["good"]);
  expect(judged("ops/", shipped)).toEqual(["bad"]);
  expect(judged("ops/", shipped.replace("BRANCH_PREFIX: rectify/", "BRANCH_PREFIX: ops/"))).toEqual(["good"]);
  expect(judged("rectify/", shipped.replaceAll("BRANCH_PREFIX", "OTHER"))).toEqual(["warning"]);
});

test("no advice is masked, though secrets are ordinary words or begin like our own texts", async () => {
  const settings = settingsWith({
    prometheus: { url: "http://127.0.0.1:1", headers: { "X-Scope-OrgID": "guardrails" } },
    alertmanager: { url: "http://127.0.0.1:1", authorization: "Bearer default" },
    loki: { url: "http://127.0.0.1:1", authorization: `Basic ${Buffer.from("loki:limits").toString("base64")}` },
    kubernetes: { url: "http://127.0.0.1:1", token: "ServiceAccount" },
    alerts: { token: "rectify-policy-of-the-workflow-0123456789" },
    webhookSecret: "manifests/rectify is where it all begins 01",
  });
  const findings = await examine({ ok: true, value: settings }, around.clock);
  expect(findings.filter(({ state }) => state === "bad").length).toBeGreaterThan(3);
  for (const { fix = "" } of findings) expect(fix).not.toContain("«masked»");
});
