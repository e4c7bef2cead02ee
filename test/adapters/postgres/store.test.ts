import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AuditRow, auditProblems } from "../../../src/domain/records/audit.ts";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { openIncident } from "../../../src/domain/incident/incident.ts";
import { anAlert, anIncident } from "../../builders.ts";
import { migratedDatabase } from "../../postgres.ts";

let store: Store;
beforeAll(async () => {
  store = await openStore(await migratedDatabase());
});
afterAll(() => store.close());

test("a delivery id is accepted once", async () => {
  const accept = () => store.accept("github", { event: "push" }, Buffer.from("{}"), { delivery: "delivery-1" });
  expect([await accept(), await accept()]).toEqual([true, false]);
  const waiting = await store.claim("github", "me", 10);
  expect(waiting.map((delivery) => delivery.kind)).toEqual(["github"]);
  await store.settle([{ id: waiting[0]?.id ?? "", outcome: "done" }]);
  expect(await store.waitingCount()).toBe(0);
});

test("settled deliveries are forgotten after their time; what waits or is parked stays", async () => {
  const outcomes = ["done", "parked: the process died of it", undefined];
  for (const [index, outcome] of outcomes.entries()) {
    await store.accept("github", { event: "push" }, Buffer.from("{}"), { delivery: `old-${index}` });
    const id = (await store.claim("github", "me", 10)).at(-1)?.id ?? "";
    if (outcome !== undefined) await store.settle([{ id, outcome }]);
  }
  const again = (index: number) =>
    store.accept("github", { event: "push" }, Buffer.from("{}"), { delivery: `old-${index}` });
  const day = 24 * 3_600_000;
  await store.forgetDeliveries(new Date(Date.now() + 30 * day));
  expect(await again(0)).toBe(false);
  await store.forgetDeliveries(new Date(Date.now() + 32 * day));
  expect([await again(0), await again(1), await again(2)]).toEqual([true, false, false]);
});

test("a workload has one open incident, whoever records it first", async () => {
  const first = anIncident();
  const second = anIncident({ startsAt: "2026-11-24T03:00:00.000Z" });
  const answers = await Promise.all([store.recordIncident(first), store.recordIncident(second)]);
  expect(answers.filter(Boolean)).toHaveLength(1);
  const open = await store.openIncidentOf("shop-production/Deployment/web", "test");
  expect([first.uid, second.uid]).toContain(open?.incident.uid);
});

test("the same alert from three peers is recorded once, and its end once", async () => {
  const uid = (await store.openIncidentOf("shop-production/Deployment/web", "test"))?.incident.uid ?? "";
  const seen = [];
  for (let peer = 0; peer < 3; peer += 1) seen.push(await store.recordAlert(anAlert(), uid, "test"));
  expect(seen).toEqual(["new", "known", "known"]);
  expect(await store.recordAlert(anAlert({ status: "resolved" }), uid, "test")).toBe("changed");
  // A late copy of the firing notification does not wake the dead.
  expect(await store.recordAlert(anAlert(), uid, "test")).toBe("known");
  expect((await store.alertsOf(uid)).map((alert) => alert.status)).toEqual(["resolved"]);
});

test("concurrent writers keep the audit chain whole", async () => {
  const entry = (action: string) => ({ incident: "i", actor: "rectify", action, detail: { n: 1, text: "x" } });
  await Promise.all(["a", "b", "c", "d"].map((action) => store.audit(entry(action))));
  const rows = await store.auditRows();
  expect(rows.map((row) => row.action).sort()).toEqual(["a", "b", "c", "d"]);
  expect(auditProblems(rows)).toEqual([]);
  expect(auditProblems(rows.toSpliced(1, 1))).toHaveLength(1);
  expect(auditProblems(rows.with(2, { ...rows[2], actor: "someone" } as AuditRow))).toHaveLength(1);
});

test("one of several readers takes its part, and leaves what is new to the others where it is told to", async () => {
  const mine = await openStore(await migratedDatabase());
  for (const delivery of ["a", "b", "c", "d", "e"])
    await mine.accept("alerts", {}, Buffer.from("{}"), { delivery, urgency: 1 });
  expect(await mine.claim("alerts", "one", 60, { living: 2, leaveMs: 60_000 })).toEqual([]);
  expect(await mine.claim("alerts", "one", 60, { living: 2 })).toHaveLength(3);
  expect(await mine.claim("alerts", "two", 60, { living: 2 })).toHaveLength(1);
  expect(await mine.claim("alerts", "two", 60)).toHaveLength(1);
  await mine.close();
});

test("claimed work belongs to one holder until the claim ends; what was in hand then counts, its neighbours do not", async () => {
  const mine = await openStore(await migratedDatabase());
  for (const delivery of ["a", "b"]) await mine.accept("github", {}, Buffer.from("{}"), { delivery });
  const [first, second] = await mine.claim("github", "one", 10);
  expect(await mine.claim("github", "two", 10)).toEqual([]);
  await mine.takeInHand(first?.id ?? "");
  // The holder dies: its next life frees what it had.
  await mine.releaseClaims("one");
  const again = await mine.claim("github", "two", 10);
  expect(again.map(({ id, tries, suspect }) => ({ id, tries, suspect }))).toEqual([
    { id: first?.id, tries: 1, suspect: true },
    { id: second?.id, tries: 0, suspect: true },
  ]);
  await mine.close();
});

