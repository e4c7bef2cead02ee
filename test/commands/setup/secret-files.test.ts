import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Answers } from "../../../src/commands/setup/answers.ts";
import { alertmanagerRoute, startLines } from "../../../src/commands/setup/next-steps.ts";
import {
  appToKeep,
  filesOf,
  keepApp,
  keptApp,
  podNotes,
  writeSecretFile,
} from "../../../src/commands/setup/secret-files.ts";
import { alertRouteOf } from "../../../src/commands/doctor/alert-route.ts";
import { parseYaml, parseYamlDocuments } from "../../../src/manifests/yaml/yaml.ts";
import { parseSettings } from "../../../src/settings/settings.ts";
import { key } from "../../lab/forge-shop.ts";
import { scratchDirectory } from "../../scratch.ts";

const converted = {
  ...{ id: 7, slug: "rectify-acme", html_url: "https://github.com/apps/rectify-acme", pem: key },
  ...{ webhook_secret: "w".repeat(40), client_id: "Iv1.1", client_secret: "c".repeat(40) },
};
const never = async () => false;

function answers(changes: Partial<Answers> = {}): Answers {
  return {
    ...{ owner: "acme", repo: "gitops", organization: undefined, appName: "rectify-acme", webhookUrl: undefined },
    ...{ secrets: "files", directory: "/keys", namespaces: undefined, apiUrl: "https://api.github.com", app: {} },
    ...{ rectifyNamespace: "rectify", alertmanagerNamespace: "monitoring", port: 0, waitMinutes: 1 },
    settings: {
      ...{ RECTIFY_REPOSITORY: "acme/gitops", PROMETHEUS_URL: "http://prom:9090", ALERTMANAGER_URL: "http://am:9093" },
      ...{ PROMETHEUS_TOKEN: "t0ken", DATABASE_URL: "postgresql://u:pw@db/rectify" },
    },
    ...changes,
  };
}

test("an App is kept once, for its owner alone, and found again", () => {
  const directory = join(scratchDirectory(), "keys");
  expect(keptApp(directory)).toBeUndefined();
  const kept = keepApp(directory, appToKeep(converted, undefined));
  expect(keptApp(directory)).toEqual(kept);
  expect(kept.installUrl).toBe("https://github.com/apps/rectify-acme/installations/new");
  expect(readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777)).toEqual([0o600, 0o600]);
  expect(readFileSync(join(directory, ".gitignore"), "utf8")).toBe("*\n");
  expect(() => keepApp(directory, appToKeep(converted, undefined))).toThrow();
  writeFileSync(join(directory, "github-app.json"), "{}");
  expect(() => keptApp(directory)).toThrow("move it away");
});

test("where GitHub makes no webhook secret, or a short one, we make one", () => {
  expect(appToKeep({ ...converted, webhook_secret: null }, undefined).webhookSecret).toMatch(/^[0-9a-f]{64}$/);
  expect(appToKeep({ ...converted, webhook_secret: "short" }, undefined).webhookSecret).toMatch(/^[0-9a-f]{64}$/);
});

test("a file that says something else is replaced only where that was allowed", async () => {
  const path = join(scratchDirectory(), "secret");
  expect(await writeSecretFile(path, "one", never)).toBe("written");
  expect(await writeSecretFile(path, "one", never)).toBe("unchanged");
  expect(await writeSecretFile(path, "two", never)).toBe("kept");
  expect(readFileSync(path, "utf8")).toBe("one");
  expect(await writeSecretFile(path, "two", async () => true)).toBe("replaced");
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a link that others laid is not written through", async () => {
  const directory = scratchDirectory();
  mkdirSync(join(directory, "others"));
  const target = join(directory, "others", "file");
  writeFileSync(target, "theirs");
  symlinkSync(target, join(directory, "secret"));
  await writeSecretFile(join(directory, "secret"), "ours", async () => true);
  expect(readFileSync(target, "utf8")).toBe("theirs");
});

test("serve reads the environment file that was written", () => {
  const files = filesOf(answers({ directory: scratchDirectory() }), appToKeep(converted, undefined));
  const lines = (files["rectify.env"] ?? "").trim().split("\n");
  const read = lines
    .map((line) => /^(\w+)='([^']*)'$/.exec(line) ?? [])
    .map(([, name = "", value = ""]) => [name, value]);
  const settings = parseSettings(Object.fromEntries(read), () => files["private-key.pem"] ?? "");
  expect(settings).toMatchObject({
    ok: true,
    value: {
      app: { id: 7, privateKey: key },
      webhookSecret: converted.webhook_secret,
      prometheus: { url: "http://prom:9090" },
    },
  });
});

test("a value that no environment file can hold is refused, not mangled", () => {
  const settings = { ...answers().settings, PROMETHEUS_PASSWORD: "it's" };
  expect(() => filesOf(answers({ settings }), appToKeep(converted, undefined))).toThrow("PROMETHEUS_PASSWORD_PATH");
});

