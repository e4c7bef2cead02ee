import { createHmac } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listen, type Route } from "../../../src/adapters/http/listener.ts";
import { Unavailable } from "../../../src/ports/errors.ts";
import {
  alertsFront,
  type Front,
  healthFront,
  movedBelow,
  pagesFront,
  webhookFront,
} from "../../../src/server/several/front.ts";
import type { Part } from "../../../src/server/several/part.ts";
import { openUnserved } from "../../../src/server/several/unserved.ts";

const webhookSecret = "0123456789abcdef0123456789abcdef";
const alertsToken = "fedcba9876543210fedcba9876543210";
const html = { "content-type": "text/html; charset=utf-8" };
let heard: string[] = [];
let busy: readonly string[] = [];
let down: readonly string[] = [];
let hanging: readonly string[] = [];
let told: string[] = [];
const closing: (() => Promise<void>)[] = [];
let at: string;

/** The listener of one repository, which says what it heard. */
async function partOf(repository: string): Promise<Part> {
  const taking = (path: string): Route => ({
    ...{ method: "POST", path, limit: 1_000_000 },
    answer: async ({ body }) => {
      if (busy.includes(repository)) throw new Unavailable("full");
      heard.push(`${repository} ${path} ${body.toString("utf8")}`);
      return { status: 202, body: "accepted" };
    },
  });
  const page: Route = {
    ...{ method: "GET", path: "/*" },
    answer: async ({ url }) => ({
      ...{ status: 200, headers: html },
      body: `<nav><strong>Rectify</strong></nav><a href="/audit">${repository} ${url.pathname}${url.search}</a> href=&quot;/audit&quot;`,
    }),
  };
  const unlessHanging = () => (hanging.includes(repository) ? new Promise<never>(() => undefined) : undefined);
  const ready: Route = {
    ...{ method: "GET", path: "/readyz" },
    answer: async () => (await unlessHanging()) ?? { status: 200, body: "ready" },
  };
  const metrics: Route = {
    ...{ method: "GET", path: "/metrics" },
    answer: async () => (await unlessHanging()) ?? { status: 200, body: "# HELP up Up.\n# TYPE up gauge\nup 1\n" },
  };
  const routes = [taking("/webhooks/github"), taking("/alerts"), ready, metrics, page];
  const { port, close } = await listen(routes, { host: "127.0.0.1", port: 0 });
  closing.push(close);
  const isDown = () => down.includes(repository);
  return {
    ...{ repository, begun: Promise.resolve(undefined) },
    ports: () => (isDown() ? undefined : { webhooks: port, internal: port, pages: port }),
    pid: () => (isDown() ? undefined : 4711),
    trouble: () => (isDown() ? "exit code 1" : undefined),
    close,
  };
}

beforeEach(async () => {
  [heard, busy, down, hanging, told] = [[], [], [], [], []];
  const parts = [await partOf("acme/shop"), await partOf("acme/bank")];
  const unserved = openUnserved({ log: (_, __, text) => void told.push(text) });
  const front: Front = { parts, webhookSecret, alertsToken, unserved };
  const routes = [webhookFront(front), alertsFront(front), ...healthFront(front), ...pagesFront(front)];
  const { port, close } = await listen(routes, { host: "127.0.0.1", port: 0 });
  closing.push(close);
  at = `http://127.0.0.1:${port}`;
});
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

function deliver(body: string, secret = webhookSecret): Promise<Response> {
  const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const about = { "x-github-delivery": "1", "x-github-event": "issue_comment", "x-hub-signature-256": signature };
  return fetch(`${at}/webhooks/github`, {
    ...{ method: "POST", body },
    headers: { ...about, "content-type": "application/json" },
  });
}

const about = (name: string) => JSON.stringify({ repository: { full_name: name } });
const alert = (token = alertsToken) =>
  fetch(`${at}/alerts`, { method: "POST", body: "{}", headers: { authorization: `Bearer ${token}` } });

test("a delivery goes to the repository that it names, and to no other", async () => {
  expect((await deliver(about("Acme/Bank"))).status).toBe(202);
  expect(heard).toEqual([`acme/bank /webhooks/github ${about("Acme/Bank")}`]);
});

test.each([about("acme/farm"), about("acme/shop-2"), JSON.stringify({ action: "created" }), "[]", "null", "no JSON"])(
  "a delivery about nothing that is served reaches nobody: %s",
  async (body) => {
    expect((await deliver(body)).status).toBe(202);
    expect(heard).toEqual([]);
  },
);

