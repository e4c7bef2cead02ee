import { beforeEach, expect, test } from "vitest";
import type { Store } from "../../src/adapters/postgres/store.ts";
import type { Durable } from "../../src/adapters/dbos/durable.ts";
import { connectTo } from "../../src/adapters/postgres/query.ts";
import type { Alert } from "../../src/domain/incident/alert.ts";
import { Refused, Unavailable } from "../../src/ports/errors.ts";
import { type Inbox, openInbox } from "../../src/server/inbox.ts";
import { nothingDoubted, pollAlerts } from "../../src/server/intake/poll-alerts.ts";
import { settleAlerts, settleGitHub } from "../../src/server/intake/settle-deliveries.ts";
import { takeAlerts } from "../../src/server/intake/take-alerts.ts";
import { aDelivery, anAlert } from "../builders.ts";
import { stores } from "../postgres.ts";
import { concernsIn } from "../concerns.ts";

let url: string;
let store: Store;
let started: string[];
let sent: { workflow: string; kind: string }[];
let told: string[];
/** What the engine does with the next starts. */
let faults: Error[];
const { openOne, closing } = stores();

beforeEach(async () => {
  ({ url, store } = await openOne());
  [started, sent, told, faults] = [[], [], [], []];
});

const intake = (cluster = "test") => ({
  store,
  cluster,
  durable: {
    start: async (workflow: string) => {
      const fault = faults.shift();
      if (fault) throw fault;
      started.push(workflow);
    },
    send: async (workflow: string, { kind }: { kind: string }) => void sent.push({ workflow, kind }),
  } as unknown as Durable,
  concerns: concernsIn(),
  telemetry: { log: (_incident: string, _verb: string, text: string) => void told.push(text) },
});
const settling = (receive: () => Promise<string | undefined> = async () => undefined) => ({
  ...intake(),
  receive,
  askSoon: () => undefined,
});

const key = "shop-production/Deployment/web";
const openOf = (cluster = "test") => store.openIncidentOf(key, cluster);

async function end(): Promise<string> {
  const uid = (await openOf())?.incident.uid ?? "";
  await store.endIncident(uid, { ending: "recovered", because: "seen", outcome: null });
  return uid;
}

async function accepted(alerts: readonly Alert[]) {
  await store.accept("alerts", {}, Buffer.from(JSON.stringify(aDelivery(alerts))));
  return store.claim("alerts", "me", 10);
}

test("a second alert of the same workload and instant is an incident of its own once the first has ended", async () => {
  await takeAlerts(intake(), [anAlert()]);
  const first = await end();
  await takeAlerts(intake(), [anAlert({ fingerprint: "f2", name: "HighErrorRate" })]);
  const second = await end();
  await takeAlerts(intake(), [anAlert({ fingerprint: "f3", name: "Third" })]);
  const third = (await openOf())?.incident.uid;
  expect(new Set([first, second, third]).size).toBe(3);
  expect(started).toEqual([first, second, third]);
  // The alert of an incident that has ended stays with it.
  await takeAlerts(intake(), [anAlert()]);
  expect(started).toHaveLength(3);
});

test("two clusters with one fingerprint are two incidents, and the end of one is not that of the other", async () => {
  await takeAlerts(intake("east"), [anAlert()]);
  await takeAlerts(intake("west"), [anAlert()]);
  expect(new Set(started).size).toBe(2);
  await takeAlerts(intake("west"), [anAlert({ status: "resolved" })]);
  const [east, west] = [await openOf("east"), await openOf("west")];
  expect((await store.alertsOf(east?.incident.uid ?? "")).map(({ status }) => status)).toEqual(["firing"]);
  expect((await store.alertsOf(west?.incident.uid ?? "")).map(({ status }) => status)).toEqual(["resolved"]);
  expect((await store.firingAlerts("west")).length).toBe(0);
});

test("a start that failed is made good by the next copy of the alert, or by a look", async () => {
  faults = [new Error("the engine is away"), new Error("still")];
  await takeAlerts(intake(), [anAlert()]);
  expect([started.length, told.some((text) => text.includes("tried again"))]).toEqual([0, true]);
  await takeAlerts(intake(), [anAlert()]);
  expect(started).toEqual([]);
  await takeAlerts(intake(), [anAlert()]);
  expect(started).toHaveLength(1);
  await takeAlerts(intake(), [anAlert()]);
  expect(started).toHaveLength(1);
});

test("a look starts what nobody started", async () => {
  faults = [new Error("the engine is away")];
  await takeAlerts(intake(), [anAlert()]);
  const database = connectTo(url);
  closing.push(database.close);
  await database.query("update incident set opened_at = now() - interval '1 hour'");
  await pollAlerts({ ...intake(), alerts: { active: async () => [anAlert()] } }, nothingDoubted());
  expect(started).toHaveLength(1);
});

