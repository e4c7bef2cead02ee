import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listen } from "../../../src/adapters/http/listener.ts";
import { createApp } from "../../../src/server/github-app.ts";
import { examineConnections, examineEach } from "../../../src/commands/doctor/each.ts";
import { examine } from "../../../src/commands/doctor/doctor.ts";
import { serveApi } from "../../../src/lab/cluster/servers/api-server.ts";
import { startForge } from "../../../src/lab/forge/forge.ts";
import { scenarioOf } from "../../../src/lab/scenarios/catalogue.ts";
import { until } from "../../../src/lab/start.ts";
import { type LabWorld, openWorld } from "../../../src/lab/world.ts";
import { webhookRoutes } from "../../../src/server/routes.ts";
import { parseSettings, type Settings } from "../../../src/settings/settings.ts";
import { app, key, repository } from "../../lab/forge-shop.ts";
import { cliProgram } from "../../cli-program.ts";
import { freshDatabase } from "../../postgres.ts";

// Nobody listens there: the address is what the doctor looks at.
const ours = { url: "http://127.0.0.1:1/alerts", token: "" };

let place: string;
let world: LabWorld;
let settings: Settings;

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "rectify-doctor-test-"));
  const scenario = scenarioOf("scale");
  if (scenario === undefined) throw new Error("the lab has no scenario named scale");
  // Its clock goes on beside these tests: it ticks seldom.
  world = await openWorld(place, { ...scenario, world: { ...scenario.world, coarse: 1 } });
  const kyverno = { path: cliOf("1.19.1"), toolsDirectory: undefined };
  settings = { ...world.settings, kyverno, databaseUrl: await freshDatabase() };
  world.cluster.setAlertWebhook(ours);
  await until("a synced shop", () => world.cluster.isSynced());
  // Nothing is merged here: looking at Git twice a second was most of what this file cost.
  world.cluster.suspendSync(true);
});
afterAll(async () => {
  await world.close();
  rmSync(place, { recursive: true, force: true });
});

/** An executable that says it is this version of the Kyverno CLI. */
function cliOf(version: string): string {
  const path = join(place, `kyverno-${version}`);
  writeFileSync(path, `#!/bin/sh\necho "Version: ${version}"\n`);
  chmodSync(path, 0o755);
  return path;
}

async function findingsOf(changes: Partial<Settings> = {}, skewMs = 0) {
  const clock = { now: () => new Date(Date.now() + skewMs) };
  return examine({ ok: true, value: { ...settings, ...changes } }, clock, join(place, "clone"));
}

/** The bad findings, as `point: what was found → fix`. */
async function badOf(changes: Partial<Settings> = {}, skewMs = 0): Promise<string[]> {
  const findings = await findingsOf(changes, skewMs);
  return findings.filter(({ state }) => state === "bad").map((it) => `${it.point}: ${it.found} → ${it.fix}`);
}

test("a sound installation has nothing bad, and says what nobody could look at", async () => {
  const findings = await findingsOf();
  expect(findings.filter(({ state }) => state === "bad")).toEqual([]);
  expect(findings.filter(({ state }) => state === "skipped").map(({ point }) => point)).toEqual(["webhooks"]);
  const good = findings.filter(({ state }) => state === "good").map(({ point }) => point);
  expect(good).toEqual(expect.arrayContaining(["prometheus", "kubernetes", "gitops", "loki", "database", "clone"]));
  expect(good).toEqual(expect.arrayContaining(["alert route", "kubernetes permissions"]));
  expect(findings.find(({ point }) => point === "pages")?.found).toContain("pages on http://127.0.0.1:0/ only");
});

test("of several repositories each is looked at, and what holds for all is told once", async () => {
  const repositories = [settings.repository, { owner: "acme", repo: "bank" }];
  const { owner, repo } = settings.repository;
  const value = { ...settings, repositories };
  const findings = await examineEach({ ok: true, value }, { now: () => new Date() });
  const points = findings.map(({ point }) => point);
  expect(points.filter((point) => point.endsWith("settings"))).toEqual(["settings"]);
  expect(points).toEqual(expect.arrayContaining([`${owner}/${repo} clone`, "acme/bank guardrails"]));
  expect(findings.find(({ point }) => point === "connections")).toMatchObject({
    found: expect.stringMatching(/^2 repositories take up to 66 connections of each pod, and Postgres allows \d+$/),
  });
  const bad = findings.filter(({ state }) => state === "bad");
  expect(bad.map(({ point }) => point)).toEqual(["acme/bank github app"]);
  expect(bad[0]?.found).toContain("the App is not installed on acme/bank");
});

