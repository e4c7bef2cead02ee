import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { alertmanager } from "./adapters/monitoring/alertmanager.ts";
import { startDurable, workflowVersion } from "./adapters/dbos/durable.ts";
import { type Cloning, connectGitHub } from "./adapters/github/github.ts";
import { guardrailsHost } from "./adapters/github/guardrails.ts";
import { gitHost, people } from "./adapters/github/host.ts";
import { loki } from "./adapters/monitoring/loki.ts";
import { type Meter, openMeter } from "./adapters/telemetry/metrics.ts";
import { openMirror } from "./adapters/git-mirror.ts";
import { fetchByProxies, gitNetwork } from "./adapters/http/proxy.ts";
import { ollamaEmbedding, ollamaModel, type OllamaModel } from "./adapters/ollama/ollama.ts";
import { sharedMetrics } from "./adapters/monitoring/shared-metrics.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./adapters/postgres/server.ts";
import { prometheus } from "./adapters/monitoring/prometheus.ts";
import { loadPrompts } from "./adapters/ollama/prompts.ts";
import { renderOnce } from "./adapters/cli-tools/render-once.ts";
import { renderer } from "./adapters/cli-tools/renderer.ts";
import { openStore, type Store } from "./adapters/postgres/store.ts";
import { latchOver, type ShadowLatch } from "./server/jobs/shadow/shadow-latch.ts";
import { openWatchtower } from "./server/jobs/watchtower/mode.ts";
import { withTimeout } from "./adapters/http/timeout.ts";
import { chartsOf, clusterOf, concernsOf } from "./server/concerns.ts";
import { type App, createApp } from "./server/github-app.ts";
import { type Faults, openFaults } from "./server/observability/faults.ts";
import { endLease } from "./flow/workflows/end-lease.ts";
import type { LoadedGuardrails } from "./flow/collect/load-guardrails.ts";
import { remediateIncident } from "./flow/workflows/remediate-incident.ts";
import { rollBack } from "./flow/workflows/roll-back.ts";
import { type LateLooks, lateLooksOf } from "./server/jobs/late-looks.ts";
import { type Inbox, openInbox } from "./server/inbox.ts";
import { keepTicking } from "./server/jobs/ticking.ts";
import { liveViews } from "./server/pages/live.ts";
import { refreshMemory, type RefreshedMemory } from "./server/jobs/memory-refresh.ts";
import { isWatching, type Watchtower } from "./domain/guardrails/watchtower.ts";
import type { Ports } from "./ports/ports.ts";
import type { Telemetry } from "./ports/runtime.ts";
import type { WatchtowerMode } from "./ports/records.ts";
import { policiesOf } from "./server/policy-engine.ts";
import { type Executor, joinExecutors } from "./server/executor.ts";
import { reconcileWorkflows, recoverAbandoned } from "./server/jobs/workflows/resume.ts";
import { withoutSecrets } from "./settings/redaction.ts";
import type { Settings } from "./settings/settings.ts";
import { openSources, type Sources } from "./server/observability/source-health.ts";
import { type Observability, observe, recordingLogger } from "./server/observability/tracing.ts";
import { probeWatchtower } from "./server/jobs/watchtower/probe.ts";
import { realTime, webhookNotifier } from "./adapters/http/webhook-notifier.ts";
import { pageRoutes } from "./server/pages/routes.ts";
import { listenAll, mayLookBy } from "./server/listeners.ts";
import { type Placed, placeAlone } from "./server/several/alone.ts";

/** A running Rectify. */
export interface Rectify {
  readonly webhookPort: number;
  readonly internalPort: number;
  /** On the loopback address, or the internal port when a proxy authenticates those who look. */
  readonly pagesPort: number;
  readonly store: Store;
  watchtower(): Watchtower;
  /** Waits until the workflow of this incident has ended. */
  finished(uid: string): Promise<void>;
  /** Resolves with the reason when other processes took this one for gone: then it must end. */
  readonly lost: Promise<string>;
  close(): Promise<void>;
}

/** The composition root: settings → adapters → ports → start. Throws `Refused` or `Unavailable` with the remedy. */
export async function startRectify(settings: Settings, telemetry: Telemetry, known?: Faults): Promise<Rectify> {
  fetchByProxies(settings.proxies);
  const own = () => startEmbeddedPostgres(join(settings.dataDirectory, "postgres"));
  const embedded = settings.databaseUrl === undefined ? await own() : undefined;
  return assemble({ settings, telemetry, faults: known ?? openFaults(telemetry), embedded }).catch(async (error) => {
    // A server that this start began must not outlive it.
    await embedded?.stop();
    throw error;
  });
}

interface Start {
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  readonly faults: Faults;
  readonly embedded: EmbeddedPostgres | undefined;
}

