import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listen } from "../../../src/adapters/http/listener.ts";
import { type Meter, openMeter } from "../../../src/adapters/telemetry/metrics.ts";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { heartbeat } from "../../../src/adapters/postgres/heartbeat.ts";
import { inbox } from "../../../src/adapters/postgres/incidents/inbox.ts";
import { connectTo } from "../../../src/adapters/postgres/query.ts";
import { internalRoutes } from "../../../src/server/routes.ts";
import { openIncident } from "../../../src/domain/incident/incident.ts";
import { Unavailable } from "../../../src/ports/errors.ts";
import { anAlert } from "../../builders.ts";
import { freshDatabase, migratedDatabase } from "../../postgres.ts";

let meter: Meter;
let store: Store;
let listener: Awaited<ReturnType<typeof listen>>;

beforeAll(async () => {
  meter = openMeter();
  store = meter.watchStore(await openStore(await migratedDatabase()));
  listener = await listen([meter.route], { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await listener.close();
  await store.close();
});

async function scrape(): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${listener.port}/metrics`);
  expect(answer.headers.get("content-type")).toContain("version=0.0.4");
  return (await answer.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

/** Tells the workflow of some incidents, whose every name comes from outside. */
async function someWork(incidents: number): Promise<void> {
  const telemetry = meter.watchSteps({ log: () => undefined });
  for (let index = 0; index < incidents; index += 1) {
    const workload = { kind: "Deployment", namespace: "evil", name: `secret-${index}` } as const;
    const incident = openIncident("test", workload, anAlert({ fingerprint: `f-${index}`, name: `Secret${index}` }));
    await store.accept("alerts", {}, Buffer.from("{}"));
    await store.recordIncident(incident);
    for (const step of ["collect", "diagnose", `secret step ${index}`]) {
      for (const phase of ["begin", "end", "recorded"] as const) telemetry.step?.(incident.uid, step, phase);
    }
    meter.githubCall({ method: index % 2 ? "POST" : `SECRET${index}`, status: 200 + index, durationMs: 10 });
    meter.githubCall({ method: "GET", status: undefined, durationMs: 30_000 });
    meter.modelCall({ ok: index % 2 === 0, durationMs: 900 });
    await store.endIncident(incident.uid, { ending: "recovered", because: "secret", outcome: null });
  }
}

test("what happens is counted: deliveries, incidents, calls, steps, and what waits", async () => {
  await someWork(2);
  await store.accept("github", {}, Buffer.from("{}"), { delivery: "one" });
  await store.accept("github", {}, Buffer.from("{}"), { delivery: "one" });
  meter.watchTower(() => true);
  expect(await scrape()).toEqual(
    expect.arrayContaining([
      'rectify_deliveries_total{kind="alerts",outcome="accepted"} 2',
      'rectify_deliveries_total{kind="github",outcome="accepted"} 1',
      'rectify_deliveries_total{kind="github",outcome="repeated"} 1',
      "rectify_incidents_opened_total 2",
      'rectify_incidents_ended_total{ending="recovered"} 2',
      'rectify_github_call_duration_seconds_count{method="GET",answer="none"} 2',
      'rectify_github_call_duration_seconds_count{method="POST",answer="2xx"} 1',
      'rectify_model_call_duration_seconds_count{outcome="failed"} 1',
      'rectify_step_duration_seconds_count{step="collect"} 2',
      "rectify_inbox_waiting 3",
      "rectify_database_up 1",
      "rectify_watchtower 1",
    ]),
  );
});

test("five hundred incidents with names from outside make fewer than 2,000 series, and none of those names", async () => {
  await someWork(500);
  const lines = await scrape();
  expect(lines.length).toBeLessThan(2_000);
  expect(lines.filter((line) => line.includes("evil") || line.includes("Secret") || line.includes("SECRET"))).toEqual(
    [],
  );
  expect(lines.some((line) => line.startsWith('rectify_step_duration_seconds_count{step="other"}'))).toBe(true);
});

test("a database that is away does not fail the scrape, it is told", async () => {
  const gone = openMeter();
  gone.watchStore({ ...store, waitingCount: () => Promise.reject(new Unavailable("away")) });
  const { body } = await gone.route.answer({ body: Buffer.alloc(0), headers: {}, url: new URL("http://x/metrics") });
  expect(body).toContain("rectify_database_up 0");
});

test("a database that takes no writes is down, also where it still answers; ready means that it takes them", async () => {
  const url = await freshDatabase();
  const own = openMeter();
  const intake = { app: { verify: async () => false }, alertsToken: "t", notify: () => undefined };
  const writable = own.watchStore(await openStore(url));
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`alter database ${new URL(url).pathname.slice(1)} set default_transaction_read_only = on`);
  const readOnly = await openedReadOnly(url);
  const states = [];
  for (const each of [writable, readOnly]) {
    const watching = openMeter();
    watching.watchStore(each);
    const inside = await listen([...internalRoutes({ ...intake, store: each }), watching.route], {
      host: "127.0.0.1",
      port: 0,
    });
    const at = `http://127.0.0.1:${inside.port}`;
    const scraped = await (await fetch(`${at}/metrics`)).text();
    states.push([
      (await fetch(`${at}/readyz`)).status,
      /^rectify_database_up (\d)/m.exec(scraped)?.[1],
      /^rectify_inbox_waiting (\d)/m.exec(scraped)?.[1],
    ]);
    await inside.close();
  }
  await admin.end();
  await Promise.all([writable.close(), readOnly.close()]);
  expect(states).toEqual([
    [200, "1", "0"],
    [503, "0", "0"],
  ]);
});

/** The same store on connections that are all made after the database became read-only. */
async function openedReadOnly(url: string): Promise<Store> {
  const { query, close } = connectTo(url);
  return { ...inbox(query), ...heartbeat(query), close } as unknown as Store;
}

test("how far other clocks are ahead of ours is measured against Postgres and GitHub", async () => {
  const ahead = new Date(Date.now() + 90_000).toUTCString();
  meter.githubCall({ method: "GET", status: 200, durationMs: 1, date: ahead });
  meter.githubCall({ method: "GET", status: 200, durationMs: 1, date: "nonsense" });
  const lines = await scrape();
  const skew = (against: string) =>
    Number(lines.find((line) => line.startsWith(`rectify_clock_skew_seconds{against="${against}"}`))?.split(" ")[1]);
  expect(Math.round(skew("github") / 10)).toBe(9);
  expect(Math.abs(skew("postgres"))).toBeLessThan(30);
});

test("a step that hangs is counted beside its time, from nought on", async () => {
  const counting = openMeter();
  const text = async () =>
    String(
      (await counting.route.answer({ body: Buffer.alloc(0), headers: {}, url: new URL("http://x/metrics") })).body,
    );
  expect(await text()).toContain("\nrectify_steps_stuck_total 0\n");
  const telemetry = counting.watchSteps({ log: () => undefined });
  for (const phase of ["begin", "stuck", "end"] as const) telemetry.step?.("uid", "collect", phase);
  const after = await text();
  expect(after).toContain("\nrectify_steps_stuck_total 1\n");
  expect(after).toContain('rectify_step_duration_seconds_count{step="collect"} 1');
});
