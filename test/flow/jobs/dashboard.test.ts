import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { type App, createApp } from "../../../src/server/github-app.ts";
import type { Candidate } from "../../../src/domain/proposal/caps.ts";
import { parseGuardrails } from "../../../src/domain/guardrails/guardrails.ts";
import { reconcileDashboard } from "../../../src/flow/jobs/dashboard.ts";
import type { Timings } from "../../../src/ports/timings.ts";
import { guardrailsHost } from "../../../src/adapters/github/guardrails.ts";
import { latchOver, type ShadowLatch } from "../../../src/server/jobs/shadow/shadow-latch.ts";
import { app, connect, key, type Session, startShop } from "../../lab/forge-shop.ts";
import { aPastRecord } from "../../past-record.ts";
import { forgeWrites } from "../../../src/lab/forge/writes.ts";
import { parseYaml } from "../../../src/manifests/yaml/yaml.ts";
import { newWatchtower } from "../../../src/domain/guardrails/watchtower.ts";
import { aLease } from "../../lease.ts";
import { anIncident } from "../../builders.ts";
import { migratedDatabase } from "../../postgres.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
let session: Session;
let store: Store;
let bot: App;
let ahead: number;
let told: string[];
const opened: (() => Promise<void>)[] = [];

const rules = { namespaces: ["shop"], maxOpenPulls: 1, exemptSeverities: [] };
const limits = (more: object = {}) => {
  const parsed = parseGuardrails({ ...rules, ...more });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ text }) => text).join());
  return parsed.value;
};

async function open(more: object = {}): Promise<void> {
  ahead = 0;
  told = [];
  forge = await startShop({
    files: { ".github/rectify.yml": JSON.stringify({ ...rules, ...more }) },
    teams: { "acme/sre": ["max"] },
    now: () => new Date(Date.now() + ahead),
  });
  session = await connect(forge);
  store = await openStore(await migratedDatabase());
  bot = createApp({
    ...{ id: app.id, privateKey: key, webhookSecret: app.webhookSecret },
    ...{ wake: async () => undefined, ticked: store.queue.request },
  });
  opened.push(forge.close, store.close);
  for (let number = 0; number < 3; number += 1) await store.queue.ask(aCandidate(number), limits(more), new Date());
  await keep();
}

beforeEach(() => {
  opened.length = 0;
});
afterEach(async () => {
  for (const close of opened) await close();
});

const uid = (number: number) => `5b0c1f4e-9a3d-5c7e-8f21-${String(number).padStart(12, "0")}`;

function aCandidate(number: number): Candidate {
  return {
    ...{ incident: uid(number), workload: { kind: "Deployment", namespace: "shop", name: `w${number}` } },
    ...{ alert: "HighRequestLatency", severity: "warning", startedAt: "2026-11-24T02:00:00Z", summary: "scale" },
  };
}

function keep(
  more: Partial<Parameters<typeof reconcileDashboard>[0]> = {},
  cluster = "default",
): Promise<readonly Candidate[]> {
  const telemetry = { log: (_incident: string, _verb: string, text: string) => void told.push(text) };
  const { host: github, people } = session;
  const clock = { now: () => new Date(Date.now() + ahead) };
  const timings = { coolDownMs: 0 } as Timings;
  return reconcileDashboard(
    {
      github,
      people,
      queue: store.queue,
      records: store,
      clock,
      telemetry,
      timings,
      ...more,
    },
    cluster,
  );
}

const issue = () => forge.issues()[0]?.number ?? 0;
const body = () => forge.issues()[0]?.body ?? "";
const ticked = (number: number) =>
  body().replace(`[ ] <!-- rectify:open=${uid(number)}`, `[x] <!-- rectify:open=${uid(number)}`);
const isOpen = async (number: number, more: object = {}) =>
  (await store.queue.ask(aCandidate(number), limits(more), new Date())).kind === "open";

/** The person edits the issue, and GitHub tells the App of it, twice. */
async function tick(number: number, login: string): Promise<void> {
  await forge.editIssue(issue(), login, ticked(number));
  const delivery = forge.deliveries.findLast(({ event }) => event === "issues");
  const payload = JSON.parse(delivery?.body ?? "{}") as object;
  for (let time = 0; time < 2; time += 1) await bot.receive({ id: delivery?.id ?? "", name: "issues", payload });
}

