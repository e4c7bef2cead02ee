import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { IncidentRecord } from "../../src/adapters/postgres/store.ts";
import { workloadKey } from "../../src/domain/kubernetes/workload.ts";
import type { Forge } from "../../src/lab/forge/forge.ts";
import { labModelName, startModel } from "../../src/lab/model/model.ts";
import { type LabRepository, openRepository, owner, repo } from "../../src/lab/repository.ts";
import { until } from "../../src/lab/start.ts";
import { incidentOf } from "../../src/adapters/telemetry/step-meter.ts";
import { type LabPrinter, labPrinter } from "../../src/lab/printer.ts";
import { parseSettings, type Settings } from "../../src/settings/settings.ts";
import { type GitOpsEngine, teamNamespace } from "./engine.ts";
import { openModelDoor } from "../crash/every-state.ts";
import { restartedPostgres } from "../restarted-postgres.ts";
import { freePort, pause } from "./processes.ts";
import { namespace } from "./shop.ts";
import { payments } from "./world.ts";
import { launchRectify } from "./rectify.ts";
import { type RealRun, type RealWorld, rectifyAccount } from "./real-run.ts";
import type { RealScenario } from "./scenarios.ts";

/** When what happened, in Unix milliseconds. */
export interface Moments {
  fired?: number;
  proposed?: number;
  merged?: number;
  synced?: number;
  ready?: number;
  resolved?: number;
  ended?: number;
}

/** What a backtest must find again. */
export interface EndedRun {
  /** The bare repository of the scenario. */
  readonly repository: string;
  readonly remedy: string | undefined;
  readonly to: string | undefined;
  /** It did not help and was reverted: then it agrees with nothing. */
  readonly reverted: boolean;
  /** See `workloadKey`. */
  readonly workload: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
}

export interface Outcome {
  readonly scenario: string;
  readonly engine: string;
  readonly wrong: readonly string[];
  readonly moments: Moments;
  readonly seconds: number;
  readonly ran: EndedRun | undefined;
}

/** Runs one scenario with a forge and a Rectify of its own; what fails is part of the outcome. */
export async function runScenario(
  name: string,
  scenario: RealScenario,
  { world, engine, print }: { world: RealWorld; engine: GitOpsEngine; print: (line: string) => void },
): Promise<Outcome> {
  const begun = Date.now();
  const moments: Moments = {};
  const printer = labPrinter(print, false);
  printer.say("e2e", `${name} through ${engine.name}: ${scenario.about}`);
  const { wrong, ran } = await ranToItsEnd(name, scenario, { world, engine, printer, moments }).catch(
    (error: Error) => ({
      ...{ wrong: [error.message], ran: undefined },
    }),
  );
  const past = scenario.notInThePast === undefined ? { ran } : { ran: undefined };
  for (const problem of wrong) printer.say("e2e", `NOT AS IT SHOULD BE: ${problem}`);
  return { scenario: name, engine: engine.name, wrong, moments, seconds: (Date.now() - begun) / 1000, ...past };
}

interface RunContext {
  readonly world: RealWorld;
  readonly engine: GitOpsEngine;
  readonly printer: LabPrinter;
  readonly moments: Moments;
}

type RunOutcome = Pick<Outcome, "wrong" | "ran">;