async function assemble({ settings: given, telemetry, faults, embedded }: Start): Promise<Rectify> {
  const placed = await placeAlone(given, given.databaseUrl ?? embedded?.url ?? "");
  const { settings } = placed;
  const { databaseUrl } = settings;
  const meter = openMeter();
  const observed = observe(settings.otlpEndpoint, meter.watchStore(await storeOf(databaseUrl, telemetry)), telemetry);
  const { store, steps } = observed;
  const remembered = meter.watchSteps(recordingLogger(telemetry, store));
  const sources = openSources({ now: () => new Date() }, withoutSecrets(settings, 300));
  const joined: Instruments["joined"] = {};
  const instruments = { telemetry: remembered, meter, steps, sources, placed, joined };
  const { ports, endWatch, ...around } = await openPorts(settings, store, instruments);
  const executor = await joinExecutors({ store, version: workflowVersion, telemetry, cluster: settings.cluster });
  joined.as = executor;
  const durable = await startDurable({
    ...{ url: databaseUrl, executor: { ...executor, isServed: store.hasExecutor }, ports },
    ...{ remediate: remediateIncident, endLease: endLease, rollBack: rollBack },
    ...{ recoveries: store, mostRecoveries: settings.mostRecoveries, alone: store.alone },
    measure: steps.measure,
  });
  const keeping = { store, durable, clock: ports.clock, telemetry: remembered, workflowVersion };
  const looks = lateLooksOf({ store, ports, keeping });
  const inbox: Inbox = openInbox({
    ...{ store, durable, alerts: ports.alerts, telemetry: remembered, cluster: settings.cluster },
    ...{ concerns: ports.concerns, holder: executor.id, failed: meter.inboxFailed },
    runLateCommand: (pull, message) => looks.run({ pull, message }),
    app: () => app,
  });
  const app = appOf(settings, { inbox, store, check: looks.check, repositoryId: ports.repositoryId });
  await executor.watch(() => recoverAbandoned(keeping, telemetry));
  await store.alone("recovery", () => reconcileWorkflows(keeping, telemetry));

  const intake = { store, notify: inbox.notify, trouble: inbox.trouble, app, alertsToken: settings.alerts.token };
  const pages = pageRoutes(store, liveViews({ ports, store, sources, links: settings.links, ...around }));
  meter.watchFaults(faults.counts);
  const served = { intake, pages, metrics: meter.route, mayLook: mayLookBy(ports.people, settings.pages) };
  const { webhooks, internal, own } = await listenAll(settings, served, faults);
  const ticks = keepTicking({ settings, inbox, ports, store, keeping, sources, executor, looks }, telemetry);
  placed.retire(telemetry);
  return {
    ...{ webhookPort: webhooks.port, internalPort: internal.port, pagesPort: own?.port ?? internal.port },
    store,
    watchtower: () => around.watchtower.state(),
    finished: (uid) => durable.finished(uid),
    lost: executor.lost,
    close: async () => {
      await ticks.stop();
      await Promise.all([endWatch(), around.memory.close(), webhooks.close(), internal.close(), own?.close()]);
      await inbox.close();
      await executor.drain();
      await durable.shutdown();
      await executor.leave();
      await observed.close();
      await store.close();
      await placed.close();
      await embedded?.stop();
    },
  };
}

interface EventSinks extends Pick<Ports, "repositoryId"> {
  readonly inbox: Inbox;
  readonly store: Store;
  readonly check: LateLooks["check"];
}

/** Who is told what GitHub tells. */
function appOf({ app, webhookSecret }: Settings, { inbox: { wake }, store, check, repositoryId }: EventSinks): App {
  return createApp({ ...app, webhookSecret, repositoryId, wake, ticked: store.queue.request, changed: check });
}

function storeOf(databaseUrl: string, telemetry: Telemetry): Promise<Store> {
  return openStore(databaseUrl, (unreadable) => telemetry.log("", "store", unreadable));
}

/** Everything outside, with the watch over it. */
async function openPorts(settings: Settings, store: Store, instruments: Instruments) {
  const clock = { now: () => new Date() };
  const watch = settings.watchtower;
  const { telemetry } = instruments;
  const watchtower = await openWatchtower({ record: store, clock, telemetry, limits: watch?.limits });
  instruments.meter.watchTower(() => isWatching(watchtower.state()));
  const model = modelOf(settings, watchtower, instruments);
  const connected = await connect(settings, store, instruments);
  const memory = memoryOf(settings, connected.github, instruments);
  const asked = model && instruments.steps.watchModel(model);
  const ports = { ...connected, model: asked, watchtower, memory };
  let guardrails: LoadedGuardrails | undefined;
  const endWatch = probeWatchtower(ports, model, watch?.everyMs ?? settings.timings.pollMs, (read) => {
    guardrails = read;
  });
  return { ports, watchtower, memory, endWatch, guardrails: () => guardrails };
}