test("a cluster gets the Secrets that the manifests name, and values without a secret", () => {
  const kept = appToKeep(converted, "a".repeat(64));
  const files = filesOf(answers({ secrets: "kubernetes" }), kept);
  const secrets = parseYamlDocuments(files["secrets.yaml"] ?? "");
  expect(secrets.ok && secrets.value).toMatchObject([
    { metadata: { name: "rectify-app", namespace: "rectify" }, stringData: { "app-id": "7", "private-key.pem": key } },
    { metadata: { name: "rectify-alerts", namespace: "rectify" }, stringData: { token: kept.alertsToken } },
    { metadata: { name: "rectify-alerts", namespace: "monitoring" }, stringData: { token: kept.alertsToken } },
    { metadata: { name: "rectify-postgres" }, stringData: { url: "postgresql://u:pw@db/rectify" } },
    { metadata: { name: "rectify-sources", namespace: "rectify" }, stringData: { PROMETHEUS_TOKEN: "t0ken" } },
  ]);
  const values = parseYaml(files["values.yaml"] ?? "");
  expect(values.ok && values.value).toEqual({
    repository: "acme/gitops",
    settings: { PROMETHEUS_URL: "http://prom:9090", ALERTMANAGER_URL: "http://am:9093" },
  });
});

test("a cluster gets nothing that holds on this machine alone, and setup says so", () => {
  const settings = {
    ...answers().settings,
    ...{ HOST: "127.0.0.1", PORT: "39111", INTERNAL_PORT: "39112", RECTIFY_DATA: "/home/me/data" },
    ...{ KUBERNETES_URL: "https://10.0.0.1:6443", KUBERNETES_TOKEN: "the administrator's" },
    ...{
      NODE_EXTRA_CA_CERTS: "/etc/ssl/mine.pem",
      LOKI_TOKEN_PATH: "/etc/rectify/sources/loki",
      KYVERNO: "/usr/bin/kyverno",
    },
    ...{ LOKI_URL: "http://localhost:3100" },
  };
  const files = filesOf(answers({ secrets: "kubernetes", settings }), appToKeep(converted, undefined));
  const values = parseYaml(files["values.yaml"] ?? "");
  expect(values.ok && values.value).toMatchObject({
    settings: {
      ...{ PROMETHEUS_URL: "http://prom:9090", ALERTMANAGER_URL: "http://am:9093" },
      ...{ LOKI_TOKEN_PATH: "/etc/rectify/sources/loki", LOKI_URL: "http://localhost:3100" },
    },
  });
  for (const left of ["39111", "39112", "/home/me", "10.0.0.1", "mine.pem", "/usr/bin"])
    expect(files["values.yaml"]).not.toContain(left);
  expect(files["secrets.yaml"]).not.toContain("administrator");
  const notes = podNotes(answers({ secrets: "kubernetes", settings })).join("\n");
  expect(notes.match(/^\w+/gm)).toEqual([
    ...["KUBERNETES_URL", "KUBERNETES_TOKEN", "NODE_EXTRA_CA_CERTS", "KYVERNO", "LOKI_URL"],
  ]);
  expect(podNotes(answers({ secrets: "files", settings }))).toEqual([]);
});

test("a proxy's password is a secret, and a cluster without a Postgres is told how to name one", () => {
  const { DATABASE_URL: _, ...others } = answers().settings;
  const settings = {
    ...others,
    HTTPS_PROXY: "http://alice:hunter2@proxy.example:3128",
    HTTP_PROXY: "http://proxy:3128",
  };
  const kubernetes = answers({ secrets: "kubernetes", settings });
  const files = filesOf(kubernetes, appToKeep(converted, undefined));
  expect(files["values.yaml"]).not.toContain("hunter2");
  expect(files["values.yaml"]).toContain("http://proxy:3128");
  expect(files["secrets.yaml"]).toContain("hunter2");
  expect(podNotes(kubernetes)[0]).toContain("DATABASE_URL is not given");
  expect(startLines(kubernetes).join("\n")).toContain("create secret generic rectify-postgres");
});

test("a cluster's pages let people sign in where they have an address", () => {
  const settings = { ...answers().settings, PAGES_URL: "https://rectify.example.com" };
  const files = filesOf(answers({ secrets: "kubernetes", settings }), appToKeep(converted, undefined));
  const secrets = parseYamlDocuments(files["secrets.yaml"] ?? "");
  expect(secrets.ok && secrets.value.at(-1)).toMatchObject({
    metadata: { name: "rectify-sources" },
    stringData: { PROMETHEUS_TOKEN: "t0ken", PAGES_CLIENT_SECRET: converted.client_secret },
  });
  expect(files["values.yaml"]).toContain("PAGES_CLIENT_ID: Iv1.1");
  expect(files["values.yaml"]).not.toContain(converted.client_secret);
});

test.each(["files", "kubernetes"] as const)(
  "the route for %s is one that the doctor knows, without the token",
  (secrets) => {
    const lines = alertmanagerRoute(answers({ secrets })).filter((line) => line.startsWith("  "));
    const parsed = parseYaml(lines.join("\n"));
    const { route, receivers } = (parsed.ok ? parsed.value : {}) as { route: object; receivers: object[] };
    expect(alertRouteOf({ route, receivers })).toMatchObject({ kind: "routed", receiver: "rectify" });
    expect(startLines(answers({ secrets })).length).toBeGreaterThan(1);
  },
);
