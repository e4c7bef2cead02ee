import fc from "fast-check";
import { expect, test } from "vitest";
import { admitCandidates, type Candidate, type Crowd } from "../../../src/domain/proposal/caps.ts";
import { readTicked, renderDashboard } from "../../../src/domain/proposal/dashboard.ts";

const limits = { maxOpenPulls: 5, maxPullsPerHour: 10, exemptSeverities: ["critical"] };
const now = new Date("2026-11-24T03:00:00Z");
const quiet: Crowd = { open: [], openedAt: [], ticked: [], now };

function uid(number: number): string {
  return `5b0c1f4e-9a3d-5c7e-8f21-${String(number).padStart(12, "0")}`;
}

function aCandidate(number: number, changes: Partial<Candidate> = {}): Candidate {
  return {
    incident: uid(number),
    workload: { kind: "Deployment", namespace: "shop", name: `w${number}` },
    alert: "HighRequestLatency",
    severity: "warning",
    startedAt: `2026-11-24T02:${String(number % 60).padStart(2, "0")}:00.000Z`,
    summary: `scale w${number} from 2 to 4 replicas`,
    ...changes,
  };
}

const storm = Array.from({ length: 40 }, (_, number) => aCandidate(number));
const openedMinutesAgo = (count: number, minutes: number) =>
  Array.from({ length: count }, () => new Date(now.getTime() - minutes * 60_000).toISOString());
const opened = (candidates: readonly Candidate[], crowd: Partial<Crowd> = {}) =>
  admitCandidates(candidates, { ...quiet, ...crowd }, limits).open.map((candidate) => candidate.workload.name);

test("of forty at once the five oldest are opened and all others are listed", () => {
  const admitted = admitCandidates(storm, quiet, limits);
  expect(admitted.open.map((candidate) => candidate.workload.name)).toEqual(["w0", "w1", "w2", "w3", "w4"]);
  expect(admitted.listed).toHaveLength(35);
  expect(admitted.listed[0]?.because).toBe("5 pull requests are open (maxOpenPulls)");
});

test("open pull requests and those of the last hour count", () => {
  const open = storm.slice(30, 33).map((candidate) => candidate.workload);
  expect(opened(storm.slice(0, 9), { open })).toEqual(["w0", "w1"]);
  expect(opened(storm, { openedAt: openedMinutesAgo(8, 30) })).toEqual(["w0", "w1"]);
  expect(opened(storm, { openedAt: openedMinutesAgo(8, 61) })).toHaveLength(5);
});

test.each([
  [299, 0],
  [300, 1],
])("S05: a workload whose change was merged %i s ago gets %i more", (seconds, count) => {
  const at = new Date(now.getTime() - seconds * 1000).toISOString();
  const one = aCandidate(1, { severity: "critical" });
  const crowd = { ...quiet, changed: { "shop/Deployment/w1": at } };
  const { open, listed } = admitCandidates([one, aCandidate(2)], crowd, { ...limits, coolDownMs: 300_000 });
  expect(open).toHaveLength(count + 1);
  expect(listed.map(({ because }) => because)).toEqual(
    count === 1 ? [] : [`the workload was changed ${at} and cools down until 2026-11-24T03:00:01.000Z`],
  );
});

test("an exempt severity passes both caps, but never the one pull request of its workload", () => {
  const critical = [aCandidate(50, { severity: "critical" }), aCandidate(51, { severity: "critical" })];
  const busy = { open: storm.slice(0, 6).map((candidate) => candidate.workload), openedAt: openedMinutesAgo(12, 5) };
  expect(opened([...critical, aCandidate(9)], busy)).toEqual(["w50", "w51"]);
  const same = aCandidate(60, { severity: "critical", workload: critical[0]?.workload as Candidate["workload"] });
  expect(opened([...critical, same], busy)).toEqual(["w50", "w51"]);
});

test("a slot that frees goes to the worst severity, then to the oldest", () => {
  const waiting = [
    aCandidate(1, { severity: "info" }),
    aCandidate(9),
    aCandidate(3),
    aCandidate(2, { severity: "odd" }),
  ];
  const open = storm.slice(20, 24).map((candidate) => candidate.workload);
  expect(opened(waiting, { open })).toEqual(["w3"]);
});

test("a ticked box opens at once", () => {
  const open = storm.slice(20, 26).map((candidate) => candidate.workload);
  expect(opened(storm.slice(0, 9), { open, ticked: [uid(7)] })).toEqual(["w7"]);
});

test("what a person asked for passes caps and cool-down, but never the one pull request of its workload", () => {
  const asked = aCandidate(7, { asked: true });
  const changed = { "shop/Deployment/w7": now.toISOString() };
  const open = storm.slice(20, 26).map((candidate) => candidate.workload);
  const cooling = { ...limits, coolDownMs: 300_000 };
  const crowd = { ...quiet, open, openedAt: openedMinutesAgo(12, 5), changed };
  expect(admitCandidates([asked], crowd, cooling).open).toEqual([asked]);
  expect(admitCandidates([aCandidate(7)], crowd, cooling).listed[0]?.because).toMatch(/cools down/);
  expect(admitCandidates([asked], { ...crowd, open: [asked.workload] }, cooling).listed[0]?.because).toBe(
    "the workload has an open pull request",
  );
});

