import { createHmac, generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Durable } from "../../src/adapters/dbos/durable.ts";
import { listen } from "../../src/adapters/http/listener.ts";
import { openMeter } from "../../src/adapters/telemetry/metrics.ts";
import { openStore, type Store } from "../../src/adapters/postgres/store.ts";
import { createApp } from "../../src/server/github-app.ts";
import type { Alert } from "../../src/domain/incident/alert.ts";
import { type Inbox, openInbox } from "../../src/server/inbox.ts";
import type { Message } from "../../src/ports/workflow.ts";
import type { Ports } from "../../src/ports/ports.ts";
import { internalRoutes, webhookRoutes } from "../../src/server/routes.ts";
import { aDelivery, anAlert } from "../builders.ts";
import { concernsIn } from "../concerns.ts";
import { startEngine } from "../engine.ts";
import { migratedDatabase } from "../postgres.ts";

const secret = "0123456789abcdef0123456789abcdef";
const token = "fedcba9876543210fedcba9876543210";
const repositoryId = 4242;
const meter = openMeter();
const heard: { incident: string; message: Message }[] = [];
let store: Store;
let durable: Durable;
let inbox: Inbox;
let active: readonly Alert[] = [];
let urls: { internal: string; webhooks: string };
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const url = await migratedDatabase();
  store = meter.watchStore(await openStore(url));
  const telemetry = { log: () => undefined };
  const timings = { pollMs: 50 } as Ports["timings"];
  durable = await startEngine({
    url,
    ports: { telemetry, timings } as unknown as Ports,
    recoveries: store,
    alone: store.alone,
    mostRecoveries: 3,
    executor: { id: "one", during: (work) => work(), isServed: async () => false },
    endLease: async () => undefined,
    rollBack: async () => undefined,
    // The workflow of these tests only listens.
    remediate: async (incident, run) => {
      for (;;) {
        const message = await run.message(60_000);
        if (message) heard.push({ incident: incident.uid, message });
      }
    },
  });
  const alerts = { active: async () => active };
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const privateKey = key.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const app = createApp({
    ...{ id: 1, privateKey, webhookSecret: secret, repositoryId },
    wake: (...about) => inbox.wake(...about),
  });
  const concerns = concernsIn();
  const runLateCommand = async () => undefined;
  inbox = openInbox({
    store,
    durable,
    alerts,
    concerns,
    telemetry,
    cluster: "test",
    holder: "me",
    runLateCommand,
    app: () => app,
  });
  const intake = { store, app, alertsToken: token, notify: inbox.notify };
  const internal = await listen(internalRoutes(intake), { host: "127.0.0.1", port: 0 });
  const webhooks = await listen(webhookRoutes(intake), { host: "127.0.0.1", port: 0 });
  urls = { internal: `http://127.0.0.1:${internal.port}`, webhooks: `http://127.0.0.1:${webhooks.port}` };
  closing.push(internal.close, webhooks.close, inbox.close, durable.shutdown, store.close);
});
afterAll(async () => {
  for (const close of closing) await close();
});

const authorized = { authorization: `Bearer ${token}`, "content-type": "application/json" };

async function post(path: string, body: string, headers: Record<string, string> = authorized): Promise<number> {
  return (await fetch(urls.internal + path, { method: "POST", body, headers })).status;
}

async function deliver(alerts: readonly Alert[], changes: Readonly<Record<string, unknown>> = {}): Promise<void> {
  expect(await post("/alerts", JSON.stringify(aDelivery(alerts, changes)))).toBe(202);
  await drained();
}

async function drained(): Promise<void> {
  inbox.notify();
  await expect.poll(() => store.waitingCount(), { interval: 10 }).toBe(0);
}

function alertOf(deployment: string, changes: Partial<Alert> = {}): Alert {
  const labels = { alertname: "HighRequestLatency", namespace: "shop", deployment, severity: "critical" };
  return anAlert({ labels, fingerprint: `f-${deployment}`, ...changes });
}

const openOf = (deployment: string) => store.openIncidentOf(`shop/Deployment/${deployment}`, "test");

