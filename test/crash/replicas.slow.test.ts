import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { afterEach, expect, test } from "vitest";
import { until } from "../../src/lab/start.ts";
import type { Scenario } from "../../src/lab/scenario.ts";
import type { LabWorld } from "../../src/lab/world.ts";
import { approveOnce, type Line, openPatientWorld } from "./keep-alive.ts";
import { built } from "../built.ts";
import { freshDatabase } from "../postgres.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function shop(scenario?: Scenario): Promise<{ world: LabWorld; directory: string }> {
  await built();
  const { world, directory, close } = await openPatientWorld("replicas", scenario);
  closing.push(close);
  return { world: { ...world, settings: { ...world.settings, databaseUrl: await freshDatabase() } }, directory };
}

/** One process of several on the same database. */
async function replica({ world, directory }: { world: LabWorld; directory: string }, name: string) {
  const settings = { ...world.settings, dataDirectory: join(directory, name) };
  const child: ChildProcess = spawn(process.execPath, ["test/crash/child.mjs"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = new Promise<number | null>((done) => child.once("exit", done));
  closing.push(async () => {
    child.kill("SIGKILL");
    await gone;
  });
  child.stdin?.on("error", () => undefined).end(JSON.stringify({ settings, survived: [], kill: false }));
  const told: Line[] = [];
  createInterface({ input: child.stdout ?? process.stdin }).on("line", (text) => told.push(JSON.parse(text) as Line));
  const ports = await until(`process ${name}`, () => told.find((line) => line.webhookPort !== undefined), 120_000);
  const end = async (signal: "SIGKILL" | "SIGTERM") => {
    child.kill(signal);
    return gone;
  };
  const joined = () => world.join({ webhookPort: ports.webhookPort ?? 0, internalPort: ports.internalPort ?? 0 });
  return { told, end, join: joined, has: (verb: string) => told.some((line) => line.verb === verb) };
}

async function expectOneOfEach({ forge, settings }: LabWorld): Promise<void> {
  await until(
    "the last report",
    () => forge.comments(1).some((comment) => comment.body?.includes("**Recovered**")),
    120_000,
  );
  expect(forge.pulls().map((pull) => pull.merged)).toEqual([true]);
  const [pull] = forge.pulls();
  expect((await forge.pull(pull?.number ?? 0)).commits).toBe(1);
  expect(forge.comments(pull?.number ?? 0).filter((comment) => comment.user?.type === "Bot")).toHaveLength(1);
  expect(forge.checks(pull?.head.sha ?? "").filter((check) => check.name === "rectify")).toHaveLength(1);
  const client = new pg.Client({ connectionString: settings.databaseUrl });
  await client.connect();
  const { rows } = await client.query("select ending from incident");
  const workflows = await client.query("select status from dbos.workflow_status where name = 'remediate-incident'");
  await client.end();
  expect(rows).toEqual([{ ending: "recovered" }]);
  // One workflow, under one id: nobody began it anew.
  expect(workflows.rows).toHaveLength(1);
}

test("two processes share a database: when one is killed, the other ends its workflow", {
  timeout: 300_000,
}, async () => {
  const { world, directory } = await shop();
  const first = await replica({ world, directory }, "first");
  const second = await replica({ world, directory }, "second");
  await first.join();
  await until("a quiet shop", () => world.cluster.isSynced());
  world.cluster.setLoad("web", 260);
  // Either of them may have read the delivery: kill the one that is at work.
  const isAtWork = () => [first, second].find((each) => each.has("propose"));
  const killed = await until("the process at work", isAtWork, 120_000);
  const heir = killed === first ? second : first;
  expect(heir.has("propose")).toBe(false);
  await killed.end("SIGKILL");
  await heir.join();
  await approveOnce(world);
  await until("the end of the incident", () => heir.has("learn"), 120_000);
  await expectOneOfEach(world);
  expect(heir.told.some((line) => line.verb === "executor" && line.text?.includes("is gone"))).toBe(true);
});

test("a rolling update: what the old process had in hand goes on in the new one", { timeout: 300_000 }, async () => {
  const { world, directory } = await shop();
  const old = await replica({ world, directory }, "old");
  await old.join();
  await until("a quiet shop", () => world.cluster.isSynced());
  world.cluster.setLoad("web", 260);
  await until("the pull request", () => world.forge.pulls()[0], 120_000);
  const fresh = await replica({ world, directory }, "fresh");
  // The old one is at work all the same: the start of the new one took nothing from it.
  expect(fresh.told.filter((line) => line.verb === "resume")).toEqual([]);
  await fresh.join();
  expect(await old.end("SIGTERM")).toBe(0);
  await approveOnce(world);
  await until("the end of the incident", () => fresh.has("learn"), 120_000);
  await expectOneOfEach(world);
  expect(old.has("learn")).toBe(false);
});