test("a wrong signature is refused before anybody hears of it", async () => {
  expect((await deliver(about("acme/shop"), "another")).status).toBe(401);
  expect(heard).toEqual([]);
});

test("what is dropped because nothing of that name is served is counted, and told once for each name", async () => {
  for (const name of ["acme/till", "Acme/Till", "acme/farm"]) expect((await deliver(about(name))).status).toBe(202);
  await deliver(JSON.stringify({ action: "created", installation: { id: 1 } }));
  expect(heard).toEqual([]);
  expect(told).toEqual([
    expect.stringMatching(/^deliveries about acme\/till are dropped: .* renamed to it, write the new name there$/),
    expect.stringMatching(/^deliveries about acme\/farm are dropped/),
  ]);
  const text = await (await fetch(`${at}/metrics`)).text();
  expect(text).toContain("rectify_unserved_deliveries_total 3");
});

test("a delivery for a process that does not run is to come again", async () => {
  down = ["acme/bank"];
  expect((await deliver(about("acme/bank"))).status).toBe(503);
  expect((await deliver(about("acme/shop"))).status).toBe(202);
  expect(heard).toEqual([`acme/shop /webhooks/github ${about("acme/shop")}`]);
});

test("alerts are told to all, and only then accepted", async () => {
  expect((await alert("wrong")).status).toBe(401);
  expect(heard).toEqual([]);
  expect((await alert()).status).toBe(202);
  expect(heard.sort()).toEqual(["acme/bank /alerts {}", "acme/shop /alerts {}"]);
  busy = ["acme/bank"];
  expect((await alert()).status).toBe(503);
  [busy, down] = [[], ["acme/shop"]];
  expect((await alert()).status).toBe(503);
});

test("it is ready while anything is served, and says what is not", async () => {
  down = ["acme/bank"];
  const one = await fetch(`${at}/readyz`);
  expect([one.status, await one.text()]).toEqual([200, "acme/shop: ready\nacme/bank: exit code 1"]);
  down = ["acme/shop", "acme/bank"];
  expect((await fetch(`${at}/readyz`)).status).toBe(503);
});

test("one that hangs takes neither readiness nor metrics from the others, and is not told as up", async () => {
  hanging = ["acme/shop"];
  const one = await fetch(`${at}/readyz`);
  expect([one.status, await one.text()]).toEqual([200, "acme/shop: no answer yet\nacme/bank: ready"]);
  const text = await (await fetch(`${at}/metrics`)).text();
  expect(text).toContain('rectify_repository_up{repository="acme/shop"} 0');
  expect(text).toContain('rectify_repository_up{repository="acme/bank"} 1');
  hanging = ["acme/shop", "acme/bank"];
  expect((await fetch(`${at}/readyz`)).status).toBe(503);
});

test("metrics say of which repository they are", async () => {
  down = ["acme/bank"];
  const text = await (await fetch(`${at}/metrics`)).text();
  expect(text).toContain('up{repository="acme/shop"} 1');
  expect(text).toContain('rectify_repository_up{repository="acme/bank"} 0');
});

test("each has its pages below its name, and their links stay there", async () => {
  const list = await (await fetch(`${at}/system`)).text();
  expect(list).toContain('href="/repositories/acme/shop/"');
  expect(list).toContain('href="/repositories/acme/bank/system"');
  expect(list).toContain("process 4711");
  const page = await (await fetch(`${at}/repositories/acme/bank/incidents/x?after=1`)).text();
  expect(page).toBe(
    '<nav><strong><a href="/">Rectify</a></strong> <strong>acme/bank</strong></nav><a href="/repositories/acme/bank/audit">acme/bank /incidents/x?after=1</a> href=&quot;/audit&quot;',
  );
  expect((await fetch(`${at}/repositories/acme/ban`)).status).toBe(404);
  down = ["acme/bank"];
  const away = await fetch(`${at}/repositories/acme/bank/`);
  expect([away.status, await away.text()]).toEqual([503, "acme/bank is not running: exit code 1"]);
});

test("what is no page, and what leads to another host, stays as it is", () => {
  const file = { status: 200, headers: { "content-type": "application/json" }, body: '{"a": "<a href=\\"/x\\">"}' };
  expect(movedBelow(file, { repository: "a/b" })).toEqual(file);
  const page = { status: 200, headers: html, body: '<a href="//evil.example">x</a>' };
  expect(movedBelow(page, { repository: "a/b" }).body).toBe(page.body);
});
