import { beforeEach, expect, test } from "vitest";
import type { Durable } from "../../../src/adapters/dbos/durable.ts";
import { connectTo } from "../../../src/adapters/postgres/query.ts";
import type { Store } from "../../../src/adapters/postgres/store.ts";
import type { Alert, SeenAlert } from "../../../src/domain/incident/alert.ts";
import type { Ending } from "../../../src/domain/incident/incident.ts";
import { Unavailable } from "../../../src/ports/errors.ts";
import type { Alerts } from "../../../src/ports/monitoring.ts";
import { nothingDoubted, pollAlerts } from "../../../src/server/intake/poll-alerts.ts";
import { takeAlerts } from "../../../src/server/intake/take-alerts.ts";
import { anAlert } from "../../builders.ts";
import { concernsIn } from "../../concerns.ts";
import { stores } from "../../postgres.ts";

let url: string;
let store: Store;
let started: string[];
let sent: string[];
/** What Alertmanager says; undefined = nothing. */
let active: readonly SeenAlert[] | undefined;
let doubted: ReturnType<typeof nothingDoubted>;
const { openOne, closing } = stores();

beforeEach(async () => {
  ({ url, store } = await openOne());
  [started, sent, active, doubted] = [[], [], [], nothingDoubted()];
});

const intake = () => ({
  ...{ store, cluster: "test", concerns: concernsIn(), telemetry: { log: () => undefined } },
  durable: {
    start: async (workflow: string) => void started.push(workflow),
    send: async (workflow: string) => void sent.push(workflow),
  } as unknown as Durable,
});
const alerts: Alerts = {
  active: async () => {
    if (active === undefined) throw new Unavailable("Alertmanager: no answer");
    return active;
  },
};
const poll = () => pollAlerts({ ...intake(), alerts }, doubted);
const take = (...told: readonly Alert[]) => takeAlerts(intake(), told);
const openOf = () => store.openIncidentOf("shop-production/Deployment/web", "test");
const statesOf = async (uid: string) => (await store.alertsOf(uid)).map(({ status }) => status);
const end = (uid: string, ending: Ending) => store.endIncident(uid, { ending, because: "seen", outcome: null });

async function opened(): Promise<string> {
  active = [anAlert()];
  await poll();
  return started[0] ?? "";
}

test.each(["resolved-before-merge", "recovered"] as const)(
  "an alert that was taken for over, and fires all the same, is an incident again after %s",
  async (ending) => {
    const uid = await opened();
    active = [];
    await poll();
    await poll();
    expect(await statesOf(uid)).toEqual(["resolved"]);
    await end(uid, ending);
    active = [anAlert()];
    await poll();
    // Once is no proof: another Alertmanager may be behind.
    expect(started).toEqual([uid]);
    await poll();
    await poll();
    expect(started).toEqual([uid, (await openOf())?.incident.uid]);
  },
);

test("a firing copy that comes late opens nothing as long as Alertmanager does not list it", async () => {
  await take(anAlert({ status: "resolved" }));
  for (let round = 0; round < 3; round += 1) {
    await take(anAlert());
    await poll();
  }
  expect(started).toEqual([]);
  active = [anAlert()];
  for (let round = 0; round < 2; round += 1) await poll();
  expect(started).toHaveLength(1);
});

test("while its incident goes on it fires again there, and the workflow is woken", async () => {
  const uid = await opened();
  await take(anAlert({ status: "resolved" }));
  sent = [];
  await poll();
  await poll();
  expect([await statesOf(uid), sent, started]).toEqual([["firing"], [uid], [uid]]);
});

test("an incident without a result, whose alert was taken for over, waits for its next examination again", async () => {
  const uid = await opened();
  await take(anAlert({ status: "resolved" }));
  await end(uid, "no-change");
  expect(await store.unresolved("test")).toEqual([]);
  await poll();
  await poll();
  expect((await store.unresolved("test")).map(({ incident }) => incident.uid)).toEqual([uid]);
  expect(started).toEqual([uid]);
});

test("an alert that joined while its incident was ending is an incident of its own", async () => {
  const uid = await opened();
  const late = anAlert({ fingerprint: "late", name: "HighErrorRate" });
  await take(anAlert({ status: "resolved" }), late);
  await end(uid, "resolved-before-merge");
  active = [late];
  await poll();
  await poll();
  const other = (await openOf())?.incident.uid ?? "";
  expect(started).toEqual([uid, other]);
  expect((await store.alertsOf(other)).map(({ fingerprint }) => fingerprint)).toEqual(["late"]);
});

test("who silences an alert does not end its incident, and a silenced one opens none", async () => {
  const uid = await opened();
  const other = anAlert({ fingerprint: "other", labels: { ...anAlert().labels, deployment: "cart" } });
  active = [anAlert(), other].map((alert): SeenAlert => ({ ...alert, muted: true }));
  for (let round = 0; round < 3; round += 1) await poll();
  expect([await statesOf(uid), started]).toEqual([["firing"], [uid]]);
  active = [];
  await poll();
  await poll();
  expect(await statesOf(uid)).toEqual(["resolved"]);
});

test("an alert whose name or time no database holds is not taken for over while it fires", async () => {
  active = [anAlert({ fingerprint: "a\u0000b", startsAt: "+275760-09-13T00:00:00.000Z" })];
  for (let round = 0; round < 4; round += 1) await poll();
  expect([await statesOf(started[0] ?? ""), started.length]).toEqual([["firing"], 1]);
});

test("the end that another process put on record meanwhile belongs to the incident of its beginning", async () => {
  const slow = {
    // By now the beginning is known to be new.
    of: async (alert: Alert) => {
      await take(anAlert({ status: "resolved" }));
      return concernsIn().of(alert);
    },
  };
  await takeAlerts({ ...intake(), concerns: slow }, [anAlert()]);
  expect(await statesOf((await openOf())?.incident.uid ?? "")).toEqual(["resolved"]);
});

test("what nobody started is started also while Alertmanager gives no answer", async () => {
  const durable = {
    start: async () => {
      throw new Unavailable("the engine is away");
    },
  } as unknown as Durable;
  await takeAlerts({ ...intake(), durable }, [anAlert()]);
  const database = connectTo(url);
  closing.push(database.close);
  await database.query("update incident set opened_at = now() - interval '1 hour'");
  active = undefined;
  await expect(poll()).rejects.toThrow("no answer");
  expect(started).toHaveLength(1);
});

test("what is told by a webhook between two polls leaves nothing behind", async () => {
  for (let round = 0; round < 3; round += 1) {
    active = [anAlert({ fingerprint: `f${round}` })];
    await poll();
    active = [];
    await poll();
    await take(anAlert({ fingerprint: `f${round}`, status: "resolved" }));
    await poll();
  }
  expect([doubted.absent.size, doubted.back.size]).toEqual([0, 0]);
});
