import type { LabFault } from "./simulation/fault-state.ts";
import { type ApiServer, type Fault, serveApi } from "./servers/api-server.ts";
import type { AlertWebhook } from "./servers/alert-webhook.ts";
import { createAlertmanager } from "./servers/alertmanager.ts";
import type { Desired, GitopsEntry } from "./objects/gitops.ts";
import { kubernetesAnswer } from "./servers/kubernetes-api.ts";
import { lokiAnswer } from "./servers/loki-api.ts";
import { createSimulation, type Simulation, type WorkloadView } from "./simulation/simulation.ts";
import type { BadImage } from "./world.ts";
import { linkerdBounds } from "./metrics/mesh.ts";
import { prometheusAnswer } from "./servers/prometheus-api.ts";
import { type ActiveAlert, defaultRules, type LabRule } from "./metrics/rules.ts";
import type { Call, ServiceModel } from "./simulation/service-model.ts";
import { quietLoad, shopCalls, shopServices } from "./simulation/shop.ts";

export type ApiName = "prometheus" | "alertmanager" | "loki" | "kubernetes";

/** What a controller brings onto the cluster. */
export interface ClusterSource {
  readonly desired: () => Promise<Desired>;
  readonly entry: GitopsEntry;
}

export interface ClusterOptions {
  /** The rendered desired state with its commit, asked every `syncMs` as Flux does. */
  readonly desired: () => Promise<Desired>;
  readonly entry: GitopsEntry;
  /** What comes from other repositories. */
  readonly more?: readonly ClusterSource[];
  /** Requests per second from outside, by workload and seconds since the start; `setLoad` overrides it. */
  readonly load?: (workload: string, tSeconds: number) => number;
  readonly services?: Readonly<Record<string, ServiceModel>>;
  readonly calls?: readonly Call[];
  readonly rules?: readonly LabRule[];
  readonly alertWebhook?: AlertWebhook;
  readonly badImages?: readonly BadImage[];
  /** A workload whose capacity no number of replicas raises, as behind a lock. */
  readonly noHelp?: string;
  readonly seed?: number;
  readonly podStartMs?: number | ((workload: string) => number);
  readonly tickMs?: number;
  readonly scrapeMs?: number;
  readonly retentionMs?: number;
  /** The buckets of the latency histogram; Linkerd's unless told. */
  readonly latencyBoundsMs?: readonly number[];
  readonly rulesMs?: number;
  readonly syncMs?: number;
  readonly autoscaleMs?: number;
  readonly scaleDownMs?: number;
  /** How much quiet past is simulated before the clock starts. */
  readonly historyMs?: number;
  readonly fault?: LabFault;
  readonly groupBy?: readonly string[];
  readonly groupWaitMs?: number;
  readonly groupIntervalMs?: number;
  readonly repeatMs?: number;
  readonly peers?: number;
  /** `manual`: time stands still but for `advance`. */
  readonly clock?: "real" | "manual";
}

interface FiringAlert {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly since: Date;
}

