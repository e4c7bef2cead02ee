import { writeFileSync } from "node:fs";
import type { Ending } from "../../src/domain/incident/incident.ts";
import { approve, approver, passCi, peak, pullOpened } from "../../src/lab/scenario.ts";
import { until } from "../../src/lab/start.ts";
import { badChanges } from "./bad-changes.ts";
import { type GitOpsEngine, teamNamespace, type Tracking } from "./engine.ts";
import { pause } from "./processes.ts";
import { stockRules } from "./stock-rules.ts";
import { type RealRun, rectifyAccount } from "./real-run.ts";
import { upgrades } from "./upgrade.ts";

/** One scenario against real servers: what people and the world do, and how it must end. */
export interface RealScenario {
  readonly about: string;
  /** The engines through which it is run. */
  readonly engines: readonly GitOpsEngine["name"][];
  /** The workload that no number of replicas helps. */
  readonly noHelp?: string;
  /** Why a backtest cannot tell it: what the diagnosis leans on is in no metric and no log of the past. */
  readonly notInThePast?: string;
  /** The stock alert that waits as short as a scenario, where it begins with one. */
  readonly quickAlert?: string;
  readonly tracking?: Tracking;
  /** What the guardrails say beside those of the lab. */
  readonly guardrails?: Readonly<Record<string, unknown>>;
  /** What the repository holds other than what this project ships, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Log lines that Loki may hand out at once, where the scenario is about that. */
  readonly lokiLimits?: Readonly<Record<string, unknown>>;
  /** How long a recovery is waited for, where it is waited for in vain. */
  readonly verifyMs?: number;
  /** How long everything else is waited for, where a scenario stands still for a while. */
  readonly patienceMs?: number;
  /** Postgres is one that the scenario can restart, and that two processes share. */
  readonly ownDatabase?: boolean;
  readonly run: (run: RealRun) => Promise<void>;
  readonly expected: { readonly ending: Ending; readonly pulls: number; readonly recovered: boolean };
  /** What must have come of it, in place of one scenario of web. */
  readonly judge?: (run: RealRun) => Promise<readonly string[]>;
  /** What else must have come of it. */
  readonly check?: (run: RealRun) => Promise<readonly string[]>;
}

const both = ["flux", "argocd"] as const;
const recovered = { ending: "recovered", pulls: 1, recovered: true } as const;

export const scenarios: Readonly<Record<string, RealScenario>> = {
  scale: {
    about: "more visitors than two replicas of web can serve; a person approves by command",
    engines: both,
    run: async (run) => {
      await rush(run);
      await decideFor(run, await proposed(run));
    },
    expected: recovered,
  },
  worse: {
    about: "the bottleneck is elsewhere: the fix does not help and is reverted",
    engines: both,
    noHelp: "web",
    verifyMs: 10_000,
    run: async (run) => {
      await rush(run);
      await decideFor(run, await proposed(run));
      await decideFor(run, await proposed(run, 2));
    },
    expected: { ending: "reverted", pulls: 2, recovered: false },
  },
  "alertmanager-lost": {
    about: "Alertmanager is away while the alert resolves, and comes back with nothing: the resolved never comes",
    engines: ["flux"],
    run: async (run) => {
      await rush(run);
      const pull = await proposed(run);
      run.say("machine", "Alertmanager is restarted without its data while the alert fires");
      await run.telemetry.stopAlertmanager();
      await run.telemetry.startAlertmanagerAnew();
      await until("the alert in the new Alertmanager", async () => (await run.telemetry.firing()).length > 0);
      await pause(2_000);
      if (run.forge.pulls()[0]?.state !== "open")
        throw new Error("an empty Alertmanager was taken for a resolved alert");
      await decideFor(run, pull);
      await until("the merge", () => run.forge.pulls()[0]?.merged);
      run.say("machine", "Alertmanager goes away");
      await run.telemetry.stopAlertmanager();
      await until("Prometheus to call it resolved", async () => !(await run.telemetry.alerting("web")), 60_000);
      await run.telemetry.startAlertmanagerAnew();
      run.say("machine", "Alertmanager is back, with nothing of what it knew");
    },
    expected: recovered,
  },
  "api-server-restarted": {
    about: "the API server is away while the change is approved and merged",
    engines: ["flux"],
    run: async (run) => {
      await rush(run);
      const pull = await proposed(run);
      run.say("machine", "the API server dies");
      await run.plane.stopApiServer();
      await decideFor(run, pull);
      await until("the merge", () => run.forge.pulls()[0]?.merged);
      await run.plane.startApiServer();
      run.say("machine", "the API server is back");
    },
    expected: recovered,
  },
  "loki-limits": {
    about: "Loki hands out fewer lines than are asked for: the evidence says so, and the scenario goes on",
    engines: ["flux"],
    lokiLimits: { max_entries_limit_per_query: 100 },
    run: async (run) => {
      await rush(run);
      await decideFor(run, await proposed(run));
    },
    expected: recovered,
    check: async ({ forge }) => {
      const body = forge.pulls()[0]?.body ?? "";
      return /max entries limit per query exceeded/.test(body) ? [] : ["the proposal does not say what Loki refused"];
    },
  },
  "token-expired": {
    about: "the token of the ServiceAccount ends while the change waits, and is renewed after the merge",
    engines: ["flux"],
    run: async (run) => {
      await rush(run);
      const pull = await proposed(run);
      const { namespace, name } = rectifyAccount;
      // The API server still takes a token for a minute after its end.
      const ended = await run.plane.briefToken(namespace, name, -120);
      const status = await statusAs(run, ended);
      if (status !== 401) throw new Error(`a token that has ended gives HTTP ${status}`);
      writeFileSync(run.tokenPath, ended);
      run.say("machine", "the token has ended");
      await decideFor(run, pull);
      await until("the merge", () => run.forge.pulls()[0]?.merged);
      await pause(3_000);
      writeFileSync(run.tokenPath, await run.plane.tokenFor(namespace, name));
      run.say("machine", "the token is renewed");
    },
    expected: recovered,
  },
  ...badChanges,
  // It makes the nodes small, and what the scheduler says of that is heard for a while.
  "stock-alert": {
    about: "an alert of kube-state-metrics names nothing but a pod; Argo CD tracks by label, from a team's namespace",
    engines: ["argocd"],
    tracking: "label",
    quickAlert: stockRules().podNotReady,
    notInThePast: "what the scheduler says of a pod is an event",
    run: async (run) => {
      await releaseGreedy(run);
      await decideFor(run, await proposed(run));
    },
    expected: recovered,
    check: async ({ forge, plane }) => {
      const text = (await forge.files("main"))[web] ?? "";
      const deployment = await plane.kube.get("/apis/apps/v1/namespaces/shop-production/deployments/web");
      const marks = JSON.stringify((deployment as { metadata: object }).metadata);
      return [
        ...(text.includes(greedy) ? ["the release stands in Git as it was"] : []),
        ...(marks.includes(`"app.kubernetes.io/instance":"${teamNamespace}_shop-production"`)
          ? []
          : [`Argo CD did not track by label: ${marks}`]),
      ];
    },
  },
  "bad-day": {
    about:
      "Prometheus is away when the alert comes, Postgres is restarted, and Rectify is upgraded with the change open",
    engines: ["flux"],
    ownDatabase: true,
    notInThePast: "Prometheus was away when it began",
    run: badDay,
    expected: recovered,
  },
  ...upgrades,
};