test("a parked incident asks for a person, for a day or until its workload has another one", async () => {
  await open();
  const incident = anIncident();
  await store.recordIncident(incident);
  await store.endIncident(incident.uid, {
    ending: "parked",
    because: "GitHub: the repository is archived",
    outcome: null,
  });
  await keep();
  expect(body()).toMatch(/## Action required\n\n- .*nobody is at work on .*the repository is archived/);
  expect(await store.parkedSince(new Date(Date.now() + 60_000))).toEqual([]);
  await store.recordIncident({ ...incident, uid: uid(77) });
  await keep();
  expect(body()).not.toContain("nobody is at work");
});

test("who waits is named as soon as a place is free, the longest waiting first", async () => {
  await open();
  expect(await keep()).toEqual([]);
  await store.queue.leave(uid(0));
  expect(await keep()).toEqual([aCandidate(1)]);
  expect(await isOpen(1)).toBe(true);
  expect(await keep()).toEqual([]);
});

test("a box that a person with permission ticks opens its proposal now, past the caps, and is consumed", async () => {
  await open();
  await tick(2, "wim");
  expect(await isOpen(2)).toBe(false);
  await keep();
  expect(body()).not.toContain("[x]");
  expect([await isOpen(1), await isOpen(2)]).toEqual([false, true]);
  await keep();
  expect(body()).not.toContain(uid(2));
  const rows = (await store.auditRows()).filter((row) => row.action === "command open");
  expect(rows).toMatchObject([{ actor: "wim", incident: uid(2), detail: { permission: "write", admitted: "heard" } }]);
});

test.each([
  ["a reader", {}, "rob", "/open needs the permission write, yours is read"],
  [
    "one who is not among the approvers",
    { approvers: { open: { teams: ["acme/sre"] } } },
    "wim",
    "not among the approvers",
  ],
  ["a bot", {}, "rectify[bot]", "is not a person"],
])("the box of %s counts for nothing, which the issue says", async (_who, more, login, words) => {
  await open(more);
  await tick(2, login);
  await keep();
  expect(body()).not.toContain("[x]");
  if (login !== "rectify[bot]") expect(body()).toContain(words);
  expect(told.join()).toContain(words);
  expect(await isOpen(2, more)).toBe(false);
});

test("a box waits for the delivery that tells who ticked it, and counts for nothing without one", async () => {
  await open();
  await forge.editIssue(issue(), "wim", ticked(2));
  await keep();
  expect(body()).toContain("[x]");
  ahead = 3 * 60_000;
  await keep();
  await keep();
  expect(body()).not.toContain("[x]");
  expect(body()).toContain("GitHub did not tell who ticked the box");
  expect(await isOpen(2)).toBe(false);
});

test("a comment says who asks, without any delivery; edited ones and others' issues do not count", async () => {
  await open();
  const edited = await forge.comment(issue(), "wim", "hello");
  ahead = 5000;
  await forge.editComment(edited, `/open ${uid(1)}`, "wim");
  const other = await forge.openIssue("wim", { title: "other" });
  await forge.comment(other, "wim", `/open ${uid(1)}`);
  await forge.comment(issue(), "rob", `/open ${uid(1)}`);
  const said = await forge.comment(issue(), "max", `/open ${uid(2)}`);
  await keep();
  await keep();
  expect([await isOpen(1), await isOpen(2)]).toEqual([false, true]);
  const reactions = forge.calls.filter(({ path }) => path.endsWith(`/${said}/reactions`));
  expect(reactions).toHaveLength(1);
});

test("where two must ask, one is not enough, not even twice", async () => {
  const more = { approvers: { open: { count: 2 } } };
  await open(more);
  await forge.comment(issue(), "wim", `/open ${uid(2)}`);
  await forge.comment(issue(), "wim", `/open ${uid(2)}`);
  await keep();
  expect(await isOpen(2, more)).toBe(false);
  await tick(2, "max");
  await keep();
  expect(await isOpen(2, more)).toBe(true);
});

test("a quiet board is not written again", async () => {
  await open();
  forge.resetCalls();
  await keep();
  await keep();
  expect(forge.calls.filter(({ method }) => method !== "GET")).toEqual([]);
});

test("while a lease runs the board is written once an hour, not at each look", async () => {
  await open({ priceBook: { currency: "EUR", cpuHour: 1, memoryGiBHour: 0 } });
  await store.leases.begin(aLease({ reserved: { cpuCores: 2, memoryBytes: 0 } }));
  const lookAt = (time: string) =>
    keep({ leases: store.leases, clock: { now: () => new Date(`2026-11-24T${time}Z`) } });
  await lookAt("03:31:00");
  expect(body()).toContain("#7");
  const before = body();
  forge.resetCalls();
  for (const time of ["03:38:00", "03:45:30", "03:59:59"]) await lookAt(time);
  expect(forge.calls.filter(({ method }) => method !== "GET")).toEqual([]);
  expect(body()).toBe(before);
  await lookAt("04:00:00");
  expect(body()).toContain("has ended, 2.00 `EUR` until 2026-11-24 04:00 UTC");
});

test("clusters that share a repository keep a dashboard each", async () => {
  await open();
  const parked = { ...store, parkedSince: async () => ["an incident is parked"] };
  await keep({ records: parked }, "eu-1");
  await keep({ records: parked }, "us-1");
  await keep({ records: parked }, "eu-1");
  const titles = forge.issues().map(({ title }) => title);
  expect(titles.filter((title) => title.includes("eu-1"))).toEqual(["Rectify dashboard (eu-1)"]);
  expect(titles.filter((title) => title.includes("us-1"))).toEqual(["Rectify dashboard (us-1)"]);
});

/** Four incidents of web in shadow mode: three as people did it, one that healed by itself. */
async function watched(): Promise<void> {
  for (const [index, kind] of (["earlier", "earlier", "agreed", "healed-by-itself"] as const).entries()) {
    const incident = { ...anIncident(), uid: uid(50 + index) };
    await store.recordIncident(incident);
    const shadow = aPastRecord(kind, { uid: incident.uid, startedAt: new Date(Date.now() - 3_600_000).toISOString() });
    await store.endIncident(incident.uid, { ending: "shadow", because: kind, outcome: { ending: "shadow", shadow } });
  }
}

test("in shadow mode the dashboard sums the weeks up, and leads to the editor with the lines to paste", async () => {
  await open({ mode: "shadow", modes: [{ alert: "Other", mode: "live" }] });
  await watched();
  await keep({ editorOf: (path) => `https://github.example/acme/shop/edit/main/${path}` });
  expect(body()).toMatch(/## Shadow mode\n\nSince 20.*: 4 incidents, 1 agreed, 2 earlier, 1 healed-by-itself/);
  expect(body()).toContain("`HighLatency` on `shop/Deployment/web` has earned it");
  expect(body()).toContain("(https://github.example/acme/shop/edit/main/.github/rectify.yml)");
  expect(body()).toContain("add these lines first under `modes:` in");
  expect(body()).toContain("3 of 4 times the same as people");
  const yaml = parseYaml(`modes:\n${/```yaml\n([^`]*)```/.exec(body())?.[1] ?? ""}`);
  const read = parseGuardrails({ mode: "shadow", ...(yaml.ok ? (yaml.value as object) : {}) });
  expect(read).toMatchObject({ ok: true, value: { modes: [{ namespace: "shop", remedy: "scale", mode: "live" }] } });
});

test("in shadow mode with the dashboard off nothing is written, and no label says that it watches", async () => {
  await open({ mode: "shadow", dashboard: false });
  await watched();
  const watching = { state: () => ({ ...newWatchtower(0), reasons: ["the model is away"], since: 0 }) };
  await keep({ watchtower: watching as unknown as Parameters<typeof reconcileDashboard>[0]["watchtower"] });
  expect(forge.issues()).toEqual([]);
  expect(forgeWrites(forge)).toEqual([]);
});

/** A process over what is on record: only its last door is new. */
async function restart(): Promise<ShadowLatch> {
  session = await connect(forge, undefined, undefined, (...call) => latch.refusal(...call));
  const latch: ShadowLatch = latchOver(store, () => session.mirror.head());
  return latch;
}

test.each([
  ["what was read before is on record", true],
  ["nobody read any before", false],
])(
  "guardrails that nobody can read after a restart, with the dashboard off before: nothing is written (%s)",
  async (_, read) => {
    await open({ mode: "shadow", dashboard: false });
    await watched();
    const latch = await restart();
    if (read) await latch.isOn();
    await forge.push({ ".github/rectify.yml": "mode: shadows\n" }, { message: "a slip", author: "wim" });
    await restart();
    const watching = { state: () => ({ ...newWatchtower(0), reasons: ["the model is away"], since: 0 }) };
    const watchtower = watching as unknown as Parameters<typeof reconcileDashboard>[0]["watchtower"];
    await keep({ watchtower });
    await keep({ watchtower });
    expect([forge.issues(), forgeWrites(forge)]).toEqual([[], []]);
    // Told once, by the log: there is no other place.
    expect(told.filter((line) => line.includes("the dashboard is not written"))).toHaveLength(1);
  },
);

test("where the dashboard was kept before, it tells of guardrails that nobody can read also after a restart", async () => {
  await open({ mode: "shadow" });
  await (await restart()).isOn();
  await forge.push({ ".github/rectify.yml": "mode: shadows\n" }, { message: "a slip", author: "wim" });
  await restart();
  await keep();
  expect(body()).toContain("must be live or shadow");
});

test("where shadow mode was on, a file that somebody deletes is told on the dashboard and not proposed anew", async () => {
  await open({ mode: "shadow" });
  await (await restart()).isOn();
  await forge.push({ ".github/rectify.yml": null }, { message: "gone", author: "wim" });
  await restart();
  await keep({ guardrailsHost: guardrailsHost(session.client) });
  expect([forge.pulls(), forge.issues()]).toMatchObject([[], [{ state: "open" }]]);
  expect(body()).toContain("is missing on the default branch");
});

test("without modes yet the list is given whole, and what is live by now is not asked for again", async () => {
  await open({ mode: "shadow" });
  await watched();
  await keep();
  expect(body()).toContain(
    "add this (in place of `modes: []`, if it is there) in `.github/rectify.yml`:\n\n```yaml\nmodes:\n  - { namespace: shop,",
  );
  const modes = [{ namespace: "shop", remedy: "scale", mode: "live" }];
  await forge.push(
    { ".github/rectify.yml": JSON.stringify({ ...rules, mode: "shadow", modes }) },
    { message: "switch it on", author: "wim" },
  );
  session = await connect(forge);
  await keep();
  expect(body()).toContain("is live by now");
  expect(body()).not.toContain("To switch on");
});

test("live, the dashboard says nothing of shadow mode", async () => {
  await open();
  await watched();
  await keep();
  expect(body()).not.toContain("Shadow mode");
});
