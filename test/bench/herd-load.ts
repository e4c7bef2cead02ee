import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stormOf } from "../../src/lab/scenarios/storm.ts";
import { until } from "../../src/lab/start.ts";
import { openWorld } from "../../src/lab/world.ts";
import { keepAlive, patient } from "../crash/keep-alive.ts";

const wave = 40;

interface HerdLoad {
  readonly url: string;
  readonly incidents: number;
  /** How many of them have an open pull request. */
  readonly open: number;
  /** How long GitHub's points are counted from the moment at which the next process is up; at least until each was looked at. */
  readonly countedMs: number;
}

interface HerdResult {
  readonly incidents: number;
  readonly open: number;
  /** Of those that wait for a place: looked at by the next process. */
  readonly looked: number;
  /** Looks of the next process in all: each incident may be due more than once. */
  readonly looks: number;
  readonly gatheredAfterS: number;
  readonly upAgainMs: number;
  readonly lookedAfterS: number;
  readonly githubPoints: number;
}

/**
 * Some incidents have an open pull request, all others wait for a place; then the process is killed, and the next one has to
 * look at each of them. GitHub's points are counted as it counts them: 1 for a read, 5 for a write.
 */
export async function herdLoad({ url, incidents, open, countedMs }: HerdLoad): Promise<HerdResult> {
  const directory = mkdtempSync(join(tmpdir(), "rectify-bench-herd-"));
  const storm = stormOf(incidents);
  const guardrails = { ...storm.guardrails, maxOpenPulls: open };
  const opened = await openWorld(directory, { ...storm, guardrails });
  const { cluster, forge, settings } = opened;
  // Looked at as often as in an installation, and not as in a lab of one alert.
  const timings = { ...settings.timings, pollMs: 5_000 };
  const world = patient({ ...opened, settings: { ...settings, timings, alertPollMs: 15_000, databaseUrl: url } });
  const bot = await keepAlive(world, { survived: new Set(), killAtSteps: false, tell: "queue" });
  try {
    await until("a quiet shop", () => cluster.isSynced(), 300_000);
    const begun = performance.now();
    const waiting = () =>
      new Set(bot.told.flatMap(({ text, incident }) => (text?.startsWith("waits: ") ? [incident] : [])));
    // A wave at a time: of a thousand at once the last would be planned long after it was measured.
    for (let first = 1; first <= incidents; first += wave) {
      const last = Math.min(incidents, first + wave - 1);
      for (let tenant = first; tenant <= last; tenant += 1)
        cluster.setLoad(`tenant-${String(tenant).padStart(2, "0")}`, 130);
      const gathered = () => forge.pulls().length + waiting().size >= last;
      await until(`${last} of the herd`, gathered, 1_200_000);
    }
    const gatheredAfterS = Math.round((performance.now() - begun) / 1000);

    forge.resetCalls();
    bot.kill();
    await until("the next process", () => bot.deaths() === 1 && bot.isUp(), 120_000);
    const up = performance.now();
    const looks = () => bot.told.flatMap(({ life, looked = [] }) => (life === 1 ? looked : []));
    const looked = () => new Set(looks());
    const patienceMs = 120_000 + 1_000 * incidents;
    await until("a look at each", () => looked().size >= incidents - open, patienceMs).catch(() => undefined);
    const lookedAfterS = Math.round((performance.now() - up) / 1000);
    await new Promise((resume) => setTimeout(resume, Math.max(0, countedMs - (performance.now() - up))));
    return {
      ...{ incidents, open: forge.pulls().filter(({ state }) => state === "open").length, looked: looked().size },
      ...{ looks: looks().length },
      ...{ gatheredAfterS, upAgainMs: Math.round(Math.max(0, ...bot.upAgainMs)), lookedAfterS },
      githubPoints: forge.calls.reduce((sum, { method }) => sum + (method === "GET" ? 1 : 5), 0),
    };
  } finally {
    await bot.stop();
    await opened.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
