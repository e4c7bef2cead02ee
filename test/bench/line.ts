import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scenarioOf } from "../../src/lab/scenarios/catalogue.ts";
import { until } from "../../src/lab/start.ts";
import { openWorld } from "../../src/lab/world.ts";
import { startRectify } from "../../src/main.ts";
import { aDelivery, anAlert } from "../builders.ts";

/**
 * The overhead from a stored alert to an open pull request, without the model's time (the stand-in answers at once) and
 * without GitHub's throttle (no gap between writes): `npm run -s bench:line -- [RUNS]`. Each run is a new incident of the
 * same saturated workload; its proposal is rejected before the next one begins.
 */
const runs = Number(process.argv[2] ?? 20);
const directory = mkdtempSync(join(tmpdir(), "rectify-bench-line-"));
const scenario = scenarioOf("scale");
if (!scenario) throw new Error("the scenario is gone");
const world = await openWorld(directory, scenario);
const times: number[] = [];
const calls: number[] = [];
const begun = new Map<string, number>();
const spent = new Map<string, number[]>();
let storedAt = 0;
const rectify = await startRectify(
  { ...world.settings, alertPollMs: 3_600_000 },
  {
    log: (_incident, verb) => {
      if (verb !== "propose") return;
      times.push(performance.now() - storedAt);
      calls.push(world.forge.calls.filter((call) => !call.path.endsWith("access_tokens")).length);
    },
    step: (_workflow, name, phase) => {
      if (phase === "begin") begun.set(name, performance.now());
      if (phase === "end") spent.set(name, [...(spent.get(name) ?? []), performance.now() - (begun.get(name) ?? 0)]);
    },
  },
);
try {
  world.forge.setWebhookUrl(`http://127.0.0.1:${rectify.webhookPort}/webhooks/github`);
  await until("a quiet shop", () => world.cluster.isSynced());
  world.cluster.setLoad("web", 260);
  await until("a saturated shop", () => world.cluster.firing().length > 0);
  for (let run = 0; run < runs; run += 1) {
    const [firing] = world.cluster.firing();
    if (!firing) throw new Error("the load is gone");
    const alert = anAlert({
      ...{ fingerprint: `bench-${run}`, name: firing.name, labels: { ...firing.labels } },
      startsAt: new Date(Date.UTC(2026, 0, 1) + run * 60_000).toISOString(),
    });
    world.forge.resetCalls();
    storedAt = performance.now();
    const headers = { authorization: `Bearer ${world.settings.alerts.token}` };
    const body = JSON.stringify(aDelivery([alert]));
    await fetch(`http://127.0.0.1:${rectify.internalPort}/alerts`, { method: "POST", headers, body });
    await until("the pull request", () => times.length > run);
    const number = world.forge.pulls().length;
    await world.forge.comment(number, "sre-anna", "/reject");
    await until("the end", async () => (await rectify.store.incidents(1))[0]?.ending !== undefined, 60_000);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0);
  const steps = Object.fromEntries(
    [...spent].map(([name, each]) => [
      name,
      Math.round(each.toSorted((a, b) => a - b)[Math.floor(each.length / 2)] ?? 0),
    ]),
  );
  console.log(
    JSON.stringify({
      stepsP50Ms: steps,
      runs,
      p50Ms: at(0.5),
      p95Ms: at(0.95),
      maxMs: at(1),
      githubCallsPerPr: Math.max(...calls),
      githubCallsMedian: calls.toSorted((a, b) => a - b)[Math.floor(calls.length / 2)],
    }),
  );
} finally {
  await rectify.close();
  await world.close();
  rmSync(directory, { recursive: true, force: true });
}