/** A delivery that "one" has in hand; its claim ended so many seconds ago, by Postgres' clock. */
async function inHandOfOne(endedS: number) {
  const url = await migratedDatabase();
  const mine = await openStore(url);
  for (const id of ["one", "two"]) await mine.joinExecutor(id, "1", { space: undefined, pid: 1 });
  await mine.accept("github", {}, Buffer.from("{}"), { delivery: "a" });
  const [delivery] = await mine.claim("github", "one", 10);
  await mine.takeInHand(delivery?.id ?? "");
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`update inbox set claimed_until = now() - interval '${endedS} seconds'`);
  const close = () => Promise.all([client.end(), mine.close()]);
  return { mine, id: delivery?.id ?? "", client, close };
}

test.each([
  ["was away while the same process had it in hand", "one", 1],
  ["was away while another one had it in hand, which lives", "two", 50],
])("what Postgres %s counts no failure", async (_, next, endedS) => {
  const { mine, id, close } = await inHandOfOne(endedS);
  expect(await mine.claim("github", next, 10)).toMatchObject([{ id, tries: 0, suspect: true }]);
  await mine.takeInHand(id);
  await mine.leaveExecutor(next);
  expect(await mine.claim("github", "three", 10)).toMatchObject([{ id, tries: 1 }]);
  await close();
});

test("what ended its process a beat after it was taken in hand counts: nobody has it before that is known", async () => {
  const { mine, id, client, close } = await inHandOfOne(1);
  expect(await mine.claim("github", "two", 10)).toEqual([]);
  await client.query("update executor set seen_at = now() - interval '31 seconds' where id = 'one'");
  expect(await mine.markGone("two", { space: undefined, pid: 1 }, true)).toEqual(["one"]);
  expect(await mine.claim("github", "two", 10)).toMatchObject([{ id, tries: 1, suspect: true }]);
  await close();
});

test("the most urgent and newest alerts are read first, and some of the oldest with them", async () => {
  const mine = await openStore(await migratedDatabase());
  for (const urgency of [3, 3, 3, 9, 0, 3]) await mine.accept("alerts", {}, Buffer.from(String(urgency)), { urgency });
  const claimed = await mine.claim("alerts", "one", 4);
  expect(claimed.map(({ id }) => Number(id))).toEqual([1, 3, 5, 6]);
  await mine.putOff("5", { pauseMs: 3_600_000, because: "GitHub is away", own: false });
  expect((await mine.claim("alerts", "one", 10)).map(({ id }) => Number(id))).toEqual([2, 4]);
  await mine.close();
});

test.each([
  ["the zero character", "a\u0000b", "a\uFFFDb"],
  ["half of a pair", "a\ud83d", "a\uFFFD"],
])("what others say is stored with its neighbours, also with %s in it", async (_what, said, kept) => {
  const workload = { kind: "Deployment", namespace: "shop", name: `odd-${said.length}` };
  const incident = openIncident("test", workload, anAlert());
  await store.recordIncident(incident);
  const candidate = {
    incident: incident.uid,
    workload,
    alert: "A",
    severity: "critical",
    startedAt: "2026-11-24T02:00:00Z",
  };
  const limits = { maxOpenPulls: 5, maxPullsPerHour: 5, exemptSeverities: [] };
  await store.queue.ask({ ...candidate, summary: said }, { ...limits, coolDownMs: 0 }, new Date());
  await store.addPendingFile("postmortems/odd.md", said, incident.uid);
  await store.endIncident(incident.uid, {
    ending: "refused",
    because: said,
    outcome: { ending: "refused", because: said },
  });
  expect(await store.incident(incident.uid)).toMatchObject({
    ending: "refused",
    because: kept,
    outcome: { because: kept },
  });
  expect((await store.pendingFiles()).map(({ content }) => content)).toEqual([kept]);
});

test.each([
  ["parked", "nobody is at work on"],
  ["escalated", "a person is needed for"],
  ["not-synced", "a person is needed for"],
] as const)("what ended %s is on the dashboard until its workload has another incident", async (ending, words) => {
  const workload = { kind: "Deployment", namespace: "shop", name: `told-${ending}` };
  const incident = openIncident("test", workload, anAlert());
  await store.recordIncident(incident);
  const since = new Date(Date.now() - 60_000);
  await store.endIncident(incident.uid, { ending, because: "why", outcome: null });
  const told = async () => (await store.parkedSince(since)).filter((line) => line.includes(workload.name));
  expect(await told()).toEqual([`${words} shop/Deployment/${workload.name} (${incident.uid}): why`]);
  await store.recordIncident(openIncident("test", workload, anAlert({ startsAt: "2026-11-24T09:00:00.000Z" })));
  expect(await told()).toEqual([]);
});