const huge = "x".repeat(1024 * 1024);
const odd: readonly [string, Partial<Alert>][] = [
  ["NUL", { labels: { ...anAlert().labels, note: "a\u0000b" } }],
  ["half a character", { annotations: { summary: "a\ud800b" } }],
  ["the year 275760", { startsAt: "+275760-09-13T00:00:00.000Z" }],
  ["a time before the calendar", { startsAt: "-000005-01-01T00:00:00.000Z" }],
  ["a label of a megabyte", { labels: { ...anAlert().labels, blob: huge } }],
  ["a fingerprint of a megabyte", { fingerprint: huge }],
  ["NUL in a fingerprint and a label's name", { fingerprint: "\u0000", labels: { ...anAlert().labels, "\u0000": "" } }],
];

test.each(odd)("an alert with %s is taken in with its neighbours, and its bytes are kept", async (_what, changes) => {
  const strange = anAlert({ fingerprint: "odd", ...changes });
  const [delivery] = await accepted([anAlert({ fingerprint: "a" }), strange, anAlert({ fingerprint: "b" })]);
  await settleAlerts(settling(), delivery ? [delivery] : []);
  expect(await store.waitingCount()).toBe(0);
  expect(await store.alertsOf((await openOf())?.incident.uid ?? "")).toHaveLength(3);
  const database = connectTo(url);
  closing.push(database.close);
  const { rows } = await database.query("select original from alert where original is not null");
  expect(rows.map((row) => JSON.parse((row.original as Buffer).toString("utf8")))).toEqual([
    JSON.parse(JSON.stringify(strange)),
  ]);
  // The poll sees it, too, and knows it again.
  await pollAlerts(
    { ...intake(), alerts: { active: async () => [strange, anAlert({ fingerprint: "c" })] } },
    nothingDoubted(),
  );
  expect(await store.alertsOf((await openOf())?.incident.uid ?? "")).toHaveLength(4);
});

test("an alert that cannot be recorded at all does not cost its group, and its delivery is parked after its own failures", async () => {
  const broken: Store = {
    ...store,
    recordAlerts: async (cluster, items) => {
      if (items.some(({ alert }) => alert.fingerprint === "bad")) throw new Refused("Postgres: cannot hold it");
      return store.recordAlerts(cluster, items);
    },
  };
  let claimed = await accepted(["a", "bad", "b"].map((fingerprint) => anAlert({ fingerprint })));
  const database = connectTo(url);
  closing.push(database.close);
  for (let round = 0; claimed.length > 0 && round < 10; round += 1) {
    await settleAlerts({ ...settling(), store: broken }, claimed);
    await database.query("update inbox set due_at = now()");
    claimed = await store.claim("alerts", "me", 10);
  }
  expect((await store.alertsOf((await openOf())?.incident.uid ?? "")).map(({ fingerprint }) => fingerprint)).toEqual(
    expect.arrayContaining(["a", "b"]),
  );
  const parked = await store.parkedDeliveries(10);
  expect(parked.map(({ because }) => because)).toEqual(["Postgres: cannot hold it"]);
  expect((await store.parkedSince(new Date(0))).join()).toContain(`rectify deliveries replay ${parked[0]?.id}`);
  expect(await store.replayDeliveries("all")).toEqual([parked[0]?.id]);
  await settleAlerts(settling(), await store.claim("alerts", "me", 10));
  expect([await store.parkedCount(), await store.waitingCount()]).toEqual([0, 0]);
});

test("an end never goes before its beginning, whatever the order in which they are read", async () => {
  const over = anAlert({ status: "resolved" });
  await takeAlerts(intake(), [over, anAlert()]);
  const uid = (await openOf())?.incident.uid ?? "";
  expect((await store.alertsOf(uid)).map(({ status }) => status)).toEqual(["resolved"]);
  await end();
  // Its end is read in a round before: late, its beginning opens nothing.
  const later = { fingerprint: "later", startsAt: "2026-11-24T05:00:00.000Z" };
  await takeAlerts(intake(), [anAlert({ ...later, status: "resolved" })]);
  await takeAlerts(intake(), [anAlert(later)]);
  expect([await openOf(), started.length]).toEqual([undefined, 1]);
});