async function ranToItsEnd(name: string, scenario: RealScenario, context: RunContext): Promise<RunOutcome> {
  const { world, engine, printer, moments } = context;
  const directory = join(world.scratch, "scenarios", `${name}-${engine.name}`);
  mkdirSync(directory, { recursive: true });
  const closing: (() => Promise<unknown>)[] = [];
  try {
    world.shop.calm(scenario.noHelp);
    if (scenario.lokiLimits) {
      await world.telemetry.limitLoki(scenario.lokiLimits);
      closing.push(() => world.telemetry.limitLoki({}));
    }
    if (scenario.quickAlert !== undefined) {
      await world.telemetry.quickenAlert(scenario.quickAlert);
      closing.push(() => world.telemetry.quickenAlert(undefined));
    }
    const files = { ...scenario.files, ...(scenario.tracking === undefined ? {} : applicationIn(teamNamespace)) };
    const repository = await openRepository(
      directory,
      { guardrails: scenario.guardrails ?? {}, world: { files } },
      engine.name,
    );
    closing.push(() => repository.forge.close());
    // While the rest starts: both take their time.
    const calm = calmed(repository.forge, scenario, { world, engine });
    calm.catch(() => undefined);
    const behind = await startModel();
    closing.push(() => behind.close());
    const model = await openModelDoor(behind.url);
    closing.push(() => model.close());
    const tokenPath = join(directory, "token");
    writeFileSync(tokenPath, await world.plane.tokenFor(rectifyAccount.namespace, rectifyAccount.name));
    const database = scenario.ownDatabase === true ? await restartedPostgres(join(directory, "database")) : undefined;
    if (database) closing.push(() => database.close());
    const { patienceMs } = scenario;
    const settings = {
      ...(await settingsOf({
        ...{ world, repository, directory, tokenPath, ollamaUrl: model.url, patienceMs },
        verifyMs: scenario.verifyMs ?? patienceMs ?? verifyMs,
      })),
      ...(database ? { databaseUrl: database.url } : {}),
    };
    const { forge, secrets } = repository;
    let rectify = await launchRectify(settings, printer);
    closing.push(() => rectify.close());
    const connected = async () => {
      forge.setWebhookUrl(`http://127.0.0.1:${rectify.webhookPort}/webhooks/github`);
      const url = `http://127.0.0.1:${rectify.internalPort}/alerts`;
      await world.telemetry.setReceiver({ url, token: secrets.alerts });
      world.telemetry.scrape(`127.0.0.1:${rectify.internalPort}`);
    };
    await connected();
    const run: RealRun = {
      ...{ ...world, engine, forge, settings, tokenPath, database, model, say: printer.say, told: printer.told },
      get rectify() {
        return rectify;
      },
      upgrade: async (meanwhile) => {
        const before = rectify;
        rectify = await launchRectify({ ...settings, ...(await freePorts()) }, printer);
        await connected();
        meanwhile?.();
        await before.close();
      },
    };
    await calm;
    // Once more: what no number of replicas helps is counted from the replicas that the scenario begins with.
    world.shop.calm(scenario.noHelp);
    const watching = watch(run, moments, printer);
    closing.push(watching);
    await scenario.run(run);
    const judged = await scenario.judge?.(run);
    const ran = judged === undefined ? await outcome(scenario, run, moments) : { wrong: judged, ran: undefined };
    // Two scrapes more: what it counts of its end is seen as one more.
    await pause(2_500);
    return ran;
  } finally {
    world.shop.calm();
    for (const close of closing.reverse()) await close();
  }
}

/** The Application that the repository ships, in the namespace of a team. */
function applicationIn(namespaceOfTeam: string): Record<string, string> {
  const path = "manifests/argocd/shop-production.yaml";
  const shipped = readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
  return { [path]: shipped.replace("namespace: argocd", `namespace: ${namespaceOfTeam}`) };
}

// An alert that ended is not on its way back: the windows of the rules have passed the scenario before.
const quietMs = 4_000;

async function calmed(
  forge: Forge,
  { tracking }: RealScenario,
  { world, engine }: Pick<RunContext, "world" | "engine">,
): Promise<void> {
  await engine.follow(forge, tracking);
  await world.plane.kube.apply([payments()]);
  await quiet(world);
}

/** Waits until the shop runs as the repository says and nothing has fired for a while. */
async function quiet({ shop, telemetry }: RealWorld): Promise<void> {
  let since: number | undefined;
  await until(
    "a quiet shop",
    async () => {
      const calm = shop.readyReplicas("web") === 2 && !(await telemetry.alerting("web"));
      since = calm ? (since ?? Date.now()) : undefined;
      return since !== undefined && Date.now() - since >= quietMs;
    },
    90_000,
  );
}

