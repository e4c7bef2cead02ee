import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listen } from "../../../src/adapters/http/listener.ts";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { capsuleOf, renderCapsule } from "../../../src/domain/records/capsule.ts";
import { evidenceOf } from "../../../src/domain/evidence/evidence.ts";
import { explain, replay } from "../../../src/commands/records/explain.ts";
import { pageRoutes } from "../../../src/server/pages/routes.ts";
import { anIncident } from "../../builders.ts";
import { aLease } from "../../lease.ts";
import { migratedDatabase } from "../../postgres.ts";

const incident = anIncident();
const when = { from: "2026-11-24T01:30:00Z", to: "2026-11-24T02:00:00Z" };
const cores = (id: string, key: "cpu-used" | "cpu-requested", value: number) =>
  evidenceOf(id, {
    ...{ source: "prometheus", key, title: key, query: `sum(${key})`, ...when },
    finding: { kind: "series", unit: "cores", series: [{ labels: {}, points: [[1, value]] }], notes: [] },
  });
const evidence = [
  cores("E1", "cpu-used", 0.48),
  cores("E2", "cpu-requested", 0.5),
  evidenceOf("E3", {
    ...{ source: "loki", key: "logs", title: "log lines", query: "logs of web", ...when },
    finding: { kind: "missing", because: "Loki: 500" },
  }),
];
const document = renderCapsule(capsuleOf(incident, evidence, { at: when.to, versions: {} }));

let store: Store;
let url: string;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "rectify-explain-"));
  url = await migratedDatabase();
  store = await openStore(url);
  await store.recordIncident(incident);
  await store.recordEvent(incident.uid, "intake", "opened\u001b[2J for web");
  await store.saveCapsule(incident.uid, document);
  await store.endIncident(incident.uid, {
    ...{ ending: "no-change", because: "nobody may scale it" },
    outcome: { ending: "no-change", because: "nobody may scale it", cause: { sentence: "web is hot", citing: ["E1"] } },
  });
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

test("explain tells the cost with the line back to the evidence and the alert, and what became of the lease", async () => {
  const costly = { ...incident, uid: "5b0c1f4e-9a3d-5c7e-8f21-000000000001" };
  const lease = aLease({ incident: costly });
  await store.recordIncident(costly);
  await store.saveCapsule(costly.uid, renderCapsule(capsuleOf(costly, evidence, { at: when.to, versions: {} })));
  const cost = { perHour: 0.0219, perMonth: 15.98, currency: "EUR", because: "+0.5 cores × 0.04 EUR per hour" };
  const outcome = {
    ending: "recovered",
    because: "seen",
    remediation: lease.remediation,
    cost,
    cause: { sentence: "web is hot", citing: ["E1"] },
  };
  await store.endIncident(costly.uid, { ending: "recovered", because: "seen", outcome });
  await store.leases.begin(lease);
  await store.leases.end(costly.uid, "reverted by pull request 8");
  const text = (await explain(costly.uid, { DATABASE_URL: url })).lines.join("\n");
  expect(text).toContain("Cost\n  +0.0219 EUR per hour, +15.98 EUR per month: +0.5 cores × 0.04 EUR per hour");
  expect(text).toContain("shown by E1: cpu-used (prometheus: sum(cpu-used))");
  expect(text).toMatch(/asked for by the alert HighRequestLatency since .*, fingerprint f1/);
  expect(text).toMatch(/Lease\n {2}4 instead of 2 since .*\n {2}ended: reverted by pull request 8/);
});

test("explain tells timeline, ranked causes, cited evidence with its queries, what is missing, and lineage", async () => {
  const { lines, code } = await explain(incident.uid, { DATABASE_URL: url });
  const text = lines.join("\n");
  expect(code).toBe(0);
  expect(text).toContain("HighRequestLatency of shop-production/Deployment/web: no-change, nobody may scale it");
  expect(text).toMatch(/intake +opened \[2J for web/);
  expect(text).toMatch(/\d+ % {2}web uses 96 % of the CPU it requests \[E1, E2\]/);
  expect(text).toContain("E1   prometheus: cpu-used: last value 0.48 cores\n       sum(cpu-used)");
  expect(text).toContain("E3   loki: log lines: missing: Loki: 500");
  expect(text).toMatch(new RegExp(`Incident-UID +${incident.uid}`));
  expect(text).not.toContain("\u001b");
});

test.each([
  ["an unknown incident", "nothing", (): Record<string, string> => ({ DATABASE_URL: url }), /no incident "nothing"/],
  ["a place without records", "x", (): Record<string, string> => ({ RECTIFY_DATA: directory }), /set DATABASE_URL/],
])("%s is said", async (_, uid, env, reason) => {
  const { lines, code } = await explain(uid, env());
  expect(code).toBe(1);
  expect(lines.join()).toMatch(reason);
});

test("the capsule is downloaded from the incident's page, and repeats the diagnosis offline", async () => {
  const server = await listen(pageRoutes(store), { host: "127.0.0.1", port: 0 });
  const at = `http://127.0.0.1:${server.port}/incidents/${incident.uid}`;
  try {
    expect(await (await fetch(at)).text()).toContain(`href="/incidents/${incident.uid}/capsule"`);
    const answer = await fetch(`${at}/capsule`);
    expect(answer.headers.get("content-disposition")).toContain(`${incident.uid}.capsule.json`);
    const path = join(directory, "capsule.json");
    writeFileSync(path, await answer.text());
    const { lines, code } = replay(path);
    expect(code).toBe(0);
    expect(lines.join("\n")).toMatch(/web uses 96 % of the CPU[\s\S]*The diagnosis is the recorded one\./);
    expect((await fetch(`${at}x/capsule`)).status).toBe(404);
  } finally {
    await server.close();
  }
});

test.each([
  ["was changed", () => document.replace("0.48", "0.28"), /the capsule was changed/],
  ["is no capsule", () => "{}", /not a capsule/],
])("a file that %s is not replayed", (_, text, reason) => {
  const path = join(directory, "bad.json");
  writeFileSync(path, text());
  const { lines, code } = replay(path);
  expect(code).toBe(1);
  expect(lines.join()).toMatch(reason);
});

test("a file that is not there is said", () => {
  expect(replay(join(directory, "absent.json"))).toMatchObject({ code: 1 });
});
