import pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openStore, type Store } from "../../src/adapters/postgres/store.ts";
import { type Executor, joinExecutors } from "../../src/server/executor.ts";
import { reconcileWorkflows, recoverAbandoned } from "../../src/server/jobs/workflows/resume.ts";
import { schedule } from "../../src/server/jobs/schedule.ts";
import { type Incident, openIncident } from "../../src/domain/incident/incident.ts";
import { anAlert } from "../builders.ts";
import { migratedDatabase } from "../postgres.ts";

let store: Store;
let client: pg.Client;
const told: string[] = [];
const telemetry = { log: (_incident: string, verb: string, text: string) => void told.push(`${verb}: ${text}`) };
// Beyond every Linux: nobody has this number.
const nobody = 2 ** 30;

beforeAll(async () => {
  const url = await migratedDatabase();
  store = await openStore(url);
  client = new pg.Client({ connectionString: url });
  await client.connect();
  // What the engine keeps of a workflow, as far as it is asked here.
  await client.query(`create schema dbos; create table dbos.workflow_status (workflow_uuid text primary key, status text,
    executor_id text, application_version text, created_at bigint default 0)`);
});
afterAll(async () => {
  await client.end();
  await store.close();
});
beforeEach(async () => {
  told.length = 0;
  await client.query("truncate executor, leader, inbox, incident, dbos.workflow_status cascade");
});

const join = (place: { space: string | undefined; pid: number }) =>
  joinExecutors({ store, version: "3", telemetry, place, beatMs: 100 });
const here = { space: "this kernel", pid: process.pid };
const elsewhere = { space: "another kernel", pid: 1 };

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((goOn) => setTimeout(goOn, 5));
}

async function goneOf(id: string): Promise<boolean> {
  const { rows } = await client.query("select gone_at from executor where id = $1", [id]);
  return rows[0]?.gone_at !== null;
}

async function settle(executor: Executor): Promise<void> {
  await executor.drain();
  await executor.leave();
}

test("a database that a process of another cluster works on is refused, until that one has left", async () => {
  const joining = (cluster: string) =>
    joinExecutors({ store, version: "3", telemetry, place: elsewhere, cluster, beatMs: 100 });
  const first = await joining("eu");
  await expect(joining("us")).rejects.toThrow(/a Rectify of the cluster eu works on this database: .*DATABASE_URL/);
  const second = await joining("eu");
  await settle(first);
  await expect(joining("us")).rejects.toThrow(/cluster eu/);
  await settle(second);
  await settle(await joining("us"));
});

test("who has more to do than others leaves them what is new, and nobody does who is alone", async () => {
  const first = await join(here);
  const insert = `insert into dbos.workflow_status (workflow_uuid, status, executor_id)
    select $1 || n, 'PENDING', $1 from generate_series(1, $2::int) n`;
  await client.query(insert, [first.id, 20]);
  expect(await store.shareOf(first.id)).toEqual({ living: 1, leaveMs: 0 });
  const second = await join(elsewhere);
  expect(await store.shareOf(first.id)).toEqual({ living: 2, leaveMs: 2_500 });
  expect(await store.shareOf(second.id)).toEqual({ living: 2, leaveMs: 0 });
  await client.query(insert, [second.id, 15]);
  expect(await store.shareOf(first.id)).toEqual({ living: 2, leaveMs: 0 });
  await settle(first);
  await settle(second);
});

test("one of the living leads; when it leaves, another does", async () => {
  const first = await join(here);
  const second = await join(elsewhere);
  await until(() => first.leads());
  expect(second.leads()).toBe(false);
  await settle(first);
  expect(first.leads()).toBe(false);
  await until(() => second.leads());
  await settle(second);
});

test("a process whose number nobody has is gone at once, and its deliveries are free", async () => {
  await store.joinExecutor("dead", "3", { space: here.space, pid: nobody });
  await client.query("insert into inbox (kind, headers, body) values ('alerts', '{}', 'x')");
  expect(await store.claim("alerts", "dead", 1)).toHaveLength(1);
  expect(await store.claim("alerts", "other", 1)).toEqual([]);
  const executor = await join(here);
  expect(await goneOf("dead")).toBe(true);
  expect(told).toEqual(["executor: dead is gone: its work goes to others"]);
  expect(await store.claim("alerts", "other", 1)).toHaveLength(1);
  await settle(executor);
});

