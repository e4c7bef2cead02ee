import { readFileSync } from "node:fs";
import { request } from "node:http";
import { afterEach, expect, test } from "vitest";
import { type AppPlace, appManifest, appNameFor } from "../../../src/commands/setup/app-manifest.ts";
import type { Converted } from "../../../src/commands/setup/conversion.ts";
import { type Registration, registerApp } from "../../../src/commands/setup/registration.ts";
import type { ForgeOptions } from "../../../src/lab/forge/forge.ts";
import { parseYaml } from "../../../src/manifests/yaml/yaml.ts";
import { webAddress } from "../../../src/settings/links.ts";
import { app, connect, startShop } from "../../lab/forge-shop.ts";
import { press, registerAndInstall } from "./browser.ts";

const appFile = readFileSync("app.yml", "utf8");
const place: AppPlace = {
  name: "rectify-acme",
  redirectUrl: "http://127.0.0.1:1/registered",
  webhookUrl: "https://rectify.example/webhooks/github",
  pagesUrl: undefined,
};
let forge: Awaited<ReturnType<typeof startShop>> | undefined;
afterEach(async () => {
  await forge?.close();
  forge = undefined;
});

interface Running {
  readonly address: Promise<string>;
  readonly registered: Promise<Converted>;
  readonly kept: Converted[];
}

async function running(changes: Partial<Registration> = {}, options: Partial<ForgeOptions> = {}): Promise<Running> {
  forge = await startShop({ unregistered: true, ...options });
  const { apiUrl } = forge;
  const kept: Converted[] = [];
  const opened: { say?: (address: string) => void } = {};
  const address = new Promise<string>((say) => Object.assign(opened, { say }));
  const registered = registerApp({
    ...{ apiUrl, webUrl: webAddress(apiUrl), organization: undefined, port: 0, deadlineMs: 60_000 },
    manifest: (redirectUrl) => appManifest(appFile, { ...place, redirectUrl }),
    open: (at) => opened.say?.(at),
    keep: (converted) => kept.push(converted),
    ...changes,
  });
  registered.catch(() => undefined);
  return { address, registered, kept };
}

test("the manifest asks for exactly what app.yml asks for", () => {
  const file = parseYaml(appFile);
  const written = file.ok ? (file.value as Record<string, unknown>) : {};
  const manifest = appManifest(appFile, place);
  expect(manifest.default_permissions).toEqual(written.default_permissions);
  expect(manifest.default_events).toEqual(written.default_events);
  expect(manifest).toMatchObject({ public: false, hook_attributes: { url: place.webhookUrl, active: true } });
});

test("without an address for webhooks they are off, and the pages' sign-in has its callback", () => {
  const manifest = appManifest(appFile, { ...place, webhookUrl: undefined, pagesUrl: "https://pages.example/" });
  expect(manifest.hook_attributes.active).toBe(false);
  expect(manifest).toMatchObject({ callback_urls: ["https://pages.example/login/callback"] });
});

test("a name is no longer than GitHub takes", () => {
  expect(appNameFor("a".repeat(40))).toHaveLength(34);
  expect(appNameFor("acme")).toBe("rectify-acme");
});

test.each([undefined, "acme"])("a person registers and installs the App (organization: %s)", async (organization) => {
  const { address, registered, kept } = await running({ organization });
  await registerAndInstall(await address);
  const converted = await registered;
  expect(converted).toMatchObject({ id: app.id, pem: app.privateKeyPem, webhook_secret: app.webhookSecret });
  expect(kept).toEqual([converted]);
  expect(forge && (await connect(forge)).client.login).toBe("rectify[bot]");
});

test("no answer of another registration is taken, and none twice", async () => {
  const { address, registered } = await running();
  const { origin } = new URL(await address);
  expect((await fetch(`${origin}/registered?code=abc&state=${"0".repeat(64)}`)).status).toBe(403);
  expect((await fetch(`${origin}/registered?code=abc`)).status).toBe(403);
  expect((await fetch(`${origin}/`)).status).toBe(404);
  // No address at all: whoever sends it does not end the registration.
  expect(await statusOf(origin, "//")).toBe(404);
  const back = await registerAndInstall(await address);
  await registered;
  await expect(fetch(back)).rejects.toThrow();
});

test("a page that reaches this machine under another name learns nothing", async () => {
  const { address } = await running();
  const { origin, port, pathname } = new URL(await address);
  expect(await statusOf(origin, pathname, { host: `rebound.example:${port}` })).toBe(404);
});

function statusOf(origin: string, path: string, headers: Readonly<Record<string, string>> = {}) {
  const { hostname: host, port } = new URL(origin);
  return new Promise<number | undefined>((done) => {
    request({ host, port, path, headers }, (answer) => done(answer.statusCode)).end();
  });
}

/** GitHub sends back a code that it does not know. */
async function forgedCode(address: string): Promise<Response> {
  const action = /action="([^"]*)"/.exec(await (await fetch(address)).text())?.[1] ?? "";
  const state = new URL(action).searchParams.get("state") ?? "";
  return fetch(`${new URL(address).origin}/registered?code=forged&state=${state}`);
}

test("a code that GitHub does not know ends the registration, and the page says so", async () => {
  const { address, registered } = await running();
  const shown = await forgedCode(await address);
  expect(shown.status).toBe(500);
  expect(await shown.text()).toContain("start again");
  await expect(registered).rejects.toThrow("HTTP 404");
});

test("an organization that is not there is GitHub's to refuse", async () => {
  const { address, registered } = await running({ organization: "others" });
  expect((await press(await address)).status).toBe(404);
  await forgedCode(await address);
  await expect(registered).rejects.toThrow();
});

test("nobody waits for ever for a person", async () => {
  const { registered } = await running({ deadlineMs: 1 });
  await expect(registered).rejects.toThrow("nobody registered the App in time");
});
