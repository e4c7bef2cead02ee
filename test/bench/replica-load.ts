import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import pg from "pg";
import { openStore } from "../../src/adapters/postgres/store.ts";
import { aDelivery, anAlert } from "../builders.ts";

interface ReplicaLoad {
  readonly url: string;
  readonly processes: number;
  readonly workloads: number;
  readonly steps: number;
  /** The first process is killed when this share of the incidents has ended; its work goes on in the others. */
  readonly killAt?: number;
  /** The database is stopped and started again each time when this share of the incidents has ended. */
  readonly outages?: { readonly at: readonly number[]; readonly restart: () => Promise<void> };
}

export interface ReplicaResult {
  readonly processes: number;
  readonly incidents: number;
  /** Incidents that each process ended. */
  readonly shares: readonly number[];
  readonly seconds: number;
  readonly incidentsPerMinute: number;
  /** Workloads with more than one incident, and ends that two living processes told. */
  readonly doubled: number;
  /** Steps that were done again, because a process died in them. */
  readonly repeatedSteps: number;
  readonly rowsPerIncident: number;
  readonly bytesPerIncident: number;
}

interface Line {
  readonly ready?: string;
  readonly port?: number;
  readonly ended?: string;
  readonly uid?: string;
  readonly step?: number;
}

/** As many alerts as workloads, put into the inbox at once; ends when every incident has. */
export async function replicaLoad(load: ReplicaLoad): Promise<ReplicaResult> {
  const { url, workloads, steps } = load;
  const store = await openStore(url);
  const children = Array.from({ length: load.processes }, () => childOf({ url, steps }));
  try {
    await until(() => children.every(({ told }) => told.some(({ ready }) => ready !== undefined)));
    const before = await tablesOf(url);
    const begun = performance.now();
    for (let from = 0; from < workloads; from += 20) {
      const alerts = Array.from({ length: Math.min(20, workloads - from) }, (_, place) => alertOf(from + place));
      await store.accept("alerts", {}, Buffer.from(JSON.stringify(aDelivery(alerts))), { urgency: 3 });
    }
    const ended = () => children.flatMap(({ told }) => told.flatMap((line) => line.ended ?? []));
    if (load.killAt !== undefined) {
      await until(() => ended().length >= workloads * (load.killAt ?? 0));
      children[0]?.kill();
    }
    for (const share of load.outages?.at ?? []) {
      await until(() => new Set(ended()).size >= workloads * share);
      await load.outages?.restart();
    }
    await until(() => new Set(ended()).size >= workloads);
    const seconds = (performance.now() - begun) / 1000;
    const after = await tablesOf(url);
    // Who was killed may have told an end and died before it was on record: whoever goes on with it tells it again.
    const alive = load.killAt === undefined ? children : children.slice(1);
    const survivors = alive.flatMap(({ told }) => told.flatMap((line) => line.ended ?? []));
    const done = children.flatMap(({ told }) => told.flatMap(({ step, uid }) => (step ? [`${uid}/${step}`] : [])));
    return {
      ...{ processes: load.processes, incidents: workloads, seconds: Number(seconds.toFixed(1)) },
      shares: children.map(({ told }) => told.filter((line) => line.ended !== undefined).length),
      incidentsPerMinute: Math.round((workloads / seconds) * 60),
      doubled: (await doubledIn(url)) + survivors.length - new Set(survivors).size,
      repeatedSteps: done.length - new Set(done).size,
      rowsPerIncident: Math.round((after.rows - before.rows) / workloads),
      bytesPerIncident: Math.round((after.bytes - before.bytes) / workloads),
    };
  } finally {
    await Promise.all(children.map(({ end }) => end()));
    await store.close();
  }
}

interface Acknowledged {
  readonly acknowledged: number;
  readonly ended: number;
  readonly doubled: number;
}

/**
 * So many processes take in an alert each and are killed as soon as their answer is here, within a millisecond; one more
 * begins afterwards and has all that was acknowledged to see to.
 */
export async function acknowledgedLoad({ url, kills }: { url: string; kills: number }): Promise<Acknowledged> {
  const store = await openStore(url);
  const token = "bench-token-of-thirty-two-bytes!";
  const headers = { authorization: `Bearer ${token}` };
  const children = Array.from({ length: kills }, () => childOf({ url, steps: 1, token }));
  try {
    let acknowledged = 0;
    for (const [number, { told, kill }] of children.entries()) {
      await until(() => told.some(({ ready }) => ready !== undefined));
      const address = `http://127.0.0.1:${told.find(({ port }) => port !== undefined)?.port}/alerts`;
      const body = JSON.stringify(aDelivery([alertOf(number)]));
      const { status } = await fetch(address, { method: "POST", headers, body });
      kill();
      if (status === 202) acknowledged += 1;
    }
    const heir = childOf({ url, steps: 1 });
    children.push(heir);
    const ended = () => new Set(children.flatMap(({ told }) => told.flatMap((line) => line.ended ?? [])));
    await until(() => ended().size >= acknowledged);
    return { acknowledged, ended: ended().size, doubled: await doubledIn(url) };
  } finally {
    await Promise.all(children.map(({ end }) => end()));
    await store.close();
  }
}

function childOf(wish: { readonly url: string; readonly steps: number; readonly token?: string }) {
  const child: ChildProcess = spawn(process.execPath, ["--import", "tsx", "test/bench/replica-child.ts"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  const told: Line[] = [];
  createInterface({ input: child.stdout ?? process.stdin }).on("line", (text) => told.push(JSON.parse(text) as Line));
  child.stdin?.on("error", () => undefined).end(JSON.stringify(wish));
  return {
    told,
    kill: () => child.kill("SIGKILL"),
    end: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await gone;
    },
  };
}

function alertOf(number: number) {
  const labels = { alertname: "HighRequestLatency", namespace: "shop", deployment: `w${number}`, severity: "warning" };
  return anAlert({ fingerprint: `f${number}`, labels });
}

async function doubledIn(url: string): Promise<number> {
  const text =
    "select count(*)::int as many from (select 1 from incident group by workload having count(*) > 1) as more";
  return Number((await ask(url, text))[0]?.many ?? 0);
}

/** Rows of our tables and the engine's, and the bytes of the whole database. */
export async function tablesOf(url: string): Promise<{ readonly rows: number; readonly bytes: number }> {
  const tables = await ask(
    url,
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'dbos')",
  );
  const counts = tables.map(({ name }) => `(select count(*) from ${String(name)})`).join(" + ");
  const [row] = await ask(
    url,
    `select (${counts})::int as rows, pg_database_size(current_database())::bigint as bytes`,
  );
  return { rows: Number(row?.rows), bytes: Number(row?.bytes) };
}

async function ask(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resume) => setTimeout(resume, 50));
}