test("more connections than Postgres allows are told before they are missing", async () => {
  const findings = await examineConnections(settings, 40);
  expect(findings).toMatchObject([
    { state: "warning", fix: expect.stringContaining("max_connections of Postgres to 2640") },
  ]);
});

test("the doctor writes nothing: not to the cluster, not to GitHub", async () => {
  world.forge.resetCalls();
  await findingsOf();
  expect(world.cluster.writesAttempted).toEqual([]);
  const writes = world.forge.calls.filter(({ method, path }) => method !== "GET" && !path.includes("access_tokens"));
  expect(writes.filter(({ path }) => !path.endsWith("git-upload-pack"))).toEqual([]);
});

describe("a planted misconfiguration is found and its fix is named:", () => {
  test("settings that are missing", async () => {
    const findings = await examine(parseSettings({}), { now: () => new Date() });
    expect(findings.map(({ found }) => found)).toContain("RECTIFY_REPOSITORY: is missing");
    expect(findings.every(({ state, fix }) => state === "bad" && fix !== undefined && fix !== "")).toBe(true);
  });

  test("a Kyverno CLI that is neither a path nor off", async () => {
    const problemsOf = (KYVERNO: string) => {
      const read = parseSettings({ KYVERNO });
      return read.ok ? [] : read.problems.filter((problem) => problem.startsWith("KYVERNO"));
    };
    expect([problemsOf("off"), problemsOf("/usr/bin/kyverno")]).toEqual([[], []]);
    expect(problemsOf("kyverno")).toEqual(["KYVERNO: must be an absolute path, or off"]);
  });

  test("a port that somebody else holds", async () => {
    const other = createServer((socket) => socket.destroy());
    await new Promise<void>((ready) => other.listen(0, "127.0.0.1", ready));
    const { port } = other.address() as AddressInfo;
    expect(await badOf({ webhookPort: port })).toEqual([
      `machine: PORT: port ${port} is taken → free it or set PORT to another one`,
    ]);
    await new Promise((closed) => other.close(closed));
  });

  test("a database that is not there", async () => {
    const databaseUrl = settings.databaseUrl?.replace(/\/[^/]*$/, "/nowhere");
    expect(await badOf({ databaseUrl })).toEqual([expect.stringMatching(/^database: .*nowhere.* → .*DATABASE_URL/)]);
  });

  test("an App of another id", async () => {
    const bad = await badOf({ app: { ...settings.app, id: 1 } });
    expect(bad).toEqual([expect.stringMatching(/^github app: the App is not installed .* → .*APP_ID/)]);
  });

  test("permissions that were not accepted, and a branch that nobody protects", async () => {
    const forge = await startForge({
      ...repository,
      directory: join(place, "other-forge"),
      files: { "README.md": "shop\n" },
      app: { ...app, permissions: { checks: "read" } },
      people: [],
      requiredChecks: [],
      private: true,
    });
    const github = { apiUrl: forge.apiUrl, cloneUrl: forge.cloneUrl, writeGapMs: 0 };
    const bad = await badOf({ repository, github, app: { id: app.id, privateKey: key } });
    expect(bad).toContainEqual(expect.stringMatching(/^app permissions: .*checks: read → give the App checks: write/));
    expect(bad).toContainEqual(expect.stringMatching(/^branch protection: main is not protected.* → protect main/));
    expect(bad).toContainEqual(expect.stringMatching(/^guardrails: .*missing on the default branch/));
    expect(bad).toContainEqual(expect.stringMatching(/^gitops: the repository declares no .* → apply a Flux/));
    await forge.close();
  });

  test("a webhook secret that is not the App's", async () => {
    const wrong = createApp({ ...settings.app, webhookSecret: "x".repeat(32), wake: async () => undefined });
    const intake = {
      store: { accept: async () => true, waitingCount: async () => 0, beat: async () => new Date() },
      app: wrong,
    };
    const routes = webhookRoutes({ ...intake, alertsToken: "", notify: () => undefined });
    const listener = await listen(routes, { host: "127.0.0.1", port: 0 });
    world.forge.setWebhookUrl(`http://127.0.0.1:${listener.port}/webhooks/github`);
    world.forge.install();
    await world.forge.settled();
    expect(await badOf()).toEqual([expect.stringMatching(/^webhooks: .*signature.* → set WEBHOOK_SECRET/)]);
    world.forge.setWebhookUrl(`http://127.0.0.1:${listener.port}/elsewhere`);
    world.forge.install();
    await world.forge.settled();
    expect(await badOf()).toEqual([expect.stringMatching(/^webhooks: .*HTTP 404 → .*\/webhooks\/github/)]);
    await listener.close();
    const fine = await listen(
      webhookRoutes({
        ...{ ...intake, alertsToken: "", notify: () => undefined },
        app: createApp({ ...settings.app, webhookSecret: settings.webhookSecret, wake: async () => undefined }),
      }),
      { host: "127.0.0.1", port: 0 },
    );
    world.forge.setWebhookUrl(`http://127.0.0.1:${fine.port}/webhooks/github`);
    world.forge.install();
    await world.forge.settled();
    expect(await badOf()).toEqual([]);
    await fine.close();
    world.forge.setWebhookUrl(undefined);
  });

  test.each([
    ["prometheus", "PROMETHEUS_URL"],
    ["alertmanager", "ALERTMANAGER_URL"],
    ["loki", "LOKI_URL"],
    ["kubernetes", "ClusterRole"],
  ] as const)("%s refuses us", async (api, fix) => {
    world.cluster.setFault(api, { kind: "status", status: 403 });
    const bad = await badOf();
    world.cluster.setFault(api, undefined);
    expect(bad).toContainEqual(expect.stringMatching(new RegExp(`^${api}: .*403.* → .*${fix}`)));
  });

  test("an Alertmanager that sends its alerts elsewhere", async () => {
    world.cluster.setAlertWebhook({ ...ours, url: "http://127.0.0.1:1/hook" });
    const bad = await badOf();
    world.cluster.setAlertWebhook(ours);
    expect(bad).toEqual([expect.stringMatching(/^alert route: .*no receiver.* → give Alertmanager a route/)]);
  });

  test("an account that could write, which is a warning", async () => {
    const api = await serveApi(({ body, path }) =>
      path.endsWith("selfsubjectaccessreviews")
        ? { status: 201, body: { ...(JSON.parse(body) as object), status: { allowed: true } } }
        : { status: 404, body: {} },
    );
    const findings = await findingsOf({ kubernetes: { url: api.url } });
    await api.close();
    const { state, found, fix } = findings.find(({ point }) => point === "kubernetes permissions") ?? {};
    expect([state, found]).toEqual(["warning", expect.stringMatching(/could patch deployments in shop-production/)]);
    expect(fix).toContain("ClusterRole of manifests/rectify");
  });

  test("an answer about our permissions that says nothing", async () => {
    const api = await serveApi(() => ({ status: 200, body: { kind: "Status" } }));
    const bad = await badOf({ kubernetes: { url: api.url } });
    await api.close();
    expect(bad).toContainEqual(expect.stringMatching(/^kubernetes permissions: .*the answer is no review → /));
  });

  test("a Kyverno CLI of another version", async () => {
    const kyverno = { path: cliOf("1.10.0"), toolsDirectory: undefined };
    expect(await badOf({ kyverno })).toEqual([expect.stringMatching(/^kyverno: .*version 1\.10\.0.* → .*KYVERNO/)]);
  });

  test("a model that was never pulled", async () => {
    const ollama = { host: settings.ollama?.host ?? "", model: "mistral" };
    expect(await badOf({ ollama })).toEqual([
      "ollama: the model mistral:latest is not there → ollama pull mistral, or set OLLAMA_MODEL",
    ]);
  });

  test("a clock that runs ahead", async () => {
    const [bad] = await badOf({}, 120_000);
    expect(bad).toMatch(/^clock: our clock is 1[12]\d s ahead of GitHub's → synchronise the clock/);
  });

  test("guardrails with a mistake, then guardrails that count on a check nobody requires", async () => {
    const push = (text: string) =>
      world.forge.push({ ".github/rectify.yml": text }, { message: "Change the guardrails", author: "ada" });
    await push("namespaces: [shop-production]\nmaxReplica: 3\n");
    expect(await badOf()).toContainEqual(
      expect.stringMatching(/^guardrails: .*maxReplica.* → correct \.github\/rectify\.yml/),
    );
    await push("namespaces: [shop-production]\nrequiredChecks: [{ name: unit-tests, app: 5 }]\n");
    expect(await badOf()).toContainEqual(
      expect.stringMatching(/^required checks: .*unit-tests.* → require unit-tests in the protection/),
    );
    await push("namespaces: []\nmode: shadow\n");
    expect((await badOf()).filter((line) => line.startsWith("guardrails"))).toEqual([]);
    await push("namespaces: []\n");
    expect(await badOf()).toContainEqual(expect.stringMatching(/^guardrails: no namespace is allowed/));
  });
});

test("the command line exits with code 1 and names each fix", async () => {
  const run = spawnSync(process.execPath, [await cliProgram(), "doctor"], {
    env: { PATH: process.env.PATH },
    encoding: "utf8",
  });
  expect(run.status).toBe(1);
  expect(run.stdout).toContain("APP_ID");
  expect(run.stdout).toContain("fix: set the GitOps repository as owner/name");
});
