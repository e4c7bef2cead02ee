import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scenarioOf } from "../../src/lab/scenarios/catalogue.ts";
import { until } from "../../src/lab/start.ts";
import { openWorld } from "../../src/lab/world.ts";
import type { startRectify } from "../../src/main.ts";
import { aDelivery, anAlert } from "../builders.ts";

interface LineLoad {
  readonly runs: number;
  readonly url: string;
  readonly start: typeof startRectify;
}

interface LineResult {
  /** The median of each step. */
  readonly stepsP50Ms: Readonly<Record<string, number>>;
  readonly runs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxMs: number;
  readonly githubCallsPerPr: number;
  readonly githubCallsMedian: number;
  /** How each incident ended. */
  readonly endings: readonly (string | undefined)[];
}

/**
 * From a stored alert to an open pull request, without the model's time (the stand-in answers at once) and without GitHub's
 * throttle (no gap between writes). Each run is a new incident of the same saturated workload; its proposal is rejected before
 * the next one begins.
 */
export async function lineLoad({ runs, url, start }: LineLoad): Promise<LineResult> {
  const directory = mkdtempSync(join(tmpdir(), "rectify-bench-line-"));
  const scenario = scenarioOf("scale");
  if (!scenario) throw new Error("the scenario is gone");
  const world = await openWorld(directory, scenario);
  const { forge, cluster } = world;
  const times: number[] = [];
  const calls: number[] = [];
  const begun = new Map<string, number>();
  const spent = new Map<string, number[]>();
  const endings: (string | undefined)[] = [];
  let storedAt = 0;
  const settings = { ...world.settings, alertPollMs: 3_600_000, databaseUrl: url };
  const rectify = await start(settings, {
    log: (_incident, verb) => {
      if (verb !== "propose") return;
      times.push(performance.now() - storedAt);
      calls.push(forge.calls.filter((call) => !call.path.endsWith("access_tokens")).length);
    },
    step: (_workflow, name, phase) => {
      if (phase === "begin") begun.set(name, performance.now());
      if (phase === "end") spent.set(name, [...(spent.get(name) ?? []), performance.now() - (begun.get(name) ?? 0)]);
    },
  });
  try {
    forge.setWebhookUrl(`http://127.0.0.1:${rectify.webhookPort}/webhooks/github`);
    await until("a quiet shop", () => cluster.isSynced());
    cluster.setLoad("web", 260);
    await until("a saturated shop", () => cluster.firing().length > 0);
    for (let run = 0; run < runs; run += 1) {
      const [firing] = cluster.firing();
      if (!firing) throw new Error("the load is gone");
      forge.resetCalls();
      storedAt = performance.now();
      await post(run, firing, { port: rectify.internalPort, token: world.settings.alerts.token });
      await until("the pull request", () => times.length > run);
      await forge.comment(forge.pulls().length, "sre-anna", "/reject");
      endings.push(await until("the end", async () => (await rectify.store.incidents(1))[0]?.ending, 60_000));
    }
    return { ...summaryOf({ times, calls, spent }), runs, endings };
  } finally {
    await rectify.close();
    await world.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** One more incident, with the name and labels of what fires. */
async function post(
  run: number,
  firing: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
  { port, token }: { readonly port: number; readonly token: string },
): Promise<void> {
  const startsAt = new Date(Date.UTC(2026, 0, 1) + run * 60_000).toISOString();
  const alert = anAlert({ fingerprint: `bench-${run}`, name: firing.name, labels: { ...firing.labels }, startsAt });
  const headers = { authorization: `Bearer ${token}` };
  const body = JSON.stringify(aDelivery([alert]));
  await fetch(`http://127.0.0.1:${port}/alerts`, { method: "POST", headers, body });
}

interface Counted {
  readonly times: readonly number[];
  readonly calls: readonly number[];
  readonly spent: ReadonlyMap<string, readonly number[]>;
}

function summaryOf({ times, calls, spent }: Counted) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0);
  const median = (each: readonly number[]) => each.toSorted((a, b) => a - b)[Math.floor(each.length / 2)] ?? 0;
  return {
    stepsP50Ms: Object.fromEntries([...spent].map(([name, each]) => [name, Math.round(median(each))])),
    ...{ p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1) },
    ...{ githubCallsPerPr: Math.max(...calls), githubCallsMedian: median(calls) },
  };
}
