import { runScenario } from "../../src/lab/run.ts";
import { stormOf } from "../../src/lab/scenarios/storm.ts";
import type { LabRun } from "../../src/lab/start.ts";
import { aDelivery, anAlert } from "../builders.ts";

/**
 * A storm: `npm run -s bench:storm -- [WORKLOADS] [ALERTS]`. Every workload alerts at once, and as many further alerts
 * of the same workloads come within a minute. Five proposals may be open, the rest waits on one issue, and everything
 * ends when the load is gone. Lab, Postgres and Rectify share one machine, lab and Rectify one process.
 */
const [workloads = 500, alerts = 10_000] = process.argv.slice(2).map(Number);
const perPost = 20;
const answers = new Map<number, number>();
let mostMb = 0;
const watch = setInterval(() => {
  mostMb = Math.max(mostMb, process.memoryUsage().rss / 1e6);
}, 250);
const times = { begun: performance.now(), listed: 0, ended: 0 };

const scenario = stormOf(workloads, async (stage) => {
  times.listed = performance.now();
  await floodOf(stage);
});
const quiet = () => undefined;
const teller = { say: quiet, log: quiet, stillThere: quiet, told: [] };
const { result, wrong } = await runScenario("storm", scenario, { teller, keep: false });
times.ended = performance.now();
clearInterval(watch);
const seconds = (from: number, to: number) => Math.round((to - from) / 1000);
console.log(
  JSON.stringify({
    ...{ workloads, alerts, posts: Object.fromEntries(answers), githubCalls: result.githubCalls },
    ...{ listedAfterS: seconds(times.begun, times.listed), endedAfterS: seconds(times.listed, times.ended) },
    ...{ rssMb: Math.round(mostMb), wrong },
  }),
);
process.exit(wrong.length === 0 ? 0 : 1);

/** Open loop over a minute: each post has its time, however late the ones before were answered. */
async function floodOf({ rectify, settings }: LabRun): Promise<void> {
  const posts = Math.ceil(alerts / perPost);
  const begun = performance.now();
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