export interface SimulatedCluster {
  readonly urls: Readonly<Record<ApiName, string>>;
  setLoad(workload: string, requestsPerSecond: number): void;
  /** Writes a log line as the workload would. */
  inject(workload: string, line: string): void;
  firing(): readonly FiringAlert[];
  stateOf(workload: string): WorkloadView;
  suspendSync(suspended: boolean): void;
  /** True when the newest desired revision is applied and every workload runs it. */
  isSynced(): boolean;
  appliedRevision(): string | undefined;
  setAlertWebhook(webhook: AlertWebhook | undefined): void;
  setFault(api: ApiName, fault: Fault | undefined): void;
  /** Kills the containers of the workload for memory, once. */
  oomKill(workload: string): void;
  setNodeCondition(node: string, condition: string, holds: boolean): void;
  readonly writesAttempted: readonly string[];
  now(): Date;
  /** Lets model time pass at once; only with the manual clock. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

const defaults = {
  ...{ seed: 1, podStartMs: 800, tickMs: 100, scrapeMs: 250, rulesMs: 200, syncMs: 500, autoscaleMs: 1_000 },
  retentionMs: 20 * 60_000,
  ...{ scaleDownMs: 30_000, historyMs: 60_000, groupWaitMs: 100, groupIntervalMs: 500, repeatMs: 60_000, peers: 1 },
  latencyBoundsMs: linkerdBounds,
};
const lookbackMs = 5_000;

function settingsOf(options: ClusterOptions) {
  return {
    ...{ services: shopServices, calls: shopCalls, load: (workload: string) => quietLoad[workload] ?? 0 },
    ...{
      rules: defaultRules(),
      badImages: [],
      groupBy: ["alertname", "namespace", "deployment"],
      noHelp: undefined,
      more: [],
      fault: undefined,
    },
    ...defaults,
    ...options,
  };
}

/** A simulated cluster on 127.0.0.1 that serves the APIs of Kubernetes, Prometheus, Loki and Alertmanager. */
export async function startCluster(options: ClusterOptions): Promise<SimulatedCluster> {
  const settings = settingsOf(options);
  let prometheusUrl = "";
  const alertmanager = createAlertmanager({
    ...settings,
    externalUrl: "http://alertmanager.lab",
    generatorUrl: (expr) => `${prometheusUrl}/graph?g0.expr=${encodeURIComponent(expr)}&g0.tab=1`,
  });
  const simulation = createSimulation(settings, (alerts, atMs) => alertmanager.update(alerts, atMs));
  await simulation.begin();

  const writesAttempted: string[] = [];
  const servers = await openServers(simulation, {
    rules: settings.rules,
    activeAlerts: () => alertmanager.active(simulation.now()),
    alertStatus: () => alertmanager.status(),
    onWrite: (what) => writesAttempted.push(what),
  });
  prometheusUrl = servers.prometheus.url;
  alertmanager.setWebhook(settings.alertWebhook);
  const stop = settings.clock === "manual" ? async () => undefined : simulation.run();
  const apis = Object.entries(servers) as [ApiName, ApiServer][];
  return {
    ...simulation.controls,
    urls: Object.fromEntries(apis.map(([name, server]) => [name, server.url])) as Record<ApiName, string>,
    firing: () =>
      simulation
        .alerts()
        .filter((alert) => alert.state === "firing")
        .map(shown),
    setAlertWebhook: (webhook) => alertmanager.setWebhook(webhook),
    setFault: (api, fault) => servers[api].setFault(fault),
    writesAttempted,
    now: () => new Date(simulation.now()),
    advance: async (ms) => {
      await simulation.advance(ms, () => alertmanager.settled());
    },
    close: async () => {
      await stop();
      alertmanager.stop();
      await Promise.all(Object.values(servers).map((server) => server.close()));
    },
  };
}

interface Told {
  readonly rules: readonly LabRule[];
  readonly activeAlerts: () => object[];
  readonly alertStatus: () => object;
  readonly onWrite: (what: string) => void;
}

async function openServers(simulation: Simulation, { rules, activeAlerts, alertStatus, onWrite }: Told) {
  const { series: store, now, alerts, logs, kube } = simulation;
  const prometheus = { store, now, lookbackMs, rules, alerts };
  const answers: Readonly<Record<string, () => object>> = {
    "/api/v2/alerts": activeAlerts,
    "/api/v2/status": alertStatus,
  };
  const alertmanager = (path: string) => ({ status: 200, body: answers[path]?.() ?? "OK" });
  const servers: Record<ApiName, ApiServer> = {
    prometheus: await serveApi((asked) => prometheusAnswer(prometheus, asked)),
    alertmanager: await serveApi(({ path }) => alertmanager(path)),
    loki: await serveApi((asked) => lokiAnswer(logs, now, asked)),
    kubernetes: await serveApi((asked) => kubernetesAnswer(kube, asked, onWrite)),
  };
  return servers;
}

function shown({ labels, value, firedAt, activeAt }: ActiveAlert): FiringAlert {
  return { name: labels.alertname ?? "", labels, value, since: new Date(firedAt ?? activeAt) };
}