async function freePorts(): Promise<Pick<Settings, "webhookPort" | "internalPort" | "pages">> {
  return {
    ...{ webhookPort: await freePort(), internalPort: await freePort() },
    pages: { kind: "loopback", port: await freePort() },
  };
}

interface Wiring {
  readonly world: RealWorld;
  readonly repository: LabRepository;
  readonly directory: string;
  readonly tokenPath: string;
  readonly ollamaUrl: string;
  readonly verifyMs: number;
  /** How long people, the sync and the model are waited for. */
  readonly patienceMs: number | undefined;
}

// A recovery took up to 15 s here; who waits in vain waits the whole of it.
const verifyMs = 60_000;

/** The environment as an installation sets it; only the waits fit a scenario of seconds. */
async function settingsOf({
  world,
  repository,
  directory,
  tokenPath,
  ollamaUrl,
  verifyMs: longest,
  patienceMs,
}: Wiring): Promise<Settings> {
  const { plane, telemetry, kyverno } = world;
  const { forge, app, secrets } = repository;
  const loaded = parseSettings({
    ...{ RECTIFY_REPOSITORY: `${owner}/${repo}`, APP_ID: String(app.id), PRIVATE_KEY: app.privateKey },
    ...{ WEBHOOK_SECRET: secrets.webhook, ALERTS_TOKEN: secrets.alerts, RECTIFY_DATA: directory },
    ...{ GITHUB_API_URL: forge.apiUrl, GITHUB_CLONE_URL: forge.cloneUrl, GITHUB_WRITE_GAP_MS: "0" },
    ...{ HOST: "127.0.0.1", PORT: String(await freePort()), INTERNAL_PORT: String(await freePort()) },
    ...{ CLUSTER_NAME: "e2e", PROMETHEUS_URL: telemetry.prometheusUrl, LOKI_URL: telemetry.lokiUrl },
    ...{ ALERTMANAGER_URL: telemetry.alertmanagerUrl, ALERTMANAGER_WARM_UP_MS: "5000", ALERT_POLL_MS: "1000" },
    ...{ KUBERNETES_URL: plane.url, KUBERNETES_TOKEN_PATH: tokenPath, KUBERNETES_CA_PATH: plane.caPath },
    ...{
      OLLAMA_HOST: ollamaUrl,
      OLLAMA_MODEL: labModelName,
      KYVERNO: kyverno,
      COOL_DOWN_MS: "1000",
      LINGER_MS: "1000",
    },
    ...{
      POLL_MS: "500",
      LOOKBACK_MS: "30000",
      RATE_WINDOW: "5s",
      SETTLE_MS: "2000",
      DECIDE_TIMEOUT_MS: String(patienceMs ?? 60_000),
    },
    ...{ SYNC_TIMEOUT_MS: String(patienceMs ?? 40_000), VERIFY_TIMEOUT_MS: String(longest) },
    // What happened in other scenarios is no history of this one: on a slow day its alert would seem to heal by itself.
    HISTORY_MS: "60000",
    MODEL_DEADLINE_MS: String(patienceMs ?? 20_000),
  });
  if (!loaded.ok) throw new Error(loaded.problems.join("; "));
  return loaded.value;
}

/** Notes when the world reached each point of the scenario; the answer ends the watching. */
function watch(run: RealRun, moments: Moments, printer: LabPrinter): () => Promise<void> {
  const told = (verb: string, part: string, since = 0) =>
    // What belongs to no incident is a timer that failed.
    printer.told.find(
      ({ incident, ...item }) => incident !== "" && item.verb === verb && item.text.includes(part) && item.at >= since,
    )?.at;
  let current: Promise<void> | undefined;
  const look = async () => {
    moments.proposed ??= told("propose", "");
    moments.merged ??= told("decide", "merged");
    moments.synced ??= told("sync", "");
    // What was left of the scenario before may end first.
    if (moments.proposed !== undefined) moments.ended ??= told("learn", "", moments.proposed);
    const firing = await run.telemetry.firing().catch(() => undefined);
    if (firing === undefined) return;
    const hurts = firing.some((labels) => labels.deployment === "web");
    if (hurts) moments.fired ??= Date.now();
    if (!hurts && moments.merged !== undefined) moments.resolved ??= Date.now();
    if (moments.merged !== undefined && run.shop.readyReplicas("web") > 2) moments.ready ??= Date.now();
  };
  const timer = setInterval(() => {
    current ??= look().finally(() => {
      current = undefined;
    });
  }, 200);
  return async () => {
    clearInterval(timer);
    await current;
    await look();
  };
}