test("a number says nothing about a process elsewhere, nor where nobody can see numbers", async () => {
  await store.joinExecutor("far", "3", { space: "another kernel", pid: nobody });
  await store.joinExecutor("unseen", "3", { space: undefined, pid: nobody });
  const executor = await join(here);
  expect([await goneOf("far"), await goneOf("unseen")]).toEqual([false, false]);
  await settle(executor);
  const blind = await join({ space: undefined, pid: 1 });
  expect(await goneOf("unseen")).toBe(false);
  await settle(blind);
});

test("what is silent for 30 s is gone, but only who was heard itself may say so", async () => {
  await store.joinExecutor("silent", "3", elsewhere);
  await client.query("update executor set seen_at = now() - interval '31 seconds'");
  await store.joinExecutor("quiet", "3", elsewhere);
  await client.query("update executor set seen_at = now() - interval '25 seconds' where id = 'quiet'");
  await store.joinExecutor("me", "3", here);
  expect(await store.markGone("me", here, false)).toEqual([]);
  expect(await store.markGone("me", here, true)).toEqual(["silent"]);
  expect(await store.beatExecutor("silent")).toBe(false);
  expect(await store.beatExecutor("quiet")).toBe(true);
});

test("whoever was taken for gone begins nothing any more and says that it must end", async () => {
  const executor = await join(here);
  expect(await executor.during(async () => "done")).toBe("done");
  await client.query("update executor set gone_at = now() where id = $1", [executor.id]);
  expect(await executor.lost).toContain("took this one for gone");
  let begun = false;
  void executor.during(async () => (begun = true));
  // What it had begun writes nothing more either.
  void executor.held().then(() => (begun = true));
  await store.beatExecutor(executor.id);
  expect([begun, executor.leads()]).toEqual([false, false]);
  await settle(executor);
});

test("while Postgres does not hear of it nothing begins, and it goes on with the next beat", async () => {
  let away = false;
  const beatExecutor: Store["beatExecutor"] = async (id) => {
    if (away) throw new Error("away");
    return store.beatExecutor(id);
  };
  const executor = await joinExecutors({
    ...{ store: { ...store, beatExecutor }, version: "3", telemetry, place: here, beatMs: 200 },
  });
  away = true;
  await until(() => told.some((line) => line.includes("no beat")) && !executor.leads());
  let begun = false;
  const work = executor.during(async () => (begun = true));
  const write = executor.held().then(() => (begun = true));
  await new Promise((goOn) => setImmediate(goOn));
  expect(begun).toBe(false);
  away = false;
  await Promise.all([work, write]);
  expect(begun).toBe(true);
  expect(told.filter((line) => line.includes("no beat"))).toEqual(["executor: no beat: away"]);
  await settle(executor);
});

test("it leaves when what it has in hand has ended, which may write until then", async () => {
  const executor = await join(here);
  let end: () => void = () => undefined;
  const work = executor.during(() => new Promise<void>((done) => (end = done)));
  await new Promise((goOn) => setImmediate(goOn));
  const drained = executor.drain();
  await executor.held();
  expect(await goneOf(executor.id)).toBe(false);
  end();
  await Promise.all([work, drained]);
  await executor.leave();
  expect(await goneOf(executor.id)).toBe(true);
});

const workflow = (id: string, executor: string, version = "3", status = "PENDING") =>
  client.query("insert into dbos.workflow_status values ($1, $2, $3, $4)", [id, status, executor, version]);

test("abandoned is what no living process has, of this version alone", async () => {
  const executor = await join(here);
  await store.joinExecutor("old", "2", elsewhere);
  await workflow("mine", executor.id);
  await workflow("lost", "dead");
  await workflow("of the release before", "rectify");
  await workflow("of another version", "dead", "2");
  await workflow("waits", "dead", "3", "ENQUEUED");
  await workflow("over", "dead", "3", "SUCCESS");
  expect((await store.abandonedWorkflows("3")).toSorted()).toEqual(["lost", "of the release before"]);
  // A process of version 2 lives: the work of the other one is its.
  expect([await store.hasExecutor("2"), await store.hasStranded("3")]).toEqual([true, false]);
  await store.leaveExecutor("old");
  expect([await store.hasExecutor("2"), await store.hasStranded("3")]).toEqual([false, true]);
  await settle(executor);
});