test("every candidate is opened or listed, exactly once, and the caps hold", () => {
  const any = fc.array(fc.record({ number: fc.nat(20), severity: fc.constantFrom("critical", "warning", "info") }));
  fc.assert(
    fc.property(any, fc.nat(12), (drawn, before) => {
      const candidates = drawn.map((item, index) =>
        aCandidate(item.number, { incident: uid(index), severity: item.severity }),
      );
      const crowd = { ...quiet, openedAt: openedMinutesAgo(before, 10) };
      const { open, listed } = admitCandidates(candidates, crowd, limits);
      const all = [...open, ...listed.map((item) => item.candidate)].map((candidate) => candidate.incident).sort();
      expect(all).toEqual(candidates.map((candidate) => candidate.incident).sort());
      expect(new Set(open.map((candidate) => candidate.workload.name)).size).toBe(open.length);
      const capped = open.filter((candidate) => candidate.severity !== "critical");
      expect(capped.length).toBeLessThanOrEqual(Math.max(0, Math.min(5, 10 - before)));
    }),
  );
});

const dashboard = {
  open: [{ pull: 12, workload: { kind: "Deployment", namespace: "shop", name: "web" }, summary: "scale web" }],
  listed: admitCandidates(storm, quiet, limits).listed,
  leases: [
    {
      incident: uid(1),
      workload: { kind: "Deployment", namespace: "shop", name: "web" },
      pull: 11,
      since: "2026-11-23T23:00:00Z",
      expires: "2026-11-24T23:00:00Z",
      perHour: 0.5,
      currency: "EUR",
    },
  ],
  problems: [],
  now,
};

test("the dashboard lists what waits, what is open and what is leased with its running cost", () => {
  const body = renderDashboard(dashboard);
  expect(body).toContain("## Waiting (35)");
  expect(body).toContain(`- [ ] <!-- rectify:open=${uid(5)} --> open it now: \`shop/Deployment/w5\``);
  expect(body).toContain("- #12: `shop/Deployment/web`, `scale web`");
  expect(body).toContain(
    "- #11: `shop/Deployment/web`, ends 2026-11-24 23:00 UTC, 2.00 `EUR` until 2026-11-24 03:00 UTC",
  );
  expect(readTicked(body)).toEqual([]);
});

test.each([
  ["within the hour nothing changes", "2026-11-24T03:59:59Z", true],
  ["a full hour later the cost has grown", "2026-11-24T04:00:00Z", false],
])("the dashboard of an unchanged world: %s", (_promise, later, same) => {
  const bodies = [dashboard, { ...dashboard, now: new Date(later) }].map(renderDashboard);
  expect(bodies[0] === bodies[1]).toBe(same);
});

test("a lease that began within this hour has cost nothing yet, one that is over says so", () => {
  const [lease] = dashboard.leases;
  const leases = [
    { ...lease, since: "2026-11-24T03:00:01Z", expires: "2026-11-24T03:20:00Z" },
  ] as typeof dashboard.leases;
  const body = renderDashboard({ ...dashboard, leases, now: new Date("2026-11-24T03:30:00Z") });
  expect(body).toContain("has ended, 0.00 `EUR` until 2026-11-24 03:00 UTC");
});

test("ticked boxes are read back, others are not", () => {
  const body = renderDashboard(dashboard)
    .replace(`[ ] <!-- rectify:open=${uid(5)}`, `[x] <!-- rectify:open=${uid(5)}`)
    .replaceAll("\n", "\r\n");
  expect(readTicked(`${body}\n> - [x] <!-- rectify:open=${uid(6)} -->\n- [x] <!-- rectify:open=../../x -->`)).toEqual([
    uid(5),
  ]);
});

test("an alert cannot tick a box, mention anyone or overflow the issue", () => {
  const evil = "`@org/team\n- [x] <!-- rectify:open=00000000-0000-5000-8000-000000000000 --> ![x](https://x.example)";
  const many = Array.from({ length: 2000 }, (_, number) => ({
    candidate: aCandidate(number, { alert: evil, severity: evil, summary: evil }),
    because: "5 pull requests are open (maxOpenPulls)",
  }));
  const body = renderDashboard({ ...dashboard, listed: many });
  expect(body.length).toBeLessThanOrEqual(65_536);
  expect(body).toMatch(/\d+ more do not fit here: `rectify incidents` lists them/);
  expect(readTicked(body)).toEqual([]);
  expect(body.replace(/`[^`\n]*`/g, "")).not.toMatch(/@org|x\.example/);
});

test("a candidate that is held back is listed with the reason, passes when it is ticked, and opens when its time is up", () => {
  const heldBack = { until: "2026-11-24T03:10:00.000Z", because: "5 of 5 cleared by themselves" };
  const held = aCandidate(1, { heldBack });
  expect(admitCandidates([held], quiet, limits).listed).toEqual([{ candidate: held, because: heldBack.because }]);
  expect(opened([held], { ticked: [held.incident] })).toEqual(["w1"]);
  expect(opened([held], { now: new Date(heldBack.until) })).toEqual(["w1"]);
});
