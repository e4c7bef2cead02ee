import { createServer, type AddressInfo } from "node:net";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runSetup } from "../../../src/commands/setup/setup.ts";
import { guardrailsPath } from "../../../src/flow/collect/load-guardrails.ts";
import { approve, passCi, peak, pullOpened } from "../../../src/lab/scenario.ts";
import { scenarioOf } from "../../../src/lab/scenarios/catalogue.ts";
import { until } from "../../../src/lab/start.ts";
import { type LabWorld, openWorld } from "../../../src/lab/world.ts";
import { readGuardrails } from "../../../src/manifests/repository/guardrails-file.ts";
import { startRectify } from "../../../src/main.ts";
import { renderYaml } from "../../../src/manifests/yaml/yaml.ts";
import { parseSettings } from "../../../src/settings/settings.ts";
import { freshDatabase } from "../../postgres.ts";
import { registerAndInstall } from "./browser.ts";

let place: string;
let world: LabWorld;
let port: number;
let first: Ran;
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "rectify-setup-test-"));
  const scenario = scenarioOf("scale");
  if (scenario === undefined) throw new Error("the lab has no scenario named scale");
  world = await openWorld(place, { ...scenario, world: { github: { unregistered: true }, scriptedModel: true } });
  await world.forge.push({ [guardrailsPath]: null }, { message: "Begin", author: "dev-ben", branch: "main" });
  await until("a synced shop", () => world.cluster.isSynced());
  port = await freePort();
  first = await setUp();
}, 240_000);
afterAll(async () => {
  await world.close();
  rmSync(place, { recursive: true, force: true, maxRetries: 5 });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return free;
}

interface Ran {
  readonly code: number;
  readonly lines: readonly string[];
}

/** Waits that fit an incident of seconds. */
const quickly = {
  ...{ RATE_WINDOW: "3s", LOOKBACK_MS: 30_000, HISTORY_MS: 120_000, POLL_MS: 250, ALERT_POLL_MS: 1_000 },
  ...{ SETTLE_MS: 1_500, COOL_DOWN_MS: 1_000, LINGER_MS: 1_500, SELF_HEAL_MS: 4_000, ALERTMANAGER_WARM_UP_MS: 1 },
};

/** `rectify setup --yes --config FILE` against the lab, with a person who does what it asks for. */
async function setUp(changes: Readonly<Record<string, unknown>> = {}): Promise<Ran> {
  const { repository, prometheus, alertmanager, loki, ollama, kubernetes } = world.settings;
  const file = join(place, "setup.yaml");
  const settings = {
    RECTIFY_REPOSITORY: `${repository.owner}/${repository.repo}`,
    GITHUB_API_URL: world.forge.apiUrl,
    GITHUB_WRITE_GAP_MS: 0,
    ...{ PROMETHEUS_URL: prometheus.url, ALERTMANAGER_URL: alertmanager.url, LOKI_URL: loki?.url },
    ...{ KUBERNETES_URL: kubernetes.url, OLLAMA_HOST: ollama?.host, OLLAMA_MODEL: ollama?.model },
    ...{ KYVERNO: "off", RECTIFY_DATA: join(place, "data") },
    ...{ PORT: port, INTERNAL_PORT: 0, PAGES_PORT: 0, HOST: "127.0.0.1" },
    ...quickly,
  };
  const webhookUrl = `http://127.0.0.1:${port}/webhooks/github`;
  writeFileSync(file, renderYaml({ directory: join(place, "secrets"), webhookUrl, settings, ...changes }));
  const lines: string[] = [];
  const people: Promise<unknown>[] = [];
  const hear = (line: string) => {
    lines.push(line);
    const address = /^Open (http:\S+)/.exec(line)?.[1];
    if (address !== undefined) people.push(registerAndInstall(address));
  };
  const code = await runSetup({ yes: true, config: file }, { KUBERNETES_TOKEN: "lab" }, hear);
  await Promise.all(people);
  return { code, lines };
}

test("from nothing to the onboarding pull request; run again, nothing is made twice; nothing secret is printed", async () => {
  const said = first.lines.join("\n");
  expect(said).toContain("the App rectify is registered");
  expect(said).toMatch(/good +ollama/);
  const [pull, ...others] = world.forge.pulls();
  expect(others).toEqual([]);
  expect(said).toContain(`pull request #${pull?.number} opened`);
  const text = (await world.forge.files("rectify/onboarding"))[guardrailsPath] ?? "";
  expect(readGuardrails(new TextEncoder().encode(text))).toMatchObject({
    ok: true,
    value: { mode: "shadow", namespaces: ["shop-production"], requiredChecks: [{ name: "rectify-policy" }] },
  });
  expect(said).toContain("send_resolved: true");
  expect(said).toMatch(/bad +guardrails/);

  const directory = join(place, "secrets");
  const files = readdirSync(directory).map((name) => join(directory, name));
  expect(files.map((path) => statSync(path).mode & 0o777)).toEqual(files.map(() => 0o600));
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  const { privateKey, webhookSecret, alertsToken, clientSecret } = JSON.parse(
    readFileSync(join(directory, "github-app.json"), "utf8"),
  );
  for (const secret of [privateKey.split("\n")[1], webhookSecret, alertsToken, clientSecret]) {
    expect(said).not.toContain(secret);
  }

  const before = files.map((path) => readFileSync(path, "utf8"));
  const again = (await setUp()).lines.join("\n");
  expect(again).toContain("registered already");
  expect(again).toContain("open already");
  expect(again).not.toContain("in a browser");
  expect(files.map((path) => readFileSync(path, "utf8"))).toEqual(before);
  expect(world.forge.pulls()).toHaveLength(1);
}, 240_000);

test("once a person has set the mode to live and merged it, an alert leads to a verified scale-up", async () => {
  const { forge, cluster } = world;
  const directory = join(place, "secrets");
  const onboarding = forge.pulls()[0]?.number ?? 0;
  const text = (await forge.files("rectify/onboarding"))[guardrailsPath] ?? "";
  const live = { [guardrailsPath]: text.replace('mode: "shadow"', 'mode: "live"') };
  await forge.push(live, { message: "Go live", author: "dev-ben", branch: "rectify/onboarding" });
  const people = { forge, say: () => undefined };
  await passCi(people, onboarding);
  await forge.mergeBy("dev-ben", onboarding);

  const lines = readFileSync(join(directory, "rectify.env"), "utf8").trim().split("\n");
  const read = lines.map((line) => /^(\w+)='([^']*)'$/.exec(line) ?? []).map(([, name, value]) => [name, value]);
  const settings = parseSettings(Object.fromEntries(read));
  if (!settings.ok) throw new Error(settings.problems.join("; "));
  const rectify = await startRectify(
    { ...settings.value, databaseUrl: await freshDatabase() },
    { log: () => undefined },
  );
  try {
    // The route that setup printed.
    const token = readFileSync(join(directory, "alerts-token"), "utf8");
    cluster.setAlertWebhook({ url: `http://127.0.0.1:${rectify.internalPort}/alerts`, token });
    await until("a quiet shop", () => cluster.firing().length === 0 && cluster.isSynced());
    cluster.setLoad("web", peak);
    const pull = await pullOpened(people, 2);
    await passCi(people, pull);
    await approve(people, pull);
    const ended = await until("the end of the incident", async () =>
      (await rectify.store.incidents(1)).find(({ ending }) => ending !== undefined),
    );
    expect(ended).toMatchObject({ ending: "recovered" });
    expect(forge.pulls()[1]).toMatchObject({ merged: true });
    expect(Object.keys((await forge.files("main")) ?? {})).toContain(guardrailsPath);
  } finally {
    await rectify.close();
  }
}, 240_000);

test("a wrong answer ends with 2 and names itself", async () => {
  const { code, lines } = await setUp({ secrets: "nowhere", settings: { PROMETHEUS_ULR: "http://127.0.0.1:1" } });
  expect(code).toBe(2);
  expect(lines.join("\n")).toContain("secrets: must be files or kubernetes");
});
