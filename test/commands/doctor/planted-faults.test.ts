import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { examine, renderFindings } from "../../../src/commands/doctor/doctor.ts";
import { type ApiServer, serveApi } from "../../../src/lab/cluster/servers/api-server.ts";
import type { LabRule } from "../../../src/lab/cluster/metrics/rules.ts";
import { scenarioOf } from "../../../src/lab/scenarios/catalogue.ts";
import { until } from "../../../src/lab/start.ts";
import { type LabWorld, openWorld } from "../../../src/lab/world.ts";
import { parseSettings } from "../../../src/settings/settings.ts";

// The doctor as a platform team calls it, on an installation that six faults of the platform were planted into.

const backlog: LabRule = {
  alert: "BacklogGrows",
  expr: "count(kube_deployment_spec_replicas) > 0",
  forMs: 0,
  labels: { severity: "warning", queue: "orders" },
  annotations: { summary: "The backlog grows." },
};

let place: string;
let world: LabWorld;
let fencedLoki: ApiServer;

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "rectify-planted-"));
  const scenario = scenarioOf("scale");
  if (scenario === undefined) throw new Error("the lab has no scenario named scale");
  world = await openWorld(place, { ...scenario, world: { rules: [backlog] } });
  world.cluster.setAlertWebhook({ url: "http://127.0.0.1:1/alerts", token: "" });
  await until("the alert of a synced shop", () => world.cluster.isSynced() && world.cluster.firing().length > 0);
  world.cluster.suspendSync(true);
  fencedLoki = await serveApi(() => ({ status: 401, body: "no org id" }));
});
afterAll(async () => {
  await Promise.all([fencedLoki.close(), world.close()]);
  rmSync(place, { recursive: true, force: true });
});

interface Point {
  readonly name: string;
  readonly state: string;
  readonly because: string;
  readonly fix: string | null;
}

/** What `rectify doctor --json` says of the world, with these settings more, read from an environment. */
async function doctor(more: Readonly<Record<string, string>> = {}): Promise<readonly Point[]> {
  const {
    repository,
    app,
    webhookSecret,
    github,
    alerts,
    cluster,
    prometheus,
    alertmanager,
    loki,
    kubernetes,
    ollama,
  } = world.settings;
  const env = {
    ...{ RECTIFY_DATA: join(place, "data"), KYVERNO: "off" },
    ...{ RECTIFY_REPOSITORY: `${repository.owner}/${repository.repo}`, APP_ID: String(app.id) },
    ...{ PRIVATE_KEY: app.privateKey, WEBHOOK_SECRET: webhookSecret, ALERTS_TOKEN: alerts.token },
    ...{ GITHUB_API_URL: github.apiUrl, CLUSTER_NAME: cluster, PROMETHEUS_URL: prometheus.url },
    ...{ ALERTMANAGER_URL: alertmanager.url, LOKI_URL: loki?.url, KUBERNETES_URL: kubernetes.url },
    ...{ KUBERNETES_TOKEN: "lab", OLLAMA_HOST: ollama?.host, OLLAMA_MODEL: ollama?.model },
    ...{ HOST: "127.0.0.1", PORT: "0", INTERNAL_PORT: "0", PAGES_PORT: "0" },
    ...{ LOOKBACK_MS: "30000", RATE_WINDOW: "3s", ALERTMANAGER_WARM_UP_MS: "1" },
    ...more,
  };
  const findings = await examine(parseSettings(env), { now: () => new Date() });
  return (JSON.parse(renderFindings(findings)) as { points: readonly Point[] }).points;
}

const told = (points: readonly Point[]) => points.map(({ name, because, fix }) => `${name}: ${because} → ${fix ?? ""}`);
const wrong = (points: readonly Point[]) => told(points.filter(({ state }) => state === "bad" || state === "warning"));

const workflow = ".github/workflows/rectify-policy.yml";

test("six faults of the platform are named, each with its fix, and no advice is masked", {
  timeout: 120_000,
}, async () => {
  const before = wrong(await doctor());
  world.forge.change({ hasIssues: false });
  const shipped = readFileSync("manifests/github/rectify-policy.yml", "utf8");
  await world.forge.push(
    { [workflow]: shipped.replace("BRANCH_PREFIX: rectify/", "BRANCH_PREFIX: bot/") },
    { message: "Gate by policies", author: "ada" },
  );
  const points = await doctor({
    CLUSTER_LABEL: "k8s_cluster",
    LOKI_URL: fencedLoki.url,
    // Secrets that are ordinary words of the advice, or begin like them, must tear no holes into it.
    LOKI_HEADERS: "X-Team=guardrails",
    PROMETHEUS_TOKEN: "CLUSTER_LABEL",
    ALERTMANAGER_TOKEN: "workload",
    KUBERNETES_TOKEN: "BRANCH_PREFIX",
  });
  // The alert fired before as well: it is told whatever else is wrong.
  expect(before).toEqual([expect.stringMatching(/^alerts: BacklogGrows opens no incident/)]);
  const found = wrong(points);
  const expected = [
    /^repository: issues are switched off.* → switch issues on in the settings of the repository/,
    // What was pushed was told to nobody: the App has no address yet.
    /^webhooks: the last webhook reached nobody → see that the webhook URL of the App ends in \/webhooks\/github/,
    /^policy workflow: .*takes bot\/\* for our branches, the .* call them rectify\/\*.* → set BRANCH_PREFIX: rectify\/ in the env of \.github\/workflows\/rectify-policy\.yml/,
    /^prometheus: no data in shop-production .*without k8s_cluster="lab" there is some → leave CLUSTER_LABEL out/,
    /^loki: .*HTTP 401 .*no org id.* → see that LOKI_URL is right, and LOKI_TOKEN or LOKI_HEADERS/,
    /^alerts: BacklogGrows opens no incident: .*queue=orders.* → in \.github\/rectify\.yml: alerts: \[\{ alert: "BacklogGrows", workload: /,
  ];
  expect(found.length, found.join("\n")).toBe(expected.length);
  for (const fault of expected) expect(found).toContainEqual(expect.stringMatching(fault));
  for (const line of told(points)) expect(line.split(" → ")[1]).not.toContain("masked");
});
