import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scenarioOf } from "../../src/lab/scenarios/catalogue.ts";
import { until } from "../../src/lab/start.ts";
import { openWorld } from "../../src/lab/world.ts";
import { approveOnce, keepAlive, patient } from "../crash/keep-alive.ts";
import { ledgerBreaches } from "../faults/ledger.ts";
import { ledgerRowsOf } from "../faults/ledger-rows.ts";
import { temporaryPostgres } from "../temporary-postgres.ts";

/**
 * One incident under kill -9: `npm run -s bench:kill -- [RANDOM] [SEED]`. With a number: so many kills at random moments of
 * the incident; without one: before, inside and after each of its steps, each once. Exit code 1 when the ledger breaks.
 */
const [random, seed = 1] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(join(tmpdir(), "rectify-bench-kill-"));
const postgres = await temporaryPostgres("bench-kill-postgres");
const scenario = scenarioOf("scale");
if (!scenario) throw new Error("the scenario is gone");
const opened = await openWorld(directory, scenario);
const world = patient({ ...opened, settings: { ...opened.settings, databaseUrl: postgres.url } });
const survived = new Set<string>();
const bot = await keepAlive(world, { survived, killAtSteps: random === undefined });
try {
  await until("a quiet shop", () => world.cluster.isSynced(), 120_000);
  world.cluster.setLoad("web", 260);
  const over = () => bot.told.some((line) => line.verb === "learn");
  // A third before the proposal, a third while it waits, a third behind the approval: the incident goes on between them.
  const kills = random ?? 0;
  await killed(Math.ceil(kills / 3), () => false);
  const people = approveOnce(world);
  if (random !== undefined) await until("the pull request", () => world.forge.pulls()[0], 600_000);
  await killed(kills - Math.ceil(kills / 3), over);
  await people;
  await until("the end of the incident", over, 900_000);
  await until("the process", () => bot.isUp(), 120_000);
  const breaches = ledgerBreaches(await ledgerRowsOf(postgres.url), world.forge);
  const [pull] = world.forge.pulls();
  const checks = world.forge.checks(pull?.head.sha ?? "").filter((check) => check.name === "rectify").length;
  const commits = (await world.forge.pull(pull?.number ?? 0)).commits;
  const slowest = Math.round(Math.max(0, ...bot.upAgainMs));
  console.log(
    JSON.stringify({
      ...{ seed, deaths: bot.deaths(), points: survived.size, upAgainMaxMs: slowest },
      ...{ pulls: world.forge.pulls().length, merged: pull?.merged === true, commits, checks, breaches },
    }),
  );
  const whole = world.forge.pulls().length === 1 && pull?.merged === true && commits === 1 && checks === 1;
  process.exitCode = breaches.length === 0 && whole ? 0 : 1;
} finally {
  await bot.stop();
  await opened.close();
  await postgres.close();
  rmSync(directory, { recursive: true, force: true });
}

/** So many kills, each some moments after the process was up again, until the incident is over. */
async function killed(kills: number, over: () => boolean): Promise<void> {
  const next = randomOf(seed + bot.deaths());
  for (let count = 0; count < kills && !over(); count += 1) {
    await until("the process", () => bot.isUp(), 120_000);
    await new Promise((resume) => setTimeout(resume, next() * 3_000));
    const before = bot.deaths();
    bot.kill();
    await until("its death", () => bot.deaths() > before);
  }
}

/** mulberry32: the same kills for the same seed. */
function randomOf(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
