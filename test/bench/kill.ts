import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scenarioOf } from "../../src/lab/scenarios/catalogue.ts";
import { until } from "../../src/lab/start.ts";
import { openWorld } from "../../src/lab/world.ts";
import { approveOnce, keepAlive, killAtWrites, patient } from "../crash/keep-alive.ts";
import { ledgerBreaches } from "../faults/ledger.ts";
import { ledgerRowsOf } from "../faults/ledger-rows.ts";
import { temporaryPostgres } from "../temporary-postgres.ts";

/**
 * An incident under kill -9: `npm run -s bench:kill -- [RANDOM] [SEED]`. Without a number: before, inside and after each of
 * its steps, and before and after each kind of write to GitHub, each once. With one: so many kills at random moments, in as
 * many incidents, each in a world of its own, as it takes. Exit code 1 when the ledger breaks or something is doubled.
 */
const [random, seed = 1] = process.argv.slice(2).map(Number);
const next = randomOf(seed);
// What a killed process had in hand is taken up 30 s after it was heard of last.
const settledMs = 120_000;
const incidents = [await killedIncident(random)];
const deathsSoFar = () => incidents.reduce((sum, { deaths }) => sum + deaths, 0);
while (deathsSoFar() < (random ?? 0)) incidents.push(await killedIncident((random ?? 0) - deathsSoFar()));
console.log(
  JSON.stringify({
    ...{ seed, incidents: incidents.length, deaths: deathsSoFar() },
    ...{ points: incidents[0]?.points, writes: incidents[0]?.writes },
    upAgainMaxMs: Math.max(...incidents.map(({ upAgainMaxMs }) => upAgainMaxMs)),
    doubled: incidents.flatMap(({ doubled }) => doubled),
    breaches: incidents.flatMap(({ breaches }) => breaches),
  }),
);
process.exitCode = incidents.every(({ doubled, breaches }) => doubled.length + breaches.length === 0) ? 0 : 1;

interface Killed {
  readonly deaths: number;
  /** The points of steps, and the moments of writes, at which it was killed. */
  readonly points: number;
  readonly writes: number;
  readonly upAgainMaxMs: number;
  /** Whatever there is not one of. */
  readonly doubled: readonly string[];
  readonly breaches: readonly string[];
}

async function killedIncident(most: number | undefined): Promise<Killed> {
  const directory = mkdtempSync(join(tmpdir(), "rectify-bench-kill-"));
  const postgres = await temporaryPostgres("bench-kill-postgres");
  const opened = await openWorld(directory, scenario());
  const world = patient({ ...opened, settings: { ...opened.settings, databaseUrl: postgres.url } });
  const survived = new Set<string>();
  const bot = await keepAlive(world, { survived, killAtSteps: most === undefined });
  try {
    const writes = most === undefined ? killAtWrites(world, bot) : new Set<string>();
    await until("a quiet shop", () => world.cluster.isSynced(), 120_000);
    world.cluster.setLoad("web", 260);
    const over = () => bot.told.some((line) => line.verb === "learn");
    // A third before the proposal, a third while it waits, a third behind the approval, as far as the incident lasts.
    const third = Math.ceil((most ?? 0) / 3);
    await killed(bot, third, () => false);
    if (most !== undefined) await until("the pull request", () => world.forge.pulls()[0], 600_000);
    await killed(bot, third, () => false);
    const people = approveOnce(world);
    await killed(bot, third, over);
    await people;
    await until("the end of the incident", over, 900_000);
    await until("the process", () => bot.isUp(), 120_000);
    return {
      ...{ deaths: bot.deaths(), points: survived.size, writes: writes.size },
      upAgainMaxMs: Math.round(Math.max(0, ...bot.upAgainMs)),
      breaches: await lastBreaches(async () => ledgerBreaches(await ledgerRowsOf(postgres.url), world.forge)),
      doubled: await notOneOf(world),
    };
  } finally {
    await bot.stop();
    await opened.close();
    await postgres.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The breaches of the ledger that do not end by themselves. */
async function lastBreaches(breaches: () => Promise<readonly string[]>): Promise<readonly string[]> {
  await until("a clean ledger", async () => (await breaches()).length === 0, settledMs).catch(() => undefined);
  return breaches();
}

function scenario() {
  const scale = scenarioOf("scale");
  if (!scale) throw new Error("the scenario is gone");
  return scale;
}

async function notOneOf({ forge }: Awaited<ReturnType<typeof openWorld>>): Promise<string[]> {
  const [pull] = forge.pulls();
  const number = pull?.number ?? 0;
  const counts = {
    "pull requests": forge.pulls().length,
    merges: forge.pulls().filter(({ merged }) => merged).length,
    commits: (await forge.pull(number)).commits,
    comments: forge.comments(number).filter((comment) => comment.user?.type === "Bot").length,
    checks: forge.checks(pull?.head.sha ?? "").filter((check) => check.name === "rectify").length,
  };
  return Object.entries(counts).flatMap(([what, count]) => (count === 1 ? [] : [`${count} ${what}`]));
}

/** So many kills, each some moments after the process was up again, until the incident is over. */
async function killed(bot: Awaited<ReturnType<typeof keepAlive>>, kills: number, over: () => boolean): Promise<void> {
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
