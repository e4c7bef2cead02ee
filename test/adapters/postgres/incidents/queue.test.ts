import { afterEach, beforeEach, expect, test } from "vitest";
import { proposalQueue } from "../../../../src/adapters/postgres/incidents/queue.ts";
import { connectTo, type Query } from "../../../../src/adapters/postgres/query.ts";
import { openStore, type Store } from "../../../../src/adapters/postgres/store.ts";
import type { Candidate } from "../../../../src/domain/proposal/caps.ts";
import { anIncident } from "../../../builders.ts";
import { migratedDatabase } from "../../../postgres.ts";

let address: string;
let store: Store;
let other: Store;
beforeEach(async () => {
  address = await migratedDatabase();
  store = await openStore(address);
  other = await openStore(address);
});
afterEach(async () => {
  await store.close();
  await other.close();
});

const limits = { maxOpenPulls: 5, maxPullsPerHour: 10, exemptSeverities: ["critical"] };
const now = new Date("2026-11-24T03:00:00Z");

function aCandidate(number: number, changes: Partial<Candidate> = {}): Candidate {
  return {
    incident: `5b0c1f4e-9a3d-5c7e-8f21-${String(number).padStart(12, "0")}`,
    workload: { kind: "Deployment", namespace: "shop", name: `w${number}` },
    alert: "HighRequestLatency",
    severity: "warning",
    startedAt: "2026-11-24T02:00:00Z",
    summary: "scale",
    ...changes,
  };
}

test("of forty that ask two replicas at once, five are opened", async () => {
  const candidates = Array.from({ length: 40 }, (_, number) => aCandidate(number));
  const turns = await Promise.all(
    candidates.map((candidate, index) => (index % 2 === 0 ? store : other).queue.ask(candidate, limits, now)),
  );
  expect(turns.filter((turn) => turn.kind === "open")).toHaveLength(5);
});

test("who asks while somebody looks shares the next look", async () => {
  const database = connectTo(address);
  let looks = 0;
  const query: Query = (text, values) => {
    if (text.includes("from queue q")) looks += 1;
    return database.query(text, values);
  };
  const { queue } = proposalQueue(query, () => undefined);
  const candidates = Array.from({ length: 40 }, (_, number) => aCandidate(number));
  for (const candidate of candidates) await queue.ask(candidate, { ...limits, maxOpenPulls: 0 }, now);
  looks = 0;
  const turns = await Promise.all(
    candidates.map((candidate) => queue.ask(candidate, { ...limits, maxOpenPulls: 0 }, now)),
  );
  await database.close();
  expect(turns.every(({ kind }) => kind === "listed")).toBe(true);
  expect(looks).toBeLessThan(20);
});

test("asking again changes nothing, and a slot that frees goes to the next", async () => {
  for (let number = 0; number < 7; number += 1) await store.queue.ask(aCandidate(number), limits, now);
  expect(await store.queue.ask(aCandidate(0), limits, now)).toEqual({ kind: "open" });
  expect(await store.queue.ask(aCandidate(5), limits, now)).toEqual({
    kind: "listed",
    because: "5 pull requests are open (maxOpenPulls)",
  });
  await store.queue.leave(aCandidate(2).incident);
  await store.queue.leave(aCandidate(2).incident);
  expect((await other.queue.ask(aCandidate(6), limits, now)).kind).toBe("listed");
  expect((await other.queue.ask(aCandidate(5), limits, now)).kind).toBe("open");
});

test("ten an hour, whatever was closed meanwhile; an exempt severity passes", async () => {
  for (let number = 0; number < 10; number += 1) {
    expect((await store.queue.ask(aCandidate(number), limits, now)).kind).toBe("open");
    await store.queue.leave(aCandidate(number).incident);
  }
  expect((await store.queue.ask(aCandidate(11), limits, now)).kind).toBe("listed");
  expect((await store.queue.ask(aCandidate(12, { severity: "critical" }), limits, now)).kind).toBe("open");
  expect((await store.queue.overview(limits, now)).used.lastHour).toBe(11);
  const later = new Date(now.getTime() + 3_600_001);
  expect((await store.queue.ask(aCandidate(11), limits, later)).kind).toBe("open");
});

test("an incident that ended without a word leaves the queue", async () => {
  const incident = anIncident();
  await store.recordIncident(incident);
  await store.queue.ask(aCandidate(1, { incident: incident.uid }), { ...limits, maxOpenPulls: 1 }, now);
  expect((await store.queue.ask(aCandidate(2), { ...limits, maxOpenPulls: 1 }, now)).kind).toBe("listed");
  await store.endIncident(incident.uid, { ending: "parked", because: "x", outcome: null });
  expect((await store.queue.ask(aCandidate(2), { ...limits, maxOpenPulls: 1 }, now)).kind).toBe("open");
});

test("S05: after a merged change the next one of its workload waits for the cool-down", async () => {
  const cooling = { ...limits, coolDownMs: 300_000 };
  const { workload } = aCandidate(1);
  const mergedAt = new Date(now.getTime() - 100_000).toISOString();
  await store.changes.record({ pull: 1, incident: "earlier", workload, reserved: undefined, mergedAt });
  expect(await store.queue.ask(aCandidate(1), cooling, now)).toMatchObject({
    kind: "listed",
    because: expect.stringMatching(/cools down until 2026-11-24T03:03:20/),
  });
  expect((await store.queue.overview(cooling, now)).listed).toHaveLength(1);
  expect(await store.queue.ask(aCandidate(2), cooling, now)).toEqual({ kind: "open" });
  const after = new Date(now.getTime() + 200_000);
  expect(await store.queue.ask(aCandidate(1), cooling, after)).toEqual({ kind: "open" });
});