test("two that find the same abandoned work hand it on once", async () => {
  await workflow("lost", "dead");
  const handed: string[] = [];
  const recover = async (workflows: readonly string[]) => {
    handed.push(...workflows);
    await client.query("update dbos.workflow_status set status = 'ENQUEUED' where workflow_uuid = any($1)", [
      workflows,
    ]);
  };
  const durable = {
    recover,
    start: async () => undefined,
    stateOf: async () => "running" as const,
    cancel: async () => undefined,
  };
  const recovering = { store, durable, workflowVersion: "3" };
  await Promise.all([1, 2, 3].map(() => recoverAbandoned(recovering, telemetry)));
  expect(handed).toEqual(["lost"]);
  expect(told).toEqual(["resume: its process is gone: it goes on"]);
});

test("a process that ends in order makes nobody suspect its workflows", async () => {
  await workflow("carried", "orderly");
  await store.joinExecutor("orderly", "3", elsewhere);
  for (let times = 1; times <= 3; times += 1) expect(await store.recovering("carried", 7)).toBe(times);
  await store.leaveExecutor("orderly");
  expect(await store.recovering("carried", 7)).toBe(3);
  // One that died is another matter.
  expect(await store.recovering("carried", 7)).toBe(4);
});

test("an incident whose workflow stopped without an ending is parked while the process goes on", async () => {
  const incidents = ["runs", "failed", "absent", "new"].map((name) =>
    openIncident("test", { kind: "Deployment", namespace: "shop", name }, anAlert()),
  );
  for (const incident of incidents) expect(await store.recordIncident(incident)).toBe(true);
  const [runs, failed, absent, fresh] = incidents.map(({ uid }) => uid);
  for (const uid of [runs, failed, absent]) await store.markStarted(uid ?? "");
  await workflow(runs ?? "", "me");
  await workflow(failed ?? "", "me", "3", "ERROR");
  await store.joinExecutor("me", "3", elsewhere);
  const started: string[] = [];
  const durable = {
    recover: async () => undefined,
    start: async (id: string) => {
      started.push(id);
      await workflow(id, "me");
    },
    stateOf: async (id: string) => {
      const { rows } = await client.query("select status from dbos.workflow_status where workflow_uuid = $1", [id]);
      return rows.length === 0 ? "absent" : rows[0]?.status === "ERROR" ? "ended" : "running";
    },
    cancel: async () => undefined,
  } as const;
  await recoverAbandoned({ store, durable, workflowVersion: "3" }, telemetry);
  expect((await store.incident(failed ?? ""))?.ending).toBe("parked");
  expect([await store.hasStopped(), started.toSorted()]).toEqual([false, [absent, fresh].toSorted()]);
  expect((await store.unfinished()).map(({ incident }) => incident.uid)).toEqual([runs, absent, fresh]);
});

test("an incident that cannot be taken up is told and keeps neither the others nor the start", async () => {
  for (const name of ["bad", "good"])
    await store.recordIncident(openIncident("test", { kind: "Deployment", namespace: "shop", name }, anAlert()));
  const started: string[] = [];
  const durable = {
    start: async (id: string, { workload }: Incident) => {
      if (workload.name === "bad") throw new TypeError("of undefined");
      started.push(id);
    },
    stateOf: async () => "absent" as const,
    cancel: async () => undefined,
  };
  await reconcileWorkflows({ store, durable, workflowVersion: "3" }, telemetry);
  expect([started.length, told.filter((line) => line.includes("could not be taken up: of undefined")).length]).toEqual([
    1, 1,
  ]);
});

test("timers do nothing while another process leads", async () => {
  let ours = false;
  let done = 0;
  const ticks = schedule(1, { telemetry, isOurs: () => ours }, { work: async () => void (done += 1) });
  await new Promise((goOn) => setTimeout(goOn, 30));
  expect(done).toBe(0);
  ours = true;
  await until(() => done > 0);
  await ticks.stop();
});