const web = "manifests/shop/overlays/production/web.yaml";

/** A release that asks for more than any node has, and not more than its quota: the real scheduler leaves its pod pending. */
async function releaseGreedy({ forge, plane, say }: RealRun): Promise<void> {
  const resources = { cpu: "4", memory: "16Gi", pods: "110" };
  const body = { status: { allocatable: resources, capacity: resources } };
  for (const { metadata } of await plane.kube.list("/api/v1/nodes")) {
    const contentType = "application/merge-patch+json";
    const { status } = await plane.kube.call("PATCH", `/api/v1/nodes/${metadata.name}/status`, { body, contentType });
    if (status !== 200) throw new Error(`the size of ${metadata.name} was not taken: HTTP ${status}`);
  }
  const text = (await forge.files("main"))[web] ?? "";
  const container = `        - name: web\n          resources:\n            requests:\n              ${greedy}\n`;
  say(approver, "lets web ask for 5 cores, on nodes of 4");
  await forge.push(
    { [web]: `${text}  template:\n    spec:\n      containers:\n${container}` },
    { message: "Give web more room", author: approver },
  );
}

const greedy = 'cpu: "5"';

// So long that no other alert of the workload comes before the first one is examined again.
const awayMs = 10_000;

/** Each of the three comes while the scenario stands at another point, and none of it may be lost. */
async function badDay(run: RealRun): Promise<void> {
  const { telemetry, rectify, say } = run;
  await telemetry.killPrometheus();
  // What it told last is believed for longer than it is away.
  await telemetry.startPrometheus(15);
  await rush(run);
  rectify.pause();
  const hurts = async () => (await telemetry.firing()).some(({ deployment }) => deployment === "web");
  await until("the alert", hurts, 90_000);
  await telemetry.killPrometheus();
  rectify.goOn();
  say("machine", "Prometheus dies before Rectify hears of the alert");
  await until("the wait for Prometheus", () =>
    run.told.some(({ verb, text }) => verb === "wait" && /prometheus/i.test(text)),
  );
  if (run.forge.pulls().length > 0) throw new Error("something was proposed without any metric");
  await pause(awayMs);
  await telemetry.startPrometheus();
  say("machine", "Prometheus is back");
  const pull = await proposed(run);
  say("machine", "Postgres is restarted");
  await run.database?.restart(() => pause(2_000));
  await passCi(run, pull);
  await run.upgrade();
  say("machine", "Rectify is upgraded");
  await approve(run, pull);
}

async function rush({ say, shop }: RealRun): Promise<void> {
  say("visitors", `${peak} requests a second`);
  shop.setLoad("web", peak);
}

async function proposed(run: RealRun, count = 1): Promise<number> {
  await until(`pull request ${count}`, () => run.forge.pulls()[count - 1], 90_000);
  return pullOpened(run, count);
}

async function decideFor(run: RealRun, pull: number): Promise<void> {
  await passCi(run, pull);
  await approve(run, pull);
}

async function statusAs({ plane }: RealRun, token: string): Promise<number> {
  return (await plane.kube.call("GET", "/apis/apps/v1", { token })).status;
}