test("alerts need credentials, bearer or basic, before a byte of the body is read", async () => {
  const basic = `Basic ${Buffer.from(`alertmanager:${token}`).toString("base64")}`;
  expect(await post("/alerts", "{}", {})).toBe(401);
  expect(await post("/alerts", "{}", { authorization: "Bearer wrong" })).toBe(401);
  expect(await post("/alerts", "{}", { authorization: basic })).toBe(202);
  await drained();
});

test("what cannot be read is kept and ignored, and its neighbours count", async () => {
  expect(await post("/alerts", "{ cut")).toBe(202);
  const good = JSON.parse(JSON.stringify(aDelivery([alertOf("mixed")]))) as { alerts: unknown[] };
  good.alerts.unshift({ status: "firing", labels: "none" });
  expect(await post("/alerts", JSON.stringify(good))).toBe(202);
  await drained();
  expect(await openOf("mixed")).toBeDefined();
});

test("the same alert from three peers is one incident", async () => {
  for (let peer = 0; peer < 3; peer += 1) await deliver([alertOf("web")]);
  const open = await openOf("web");
  expect(await store.alertsOf(open?.incident.uid ?? "")).toHaveLength(1);
  expect((await store.unfinished()).filter((item) => item.incident.workload.name === "web")).toHaveLength(1);
});

test("a second alert of a workload joins its incident", async () => {
  await deliver([alertOf("web", { fingerprint: "f-other", name: "HighErrorRate" })]);
  const open = await openOf("web");
  expect(await store.alertsOf(open?.incident.uid ?? "")).toHaveLength(2);
});

test("resolved is not firing: alone it opens nothing, later it wakes the workflow", async () => {
  await deliver([alertOf("calm", { status: "resolved" })]);
  expect(await openOf("calm")).toBeUndefined();
  const uid = (await openOf("web"))?.incident.uid;
  const before = heard.length;
  await deliver([alertOf("web", { status: "resolved" })]);
  await expect.poll(() => heard.slice(before).map((item) => item.incident)).toEqual([uid]);
});

test("a workflow whose turn has come is woken once as long as it stays so", async () => {
  await deliver([alertOf("waits")]);
  const uid = (await openOf("waits"))?.incident.uid ?? "";
  const candidate = {
    ...{ incident: uid, workload: { kind: "Deployment", namespace: "shop", name: "waits" } as const },
    ...{ alert: "HighRequestLatency", severity: "critical", startedAt: "2026-11-24T02:00:00Z", summary: "scale" },
  };
  const turns = () => heard.filter(({ incident, message }) => incident === uid && message.kind === "turn").length;
  for (const ready of [[candidate], [candidate], [], [candidate]]) await inbox.wakeWaiting(ready);
  await expect.poll(turns, { interval: 10 }).toBe(2);
});

test("a poll of Alertmanager finds a lost alert and a lost end", async () => {
  active = [alertOf("lost")];
  await inbox.poll();
  const uid = (await openOf("lost"))?.incident.uid ?? "";
  expect((await store.alertsOf(uid)).map((alert) => alert.status)).toEqual(["firing"]);
  active = [];
  await inbox.poll();
  expect((await store.alertsOf(uid)).map((alert) => alert.status)).toEqual(["firing"]);
  await inbox.poll();
  expect((await store.alertsOf(uid)).map((alert) => alert.status)).toEqual(["resolved"]);
});

test("a group that Alertmanager cut off is asked for", async () => {
  active = [alertOf("cut-a"), alertOf("cut-b")];
  await deliver([alertOf("cut-a")], { truncatedAlerts: 1 });
  await expect.poll(() => openOf("cut-b"), { interval: 10 }).toBeDefined();
  // Such questions follow each other at once: what they do not show is not over for that.
  active = [];
  for (let round = 0; round < 3; round += 1) await deliver([alertOf("cut-a")], { truncatedAlerts: 1 });
  const uid = (await openOf("cut-b"))?.incident.uid ?? "";
  expect((await store.alertsOf(uid)).map(({ status }) => status)).toEqual(["firing"]);
});

