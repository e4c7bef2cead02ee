import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../../src/adapters/postgres/server.ts";
import { stormOf } from "../../src/lab/scenarios/storm.ts";
import { until } from "../../src/lab/start.ts";
import { openWorld } from "../../src/lab/world.ts";
import { keepAlive, patient } from "../crash/keep-alive.ts";

/**
 * A restart with a herd: `npm run -s bench:herd -- [STORIES]`. Five of the stories have an open pull request, all others
 * wait for a place; then the process is killed, and the next one has to look at each of them. GitHub's points are
 * counted as it counts them: 1 for a read, 5 for a write, 900 in a minute.
 */
const stories = Number(process.argv[2] ?? 1_000);
const open = 5;
const directory = mkdtempSync(join(tmpdir(), "rectify-bench-herd-"));
const postgres = await startEmbeddedPostgres(join(directory, "postgres"));
const opened = await openWorld(directory, stormOf(stories));
const { cluster, forge, settings } = opened;
const world = patient({ ...opened, settings: { ...settings, databaseUrl: postgres.url } });
const bot = await keepAlive(world, { survived: new Set(), killAtSteps: false, tell: "queue" });
try {
  await until("a quiet shop", () => cluster.isSynced(), 300_000);
  const begun = performance.now();
  for (let tenant = 1; tenant <= stories; tenant += 1)
    cluster.setLoad(`tenant-${String(tenant).padStart(2, "0")}`, 130);
  const waiting = () =>
    new Set(bot.told.flatMap(({ text, incident }) => (text?.startsWith("waits: ") ? [incident] : [])));
  await until("the herd", () => forge.pulls().length === open && waiting().size >= stories - open, 3_600_000);
  const gatheredAfterS = Math.round((performance.now() - begun) / 1000);

  const told = bot.told.length;
  forge.resetCalls();
  bot.kill();
  await until("the next process", () => bot.deaths() === 1 && bot.isUp(), 120_000);
  const up = performance.now();
  const looked = () => new Set(bot.told.slice(told).flatMap((line) => line.looked ?? []));
  await until("a look at each", () => looked().size >= stories - open, 900_000).catch(() => undefined);
  const lookedAfterS = Math.round((performance.now() - up) / 1000);
  // The rest of the first minute counts, too.
  await new Promise((resume) => setTimeout(resume, Math.max(0, 60_000 - (performance.now() - up))));
  const points = pointsOf(forge.calls);
  const result = { stories, open: forge.pulls().filter(({ state }) => state === "open").length, looked: looked().size };
  const upAgainMs = Math.round(Math.max(0, ...bot.upAgainMs));
  console.log(JSON.stringify({ ...result, gatheredAfterS, upAgainMs, lookedAfterS, githubPointsInAMinute: points }));
  process.exitCode = result.open === open && result.looked >= stories - open && points <= 900 ? 0 : 1;
} finally {
  await bot.stop();
  await opened.close();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

function pointsOf(calls: readonly { readonly method: string }[]): number {
  return calls.reduce((sum, { method }) => sum + (method === "GET" ? 1 : 5), 0);
}
