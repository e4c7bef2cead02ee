import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore, type Store } from "../../../../src/adapters/postgres/store.ts";
import { type Ending, openIncident } from "../../../../src/domain/incident/incident.ts";
import type { Proposal } from "../../../../src/domain/proposal/pull-request.ts";
import { tendLeftOpen } from "../../../../src/server/jobs/workflows/left-open.ts";
import { anAlert } from "../../../builders.ts";
import { aDraft, connect, type Session, startShop } from "../../../lab/forge-shop.ts";
import { aLease } from "../../../lease.ts";
import { migratedDatabase } from "../../../postgres.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
let session: Session;
let store: Store;
let minutes: number;
const told: string[] = [];

beforeEach(async () => {
  forge = await startShop({ requiredChecks: [] });
  session = await connect(forge);
  store = await openStore(await migratedDatabase());
  minutes = 0;
  told.length = 0;
});
afterEach(async () => {
  await Promise.all([forge.close(), store.close()]);
});

const because = "decide: GitHub: no answer";
const shop = (name: string) => ({ kind: "Deployment", namespace: "shop", name }) as const;

interface Parked {
  readonly firing?: boolean;
  /** GitHub went away right behind the opening. */
  readonly cut?: boolean;
  readonly ending?: Ending;
  readonly onRecord?: (opened: Proposal) => object;
}

/** A pull request whose incident was parked while GitHub was away: nothing was told there. */
async function parked(name: string, { firing = false, cut = false, ending = "parked", onRecord }: Parked = {}) {
  const alert = anAlert({ fingerprint: name });
  const incident = openIncident("test", shop(name), alert);
  await store.recordIncident(incident);
  const draft = await aDraft(forge, { incident: incident.uid, branch: `rectify/${name}`, effect: name });
  const proposal = await session.host.publish(cut ? { ...draft, labels: [] } : draft);
  if (!cut) await store.recordPull(proposal.number, incident.uid);
  await store.recordAlert(alert, incident.uid, "test");
  const endsAt = new Date(Date.now() - 3_600_000).toISOString();
  if (!firing) await store.recordAlert({ ...alert, status: "resolved", endsAt }, incident.uid, "test");
  const outcome = onRecord === undefined ? null : { ending: "parked" as const, because, ...onRecord(proposal) };
  await store.endIncident(incident.uid, { ending, because, outcome });
  return { incident, proposal, ...proposal };
}

const aTending = () =>
  tendLeftOpen({
    store,
    ports: {
      github: session.host,
      clock: { now: () => new Date(Date.now() + minutes * 60_000) },
      telemetry: { log: (_incident, _verb, text) => void told.push(text) },
      timings: { lingerMs: 300_000 } as never,
    },
  });
const isOpen = (number: number) => forge.pulls().find((pull) => pull.number === number)?.state === "open";
const stickyOf = (number: number) => forge.comments(number).find(({ user }) => user?.type === "Bot")?.body ?? "";
const writes = () => forge.calls.filter(({ method, path }) => method !== "GET" && !path.endsWith("access_tokens"));

test("what was parked while GitHub was away is closed with the reason once its alert is over, and keeps nobody out", async () => {
  const { number } = await parked("web", { onRecord: (proposal) => ({ proposal }) });
  await aTending()();
  expect(isOpen(number)).toBe(false);
  expect(stickyOf(number)).toContain(
    "**Closed**: the alert is over, and nobody is at work on this any more (parked: decide:",
  );
  expect(await forge.headOf("rectify/web")).toBeUndefined();
  expect(told).toEqual([expect.stringContaining(`closed #${number}: the alert is over`)]);
  // The next incident of the workload would have been refused its proposal.
  const next = await aDraft(forge, { incident: "another", branch: "rectify/web", effect: "other" });
  expect((await session.host.publish(next)).number).toBeGreaterThan(number);
});

test("one whose opening was cut, without a label and on no record, is found by its author and the incident that it names", async () => {
  const { number } = await parked("web", { cut: true });
  expect(await store.incidentOfPull(number)).toBeUndefined();
  await aTending()();
  expect(isOpen(number)).toBe(false);
});

test("while its alert fires it stays open, and its comment says so, once", async () => {
  const { number } = await parked("web", { firing: true });
  const tending = aTending();
  await tending();
  expect(isOpen(number)).toBe(true);
  expect(stickyOf(number)).toContain("Nobody is at work on this pull request now");
  forge.resetCalls();
  await tending();
  expect(forge.calls).toEqual([]);
  minutes = 6;
  await tending();
  expect(forge.calls.length).toBeGreaterThan(0);
  expect(writes()).toEqual([]);
});

test("what a person opens again stays open", async () => {
  const { number, incident } = await parked("web");
  const tending = aTending();
  await tending();
  const { octokit, repository } = session.client;
  forge.excused.add("Z3");
  await octokit.rest.pulls.update({ ...repository, pull_number: number, state: "open" });
  minutes = 6;
  await tending();
  expect(isOpen(number)).toBe(true);
  // One that was declined was closed by its workflow.
  const { number: declined } = await parked("declined", { ending: "declined" });
  minutes = 12;
  await tending();
  expect([isOpen(number), isOpen(declined)]).toEqual([true, true]);
  expect(stickyOf(declined)).toContain("Nobody is at work on this pull request now");
  expect((await store.incident(incident.uid))?.ending).toBe("parked");
});

test("what reverts a merged change is left to a person", async () => {
  const { number, incident } = await parked("web");
  const merged = { pull: number - 1, incident: incident.uid, workload: incident.workload, reserved: undefined };
  const remedy = { kind: "scale" as const, title: "web from 2 to 4", effect: "e", takesBack: undefined };
  await store.changes.record({ ...merged, mergedAt: new Date().toISOString(), remedy });
  await aTending()();
  expect(isOpen(number)).toBe(true);
  expect(stickyOf(number)).toContain("Nobody is at work on this pull request now");
});

test("where somebody is at work, or will be when a lease is up, nothing is touched; nor what is another's", async () => {
  const leased = await parked("leased");
  await store.leases.begin(aLease({ incident: leased.incident }));
  const again = await parked("again", { firing: true });
  await store.reopenIncident(again.incident.uid, 2, `${again.incident.uid}/2`);
  const foreign = await session.host.publish(
    await aDraft(forge, { incident: "elsewhere", branch: "rectify/elsewhere" }),
  );
  forge.resetCalls();
  await aTending()();
  expect([leased, again, foreign].map(({ number }) => isOpen(number))).toEqual([true, true, true]);
  expect(writes()).toEqual([]);
});

test("one that GitHub refuses to close stands in nobody's way, and while GitHub is away the look is made again", async () => {
  const [first, second] = [await parked("first"), await parked("second")];
  const tending = aTending();
  forge.faults = () => ({ when: "before", answer: { status: 503 } });
  await expect(tending()).rejects.toThrow("503");
  const answer = { status: 403, body: { message: "Resource not accessible by integration" } };
  forge.faults = ({ method, path }) =>
    method === "PATCH" && path.endsWith(`/pulls/${second.number}`) ? { when: "before", answer } : undefined;
  await tending();
  expect([first, second].map(({ number }) => isOpen(number))).toEqual([false, true]);
  expect(told.join("\n")).toContain(`#${second.number} is open with nobody at work on it`);
  forge.faults = undefined;
  minutes = 6;
  await tending();
  expect(isOpen(second.number)).toBe(false);
});
