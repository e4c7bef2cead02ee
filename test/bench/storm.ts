import { runScenario } from "../../src/lab/run.ts";
import { stormOf } from "../../src/lab/scenarios/storm.ts";
import type { Scenario } from "../../src/lab/scenario.ts";
import type { LabRun } from "../../src/lab/start.ts";
import { openWorld } from "../../src/lab/world.ts";
import { aDelivery, anAlert } from "../builders.ts";
import { type Measured, startApart } from "./apart.ts";
import { temporaryPostgres } from "../temporary-postgres.ts";

/**
 * A storm: `npm run -s bench:storm -- [WORKLOADS] [ALERTS]`. Every workload alerts at once, and as many further alerts
 * of the same workloads come within the same minute. Five proposals may be open, the rest waits on one issue, and everything
 * ends when the load is gone. Lab, Postgres and Rectify share one machine; the memory is that of Rectify's process.
 */
const [workloads = 500, alerts = 10_000] = process.argv.slice(2).map(Number);
const perPost = 20;
const answers = new Map<number, number>();
const times = { loud: 0, resolved: 0, ended: 0 };
let measured: Partial<Measured> = {};

const postgres = await temporaryPostgres("bench-storm");
let apart: Awaited<ReturnType<typeof startApart>> | undefined;
const storm = stormOf(workloads, {
  beside: floodOf,
  atResolve: () => {
    times.resolved = performance.now();
  },
});
const scenario: Scenario = {
  ...storm,
  opens: {
    world: openWorld,
    rectify: async (settings) => {
      // An incident is looked at as often as in an installation, and not as in a lab of one alert.
      const timings = { ...settings.timings, pollMs: 5_000 };
      apart = await startApart({ ...settings, timings, alertPollMs: 15_000, databaseUrl: postgres.url });
      return apart;
    },
  },
};
const quiet = () => undefined;
const printer = { say: quiet, log: quiet, stillThere: quiet, rest: quiet, told: [] };
const look = async () => {
  times.ended = performance.now();
  measured = (await apart?.measure()) ?? {};
};
const { result, wrong } = await runScenario("storm", scenario, { printer, keep: false, look }).finally(postgres.close);
const seconds = (from: number, to: number) => Math.round((to - from) / 1000);
console.log(
  JSON.stringify({
    ...{ workloads, alerts, posts: Object.fromEntries(answers), githubCalls: result.githubCalls },
    ...{ listedAfterS: seconds(times.loud, times.resolved), endedAfterS: seconds(times.resolved, times.ended) },
    ...{ peakRssMb: Math.round((measured.peakRss ?? 0) / 1e6), cpuS: measured.cpuS },
    ...{ pauseP99Ms: measured.pauseP99Ms, pauseMaxMs: measured.pauseMaxMs, wrong },
  }),
);
process.exit(wrong.length === 0 ? 0 : 1);

/** Open loop over a minute: each post has its time, however late the ones before were answered. */
async function floodOf({ rectify, settings }: LabRun): Promise<void> {
  const posts = Math.ceil(alerts / perPost);
  const begun = performance.now();
  times.loud = begun;
  const sent: Promise<void>[] = [];
  for (let post = 0; post < posts; post += 1) {
    const early = begun + (post * 60_000) / posts - performance.now();
    if (early > 0) await new Promise((resume) => setTimeout(resume, early));
    sent.push(sendTo(rectify.internalPort, settings.alerts.token, post));
  }
  await Promise.all(sent);
}

async function sendTo(port: number, token: string, post: number): Promise<void> {
  const group = Array.from({ length: perPost }, (_, place) => {
    const number = post * perPost + place;
    const deployment = `tenant-${String((number % workloads) + 1).padStart(2, "0")}`;
    const labels = { alertname: "FurtherAlert", namespace: "shop-production", deployment, severity: "warning" };
    const now = new Date().toISOString();
    // Alertmanager does not know it: the poll ends it.
    return anAlert({ fingerprint: `storm-${number}`, labels, startsAt: now });
  });
  const body = JSON.stringify(aDelivery(group));
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`http://127.0.0.1:${port}/alerts`, { method: "POST", headers, body });
  answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
}
