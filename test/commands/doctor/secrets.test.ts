import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { examine, renderFindings } from "../../../src/commands/doctor/doctor.ts";
import { withoutSecrets } from "../../../src/settings/redaction.ts";
import { parseSettings, type Settings } from "../../../src/settings/settings.ts";
import { cliProgram } from "../../cli-program.ts";
import { key } from "../../lab/forge-shop.ts";

const clock = { now: () => new Date() };
// None of them looks like a secret: only who knows them can take them out.
const secrets = {
  WEBHOOK_SECRET: "webhook: correct horse battery staple",
  SEAL_KEY: "sealing: correct horse battery staple",
  ALERTS_TOKEN: "alerts: correct horse battery staple",
  PROMETHEUS_TOKEN: "prometheus-plain-word",
  ALERTMANAGER_TOKEN: "alertmanager-plain-word",
  LOKI_TOKEN: "loki-plain-word",
  KUBERNETES_TOKEN: "kubernetes-plain-word",
  PAGES_PROXY_SECRET: "pages: correct horse battery staple",
};
const postgres = "my-postgres-password";
const keyLines = key.split("\n").filter((line) => line.length > 20 && !line.startsWith("-----"));
const everySecret = [...Object.values(secrets), postgres, ...keyLines];

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that refuses everything and tells whoever asks what they sent: headers, address, and all we know. */
async function echo(status: number): Promise<string> {
  const server = createServer((request, response) => {
    const said = JSON.stringify([request.url, request.headers, Object.values(secrets), postgres]).replaceAll('"', "'");
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ kind: "Status", code: status, error: said, message: said }));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  closing.push(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function settingsAt(host: string): Settings {
  const read = parseSettings({
    ...{ ...secrets, RECTIFY_REPOSITORY: "acme/shop", APP_ID: "7", PRIVATE_KEY: key, KYVERNO: "/nonexistent/kyverno" },
    PAGES_USER_HEADER: "X-User",
    ...{ PORT: "0", INTERNAL_PORT: "0", GITHUB_API_URL: `http://${host}` },
    ...{ GITHUB_CLONE_URL: `http://${host}/acme/shop.git`, OLLAMA_HOST: `http://${host}` },
    ...{ PROMETHEUS_URL: `http://${host}`, ALERTMANAGER_URL: `http://${host}` },
    ...{ LOKI_URL: `http://${host}`, KUBERNETES_URL: `http://${host}` },
    DATABASE_URL: `postgresql://rectify:${postgres}@127.0.0.1:1/rectify`,
  });
  if (!read.ok) throw new Error(read.problems.join());
  return read.value;
}

test.each([
  ["a server that sends back what it was sent", 403],
  ["one that fails and tells all", 500],
])("no secret is in what the doctor says: %s", async (_where, status) => {
  const settings = settingsAt(await echo(status));
  const findings = await examine({ ok: true, value: settings }, clock);
  expect(findings.filter(({ state }) => state === "bad").length).toBeGreaterThan(5);
  const text = renderFindings(findings);
  for (const secret of everySecret) expect(text).not.toContain(secret);
  // Something was there to be taken out: otherwise this proves nothing.
  expect(text).toContain("«masked»");
});

test("a password in an address is refused, and not repeated", async () => {
  const addresses = ["GITHUB_CLONE_URL", "OLLAMA_HOST", "PROMETHEUS_URL", "ALERTMANAGER_URL", "LOKI_URL"];
  const password = "my-plain-password";
  const env = Object.fromEntries(addresses.map((name) => [name, `http://rectify:${password}@127.0.0.1:1`]));
  const text = renderFindings(await examine(parseSettings(env), clock));
  for (const name of addresses) expect(text).toContain(name);
  expect(text).not.toContain(password);
});

test("settings that are wrong are named without their values", async () => {
  const wrong = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, value.slice(0, 21)]));
  const loaded = parseSettings({
    ...wrong,
    PRIVATE_KEY: "plain-private-word",
    DATABASE_URL: `mysql://a:${postgres}@b/c`,
  });
  const text = renderFindings(await examine(loaded, clock));
  expect(text).toContain("DATABASE_URL");
  for (const secret of [...Object.values(wrong), "plain-private-word", postgres]) expect(text).not.toContain(secret);
});

test("every secret of the settings is taken out, also as an address or a header writes it", () => {
  const clean = withoutSecrets(settingsAt("127.0.0.1:1"), 10_000);
  const written = everySecret.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString("base64"),
  ]);
  const text = clean(`before ${written.join(" | ")} after`);
  for (const secret of written) expect(text).not.toContain(secret);
  expect(text).toMatch(/^before «masked».* after$/);
});

test("a secret that somebody cut in the middle is taken out as well", () => {
  const clean = withoutSecrets(settingsAt("127.0.0.1:1"), 10_000);
  for (const secret of everySecret) expect(clean(`said ${secret.slice(0, 13)}`)).toBe("said «masked»");
});

test("the command line prints one JSON object with what is wrong, and exits with code 1", async () => {
  const run = spawnSync(process.execPath, [await cliProgram(), "doctor", "--json"], {
    env: { PATH: process.env.PATH, ...secrets },
    encoding: "utf8",
  });
  expect(run.status).toBe(1);
  const { ok, points } = JSON.parse(run.stdout) as { ok: boolean; points: Record<string, unknown>[] };
  expect(ok).toBe(false);
  const missing = "RECTIFY_REPOSITORY: is missing";
  const fix = "set the GitOps repository as owner/name";
  expect(points).toContainEqual({ name: "settings", state: "bad", ok: false, because: missing, fix });
  for (const secret of Object.values(secrets)) expect(run.stdout + run.stderr).not.toContain(secret);
});

test("what is wrong with the settings is readable, though it speaks of secrets", async () => {
  const findings = await examine(parseSettings({}), clock);
  const text = renderFindings(findings);
  expect(text).not.toContain("«masked»");
  expect(findings.map(({ found }) => found)).toEqual(
    expect.arrayContaining(["WEBHOOK_SECRET: is missing", "PRIVATE_KEY: is missing or cannot be read"]),
  );
});