async function outcome(scenario: RealScenario, run: RealRun, moments: Moments): Promise<RunOutcome> {
  const { rectify, forge } = run;
  const pull = await until("a pull request", () => forge.pulls()[0]);
  const uid = incidentOf(await until("its incident", () => rectify.workflowOfPull(pull.number)));
  await until("the end of the scenario", async () => (await rectify.incident(uid))?.ending !== undefined, 90_000);
  const record = await rectify.incident(uid);
  if (scenario.expected.recovered) {
    await until("Alertmanager to forget the alert", async () => moments.resolved !== undefined);
  }
  const wrong = [
    ...differences(scenario, record, forge),
    ...(await clusterProblems(run, record)),
    ...(await writtenProblems(run, uid)),
    ...((await scenario.check?.(run)) ?? []),
  ];
  const { kind: remedy, to } = record?.outcome?.remediation ?? {};
  const reverted = scenario.expected.ending === "reverted";
  const startedAt = Date.parse(record?.incident.startedAt ?? "");
  const workload = record === undefined ? "" : workloadKey(record.incident.workload);
  return { wrong, ran: { repository: forge.directory, remedy, to, reverted, workload, startedAt } };
}

function differences({ expected }: RealScenario, record: IncidentRecord | undefined, forge: Forge): string[] {
  const rows: [string, unknown, unknown][] = [
    ["ending", record?.ending, expected.ending],
    ["pull requests", forge.pulls().length, expected.pulls],
    ["merged", forge.pulls().every((pull) => pull.merged), true],
  ];
  return rows
    .filter(([, seen, wanted]) => seen !== wanted)
    .map(([what, seen, wanted]) => `${what}: ${String(seen)}, not ${String(wanted)} (${record?.because ?? ""})`);
}

/** The API server must hold what was merged, and Rectify must not have tried to write there. */
async function clusterProblems({ plane }: RealRun, record: IncidentRecord | undefined): Promise<string[]> {
  const { remediation, revert } = record?.outcome ?? {};
  // What reverts a commit names no number: the shop then has its two again.
  const number = revert === undefined ? remediation?.to : remediation?.from;
  const wanted = /^\d+$/.test(number ?? "") ? number : "2";
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/web`;
  const web = (await plane.kube.get(path)) as { spec: { replicas: number }; status: { readyReplicas?: number } };
  const held = `${web.spec.replicas} wanted, ${web.status.readyReplicas ?? 0} ready`;
  return held === `${wanted} wanted, ${wanted} ready` ? [] : [`the API server holds ${held}, not ${wanted}`];
}

/** The gate's own verdict and the completed post-mortem. */
async function writtenProblems({ rectify, forge }: RealRun, uid: string): Promise<string[]> {
  const checks = forge.checks(forge.pulls()[0]?.head.sha ?? "");
  const gate = checks.find((check) => /policies passed/i.test(JSON.stringify(check)));
  const files = await rectify.pendingFiles();
  const postMortem = files.find(({ path }) => path.includes(uid))?.content ?? "";
  return [
    ...(gate === undefined ? [`the gate left no verdict of the policies: ${JSON.stringify(checks)}`] : []),
    ...(/Outcome: (Verified|Failed)/.test(postMortem) ? [] : ["the post-mortem is not completed"]),
  ];
}