test("above its high water the inbox asks senders to come back, and the process lives", async () => {
  const full = { ...store, waitingCount: async () => 10_001 };
  const intake = { store: full, app: { verify: async () => true }, alertsToken: token, notify: () => undefined };
  const listener = await listen(internalRoutes(intake), { host: "127.0.0.1", port: 0 });
  const at = `http://127.0.0.1:${listener.port}`;
  const body = JSON.stringify(aDelivery([alertOf("late")]));
  const posted = await fetch(`${at}/alerts`, { method: "POST", body, headers: authorized });
  expect([posted.status, posted.headers.get("retry-after")]).toEqual([503, "5"]);
  expect([(await fetch(`${at}/healthz`)).status, (await fetch(`${at}/readyz`)).status]).toEqual([200, 503]);
  await listener.close();
});

const sign = (body: string) => `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;

async function webhook(body: string, headers: Record<string, string>): Promise<number> {
  const all = { "content-type": "application/json", "x-github-event": "issue_comment", ...headers };
  return (await fetch(`${urls.webhooks}/webhooks/github`, { method: "POST", body, headers: all })).status;
}

const comment = (text: string, id = repositoryId) =>
  JSON.stringify({
    action: "created",
    issue: { number: 7, pull_request: {} },
    comment: { id: 99, body: text },
    repository: { id, name: "shop", owner: { login: "o" }, full_name: "o/shop" },
    installation: { id: 1 },
  });

test("a webhook without a genuine signature is refused", async () => {
  const body = comment("/approve-scale");
  const forged = `sha256=${createHmac("sha256", "development").update(body).digest("hex")}`;
  expect(await webhook(body, { "x-github-delivery": "d0" })).toBe(401);
  expect(await webhook(body, { "x-github-delivery": "d0", "x-hub-signature-256": forged })).toBe(401);
  expect(await webhook(body, { "x-github-delivery": "d0", "x-hub-signature-256": "sha256=zz" })).toBe(401);
  expect(await store.waitingCount()).toBe(0);
});

test("one delivery id has one effect, however often it comes", async () => {
  const open = await openOf("web");
  await store.recordPull(7, open?.incident.uid ?? "");
  const body = comment("/approve-scale");
  const before = heard.length;
  for (let time = 0; time < 3; time += 1) {
    expect(await webhook(body, { "x-github-delivery": "d1", "x-hub-signature-256": sign(body) })).toBe(202);
  }
  await drained();
  const commands = () => heard.slice(before).filter((item) => item.message.kind === "command");
  await expect.poll(commands).toHaveLength(1);
  // The messages of a workflow arrive in order: one more alert behind it shows that no second command came before.
  await deliver([alertOf("web", { fingerprint: "f-third", name: "HighErrorRate" })]);
  await expect.poll(() => heard.at(-1)?.message.kind).toBe("alert");
  expect(commands()).toHaveLength(1);
});

test("G09 an event of another repository of the installation wakes nobody, is on record, and is counted", async () => {
  const open = await openOf("web");
  await store.recordPull(7, open?.incident.uid ?? "");
  const foreign = comment("/approve-scale", repositoryId + 1);
  const before = heard.length;
  const ignored = async () => {
    const { body } = await meter.route.answer({ body: Buffer.alloc(0), headers: {}, url: new URL("http://x/metrics") });
    return /^rectify_deliveries_ignored_total (\d+)/m.exec(String(body))?.[1];
  };
  const counted = Number(await ignored());
  expect(await webhook(foreign, { "x-github-delivery": "d9", "x-hub-signature-256": sign(foreign) })).toBe(202);
  await drained();
  // Behind it comes one of ours: had the foreign one woken the workflow, it would have been heard by then.
  const own = comment("/approve-scale 3");
  expect(await webhook(own, { "x-github-delivery": "d10", "x-hub-signature-256": sign(own) })).toBe(202);
  await expect.poll(() => heard.slice(before).filter(({ message }) => message.kind === "command")).toHaveLength(1);
  expect(Number(await ignored())).toBe(counted + 1);
});

test("a body over the limit ends before its signature is looked at", async () => {
  const huge = "x".repeat(6 * 1024 * 1024);
  const answer = await webhook(huge, { "x-github-delivery": "d2", "x-hub-signature-256": sign(huge) }).catch(() => 413);
  expect(answer).toBe(413);
});