test("a webhook that fails while others are away is put off for hours, and never counts against itself", async () => {
  await store.accept("github", { event: "issue_comment", delivery: "d" }, Buffer.from("{}"), { delivery: "d" });
  const database = connectTo(url);
  closing.push(database.close);
  let attempts = 0;
  const away = async () => {
    attempts += 1;
    // Probot wraps it.
    throw new AggregateError([new Unavailable("GitHub: 502")]);
  };
  for (let round = 0; round < 20; round += 1) {
    const [delivery] = await store.claim("github", "me", 1);
    if (delivery) await settleGitHub(settling(away), delivery);
    expect(await store.claim("github", "me", 1)).toEqual([]);
    await database.query("update inbox set due_at = now()");
  }
  expect([attempts, await store.parkedCount(), await store.waitingCount()]).toEqual([20, 0, 1]);
  await database.query("update inbox set received_at = now() - interval '13 hours'");
  const [late] = await store.claim("github", "me", 1);
  if (late) await settleGitHub(settling(away), late);
  expect((await store.parkedDeliveries(1))[0]).toMatchObject({ event: "issue_comment", because: "GitHub: 502" });
});

test("one that the process dies of is parked after its own deaths, and its neighbours are not", async () => {
  for (const fingerprint of ["a", "poison", "b"]) {
    await store.accept("alerts", {}, Buffer.from(JSON.stringify(aDelivery([anAlert({ fingerprint })]))));
  }
  let lives = 0;
  for (; lives < 20; lives += 1) {
    const claimed = await store.claim("alerts", "me", 10);
    if (claimed.length === 0) break;
    const died = await settleAlerts({ ...settling(), store: dyingOf("poison") }, claimed).catch(
      (error: Error) => error,
    );
    if (died?.message !== "killed") break;
    await store.releaseClaims("me");
  }
  expect((await store.parkedDeliveries(10)).map(({ because }) => because)).toEqual([
    expect.stringContaining("while it had this delivery in hand"),
  ]);
  expect(
    (await store.alertsOf((await openOf())?.incident.uid ?? "")).map(({ fingerprint }) => fingerprint).sort(),
  ).toEqual(["a", "b"]);
});

/** A store at which the process is killed as soon as this alert is looked up. */
function dyingOf(fingerprint: string): Store {
  return {
    ...store,
    knownAlerts: async (cluster, seen) => {
      if (seen.some((alert) => alert.fingerprint === fingerprint)) throw new Unavailable("killed");
      return store.knownAlerts(cluster, seen);
    },
  };
}

test("an inbox that cannot be read says so once, is counted, and says when it is read again", async () => {
  let away = true;
  let failures = 0;
  const flaky: Store = {
    ...store,
    claim: async (kind, holder, limit) => {
      if (away) throw new Unavailable("Postgres: connection refused");
      return store.claim(kind, holder, limit);
    },
  };
  const { durable, telemetry, concerns } = intake();
  const inbox: Inbox = openInbox({
    ...{
      store: flaky,
      durable,
      concerns,
      telemetry,
      cluster: "test",
      holder: "me",
      alerts: { active: async () => [] },
    },
    ...{ runLateCommand: async () => undefined, app: () => ({ receive: async () => undefined }) },
    failed: () => {
      failures += 1;
    },
  });
  closing.push(inbox.close);
  await expect.poll(() => failures, { interval: 5, timeout: 20_000 }).toBeGreaterThan(4);
  expect(inbox.trouble()).toContain("connection refused");
  expect(told.filter((text) => text.includes("cannot be read"))).toHaveLength(2);
  away = false;
  await expect.poll(() => inbox.trouble(), { interval: 5, timeout: 20_000 }).toBeUndefined();
  expect(told.filter((text) => text.includes("is read again"))).toHaveLength(2);
});

test("an alert that leads nowhere is on record for people until it leads somewhere", async () => {
  const lost = anAlert({ fingerprint: "lost", name: "QueueDepth", labels: { alertname: "QueueDepth", queue: "mail" } });
  await takeAlerts(intake(), [lost, lost]);
  await takeAlerts(intake(), [lost]);
  expect((await store.unplaced()).find(({ name }) => name === "QueueDepth")).toMatchObject({
    ...{ kind: "nobody", times: 1, because: expect.stringContaining("none of its labels"), labels: { queue: "mail" } },
    line: expect.stringContaining('alerts: [{ alert: "QueueDepth", workload: "NAMESPACE/Deployment/NAME" }]'),
  });
  expect(told.filter((text) => text.includes("QueueDepth"))).toHaveLength(1);
  const mappings = [{ alert: "QueueDepth", labels: {}, workload: "shop-production/Deployment/{queue}" }];
  await takeAlerts({ ...intake(), concerns: concernsIn({}, { mappings }) }, [lost]);
  expect((await store.unplaced()).map(({ name }) => name)).not.toContain("QueueDepth");
});

test("a delivery that holds no alerts is on record, not only answered", async () => {
  await store.accept("alerts", {}, Buffer.from('{"version":"9"}'));
  await settleAlerts(settling(), await store.claim("alerts", "me", 10));
  expect((await store.unplaced()).map(({ kind }) => kind)).toContain("unreadable");
  expect(told.join()).toContain("could not be read");
});
