import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { getJson } from "../../src/adapters/http/http.ts";
import { withoutSecrets } from "../../src/settings/redaction.ts";
import { parseSettings } from "../../src/settings/settings.ts";

const needed = {
  RECTIFY_REPOSITORY: "acme/shop",
  APP_ID: "7",
  PRIVATE_KEY: "-----BEGIN PRIVATE KEY-----",
  WEBHOOK_SECRET: "w".repeat(32),
  ALERTS_TOKEN: "a".repeat(32),
  PROMETHEUS_URL: "https://mimir.example/prometheus",
  ALERTMANAGER_URL: "https://alerts.example",
};

/** The settings of these variables, or the problems in one text. */
function read(variables: Readonly<Record<string, string>>) {
  const loaded = parseSettings({ ...needed, ...variables });
  return loaded.ok ? loaded.value : loaded.problems.join("\n");
}

test("tenant and further headers, a password and a token in a file", () => {
  expect(
    read({
      ...{ PROMETHEUS_HEADERS: "X-Scope-OrgID=team-a|team-b, X-Team=a%2Cb", PROMETHEUS_TOKEN_PATH: "/run/token" },
      ...{ ALERTMANAGER_USERNAME: "rectify", ALERTMANAGER_PASSWORD: "p:w" },
      ...{ LOKI_URL: "https://loki.example", LOKI_USERNAME: "u", LOKI_PASSWORD_PATH: "/run/pw" },
    }),
  ).toMatchObject({
    prometheus: { headers: { "X-Scope-OrgID": "team-a|team-b", "X-Team": "a,b" }, secretFile: { path: "/run/token" } },
    alertmanager: { authorization: `Basic ${Buffer.from("rectify:p:w").toString("base64")}` },
    loki: { secretFile: { path: "/run/pw", user: "u" } },
  });
});

test.each([
  ["a password in an address", { PROMETHEUS_URL: "https://me:secret@prometheus.example" }, "must not hold a user"],
  ["a token in an address", { LOKI_URL: "https://glc_token@loki.example" }, "must not hold a user"],
  ["a password in Ollama's address", { OLLAMA_HOST: "https://me:secret@ollama.example" }, "must not hold a user"],
  ["a header that is none", { PROMETHEUS_HEADERS: "X-Scope-OrgID" }, "must be headers such as"],
  ["a header with a line break", { PROMETHEUS_HEADERS: "X-A=b%0D%0AEvil: 1" }, "must be headers such as"],
  ["credentials as a header", { LOKI_HEADERS: "Authorization=Bearer x" }, "must be headers such as"],
  ["two ways at once", { PROMETHEUS_TOKEN: "t", PROMETHEUS_TOKEN_PATH: "/t" }, "set one of"],
  ["a user without a password", { LOKI_USERNAME: "u" }, "go together"],
  ["a password without a user", { LOKI_PASSWORD: "u" }, "go together"],
])("%s is refused at the start", (_, variables, words) => {
  const problems = read(variables);
  expect(problems).toContain(words);
  expect(problems).not.toMatch(/secret@|glc_token/);
});

test("Ollama's address is taken as Ollama takes it", () => {
  expect(read({ OLLAMA_HOST: "models:8080" })).toMatchObject({ ollama: { host: "http://models:8080" } });
  expect(read({ OLLAMA_HOST: "0.0.0.0" })).toMatchObject({ ollama: { host: "http://127.0.0.1:11434" } });
});

test("no text shows a header's value, or the password behind basic authentication", () => {
  const settings = read({
    ...{ PROMETHEUS_HEADERS: "X-Api-Key=key-of-the-tenant", LOKI_URL: "https://loki.example" },
    ...{ LOKI_USERNAME: "rectify", LOKI_PASSWORD: "the-password" },
  });
  if (typeof settings === "string") throw new Error(settings);
  const shown = withoutSecrets(settings, 300)("failed with key-of-the-tenant and the-password");
  expect(shown).not.toMatch(/key-of-the-tenant|the-password/);
});

test("a secret that was written anew is sent with the next question; one that is gone is no answer", async () => {
  const heard: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    heard.push(request.headers.authorization, String(request.headers["x-scope-orgid"]));
    response.end("{}");
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const place = mkdtempSync(join(tmpdir(), "rectify-token-"));
  const path = join(place, "token");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const source = { name: "Mimir", url, secretFile: { path }, headers: { "X-Scope-OrgID": "team-a" } };
  writeFileSync(path, "one\n");
  await getJson(source, "/x");
  writeFileSync(path, "two\n");
  await getJson(source, "/x");
  await getJson({ ...source, secretFile: { path, user: "me" } }, "/x");
  const basic = `Basic ${Buffer.from("me:two").toString("base64")}`;
  expect(heard).toEqual(["Bearer one", "team-a", "Bearer two", "team-a", basic, "team-a"]);
  rmSync(place, { recursive: true });
  await expect(getJson(source, "/x")).rejects.toMatchObject({ name: "Unavailable" });
  server.close();
});