/** Opens in the background: nothing waits for an index. */
function memoryOf(settings: Settings, github: Ports["github"], { telemetry, meter }: Instruments): RefreshedMemory {
  const { ollama, sealKey, dataDirectory, alertPollMs } = settings;
  const model = ollama?.embeddingModel;
  const memory = refreshMemory({
    ...{ directory: join(dataDirectory, "memory"), github, sealKey, everyMs: alertPollMs },
    embedding: ollama === undefined || model === undefined ? undefined : ollamaEmbedding({ host: ollama.host, model }),
    warn: (text) => telemetry.log("", "recall", text),
  });
  meter.watchMemory(() => memory.state());
  return memory;
}

/** Every call of the model counts, for Watchtower mode and in the metrics. */
function modelOf(
  { ollama }: Settings,
  watchtower: WatchtowerMode,
  { meter, sources }: Instruments,
): OllamaModel | undefined {
  if (ollama === undefined) {
    sources.absent("Model", "OLLAMA_HOST is not set");
    return undefined;
  }
  sources.describe("Model", ollama.model);
  const model: OllamaModel = ollamaModel({
    ...ollama,
    onCall: (call) => {
      meter.modelCall(call);
      watchtower.record({ kind: "call", ...call });
      watchtower.record({ kind: "signals", breakerOpen: model.state().breakerOpen, modelReachable: call.ok });
    },
  });
  return sources.watch("Model", model);
}

interface Instruments {
  readonly telemetry: Telemetry;
  readonly meter: Meter;
  readonly steps: Observability["steps"];
  readonly sources: Sources;
  readonly placed: Placed;
  /** This process among those that share the database, once it is: before that it writes nothing to GitHub. */
  readonly joined: { as?: Executor };
}

async function connect(settings: Settings, store: Store, instruments: Instruments): Promise<Omit<Ports, "model">> {
  const { telemetry, meter, steps, sources, placed, joined } = instruments;
  const latch: ShadowLatch = latchOver(store, () => mirror.head());
  const client = await connectGitHub({
    mayNotWrite: async (action, detail) => (await joined.as?.held(), latch.refusal(action, detail)),
    apiUrl: settings.github.apiUrl,
    cloneUrl: settings.github.cloneUrl,
    ...{ repository: settings.repository, onlyThis: settings.repositories !== undefined },
    app: settings.app,
    writeGapMs: settings.github.writeGapMs,
    pace: placed.pace ?? store.githubPace,
    onCall: (call) => {
      meter.githubCall(call);
      steps.githubCall();
      sources.recordStatus("GitHub", call.status);
    },
    audit: (action, detail) =>
      store.audit({ incident: String(detail.incident ?? ""), actor: "rectify", action, detail }),
  });
  await placed.claim(client.wasCalled);
  const mirror = await mirrorOf(settings, client);
  const github = gitHost(client, { ...mirror, ...sources.watch("Git", { head: mirror.head }) });
  const clock = { now: () => new Date() };
  const metrics = sharedMetrics(
    sources.watch("Prometheus", prometheus({ ...settings.prometheus, leastStepMs: settings.timings.leastStepMs })),
    settings.prometheus.freshMs,
  );
  return {
    github,
    guardrailsHost: guardrailsHost(client),
    ...{ people: people(client), repositoryId: client.repositoryId },
    cluster: sources.watch("Kubernetes", clusterOf(settings)),
    metrics,
    concerns: concernsOf(settings, sources, { github, metrics, clock }),
    logs: logsOf(settings, sources),
    alerts: sources.watch("Alertmanager", alertmanager(settings.alertmanager)),
    prompts: loadPrompts(),
    ...{ places: settings.links, notifier: notifierOf(settings, telemetry) },
    random: () => randomBytes(16).toString("hex"),
    sealKey: settings.sealKey,
    renderer: renderOnce(renderer()),
    charts: chartsOf(settings),
    policies: await policiesOf(settings, instruments),
    queue: store.queue,
    leases: store.leases,
    rollbacks: store.rollbacks,
    changes: store.changes,
    records: store,
    editorOf: client.editorOf,
    clock,
    withTimeout: withTimeout,
    telemetry,
    timings: settings.timings,
  };
}

async function mirrorOf(settings: Settings, { cloneUrl: url, authorization, login }: Cloning & { login: string }) {
  const { dataDirectory } = settings;
  const network = await gitNetwork(settings, dataDirectory);
  return openMirror({ network, directory: join(dataDirectory, "mirror"), freshMs: 500, url, authorization, login });
}

function notifierOf({ links }: Settings, telemetry: Telemetry): Ports["notifier"] {
  const notify = links?.notify;
  if (notify === undefined) return undefined;
  const warn = (text: string) => telemetry.log("", "notify", text);
  return webhookNotifier({ ...notify, ...realTime, warn });
}

function logsOf({ loki: endpoint }: Settings, sources: Sources): Ports["logs"] {
  if (endpoint !== undefined) return sources.watch("Loki", loki(endpoint));
  sources.absent("Loki", "LOKI_URL is not set");
  return undefined;
}
