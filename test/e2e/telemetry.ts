import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isRecord } from "../../src/domain/kubernetes/rendered.ts";
import { at, textAt } from "../../src/lab/cluster/objects/kube-object.ts";
import { parseYaml } from "../../src/manifests/yaml/yaml.ts";
import { answers, freePort, type Processes, type Running } from "./processes.ts";
import { namespace, type Shop } from "./shop.ts";
import { pacedGroups, stockRules } from "./stock-rules.ts";

/** Where Alertmanager sends. */
interface AlertReceiver {
  readonly url: string;
  readonly token: string;
}

/** Real Prometheus, Alertmanager and Loki, with the configuration of `manifests/` at the pace of the scenarios. */
export interface Telemetry {
  readonly prometheusUrl: string;
  readonly alertmanagerUrl: string;
  readonly lokiUrl: string | undefined;
  setReceiver(receiver: AlertReceiver): Promise<void>;
  /** Scrapes the Rectify that listens at this address, as the ServiceMonitor has it done, instead of the one before. */
  scrape(rectify: string): void;
  /** Prometheus dies. */
  killPrometheus(): Promise<void>;
  /** Starts it again with what it knew; Alertmanager believes what it says for four times so many seconds. */
  startPrometheus(resendSeconds?: number): Promise<void>;
  stopAlertmanager(): Promise<void>;
  /** Starts it again with nothing of what it knew. */
  startAlertmanagerAnew(): Promise<void>;
  /** Gives Loki these limits in addition to the manifest's; it takes them up within a second. */
  limitLoki(limits: Readonly<Record<string, unknown>>): Promise<void>;
  /** Loads the stock rules anew, one alert at the pace of a scenario; without one all wait as in an installation. */
  quickenAlert(alert: string | undefined): Promise<void>;
  /** What fires now, as the real Alertmanager says. */
  firing(): Promise<readonly Readonly<Record<string, string>>[]>;
  /** Whether Prometheus itself has an alert for this workload, firing or not yet. */
  alerting(deployment: string): Promise<boolean>;
}

interface TelemetryPrograms {
  readonly prometheus: string;
  readonly promtool: string;
  readonly alertmanager: string;
  readonly loki: string | undefined;
}

type Scraped = Pick<Shop, "target" | "kubeStatePath" | "servicePath">;

interface Beside {
  /** Who is scraped; the others need not wait for it. */
  readonly shop: Promise<Scraped>;
  readonly processes: Processes;
}

export async function startTelemetry(
  scratch: string,
  programs: TelemetryPrograms,
  { shop, processes }: Beside,
): Promise<Telemetry> {
  const directory = join(scratch, "telemetry");
  mkdirSync(directory, { recursive: true });
  const [alertmanager, loki] = await Promise.all([
    alertmanagerIn(directory, programs.alertmanager, processes),
    programs.loki === undefined ? undefined : lokiIn(directory, programs.loki, processes),
  ]);
  const prometheus = await prometheusIn(
    directory,
    { ...programs, ...(await shop), alertmanager: alertmanager.address },
    processes,
  );
  const prometheusUrl = prometheus.url;
  return {
    ...{ prometheusUrl, alertmanagerUrl: alertmanager.url, lokiUrl: loki?.url },
    ...{ killPrometheus: prometheus.kill, startPrometheus: prometheus.start, scrape: prometheus.scrape },
    ...{ setReceiver: alertmanager.setReceiver, stopAlertmanager: alertmanager.stop },
    ...{ startAlertmanagerAnew: alertmanager.startAnew, quickenAlert: prometheus.quickenAlert },
    limitLoki: async (limits) => loki?.limit(limits),
    firing: async () => {
      const response = await fetch(`${alertmanager.url}/api/v2/alerts?active=true`);
      return ((await response.json()) as { labels: Record<string, string> }[]).map(({ labels }) => labels);
    },
    alerting: async (deployment) => {
      const response = await fetch(`${prometheusUrl}/api/v1/alerts`);
      const { data } = (await response.json()) as { data: { alerts: { labels: Record<string, string> }[] } };
      return data.alerts.some(({ labels }) => labels.deployment === deployment);
    },
  };
}

function manifest(path: string): unknown {
  return yaml(readFileSync(fileURLToPath(new URL(`../../manifests/${path}`, import.meta.url)), "utf8"));
}

function yaml(text: string): unknown {
  const read = parseYaml(text);
  if (!read.ok) throw new Error(read.problem);
  return read.value;
}

/** One factor for all windows would make some too short to measure in: each has its own pace. */
const paces: readonly (readonly [RegExp, string])[] = [
  [/\[1m\]/g, "[5s]"],
  [/\[2m\]/g, "[5s]"],
  [/\[10m\], 900\)/g, "[10s], 15)"],
];
// The wait of the trend is longer than its windows, as in `manifests/`: one step of the load is no trend.
const shortFor: Readonly<Record<string, string>> = { "1m": "2s", "2m": "20s", "10m": "30s" };

/** The groups of `manifests/monitoring`, every second instead of every fifteen. */
export function quickRules(): object {
  const rule = manifest("monitoring/alerts.yaml");
  const groups = at(rule, "spec", "groups");
  if (!Array.isArray(groups)) throw new Error("manifests/monitoring/alerts.yaml has no groups");
  return { groups: groups.map((group: object) => ({ ...group, interval: "1s", rules: rulesOf(group) })) };
}

function rulesOf(group: unknown): object[] {
  const rules = at(group, "rules");
  return (Array.isArray(rules) ? rules : []).map((rule: Record<string, unknown>) => {
    const expr = paces.reduce((text, [slow, quick]) => text.replaceAll(slow, quick), String(rule.expr));
    const wait = typeof rule.for === "string" ? { for: shortFor[rule.for] ?? rule.for } : {};
    return { ...rule, expr, ...wait };
  });
}

type PrometheusNeeds = TelemetryPrograms & Scraped;

async function prometheusIn(directory: string, needs: PrometheusNeeds, processes: Processes) {
  const address = `127.0.0.1:${await freePort()}`;
  const rulesPath = join(directory, "rules.yml");
  const configPath = join(directory, "prometheus.yml");
  const stockPath = join(directory, "stock-rules.yml");
  const targetsPath = join(directory, "rectify-targets.json");
  const scrape = (...targets: readonly string[]) =>
    writeFileSync(targetsPath, JSON.stringify([{ targets, labels: { namespace: "rectify", service: "rectify" } }]));
  scrape();
  const stock = stockRules();
  writeFileSync(rulesPath, JSON.stringify(quickRules()));
  writeFileSync(stockPath, JSON.stringify(pacedGroups(stock, undefined)));
  const static_configs = [{ targets: [needs.target] }];
  const labels = { namespace, service: "web" };
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
    rule_files: [rulesPath, stockPath],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [needs.alertmanager] }] }] },
    scrape_configs: [
      { job_name: "shop", static_configs },
      // As an installation scrapes kube-state-metrics: what it says of objects keeps its own labels.
      { job_name: "kube-state-metrics", metrics_path: needs.kubeStatePath, honor_labels: true, static_configs },
      { job_name: "rectify", file_sd_configs: [{ files: [targetsPath], refresh_interval: "1s" }] },
      // As a ServiceMonitor names who is scraped through a Service.
      { job_name: "web", metrics_path: needs.servicePath, static_configs: [{ targets: [needs.target], labels }] },
    ],
  };
  writeFileSync(configPath, JSON.stringify(config));
  // A stock rule stands twice among its own: nothing to hear of here.
  execFileSync(needs.promtool, ["check", "config", "--lint=none", configPath], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  let running: Running | undefined;
  const start = async (resendSeconds = 2) => {
    running = await processes.start({
      name: "prometheus",
      command: needs.prometheus,
      args: [
        ...[`--config.file=${configPath}`, `--storage.tsdb.path=${join(directory, "tsdb")}`],
        ...[`--web.listen-address=${address}`, "--log.level=warn", `--rules.alert.resend-delay=${resendSeconds}s`],
        "--web.enable-lifecycle",
      ],
      ready: () => answers(`http://${address}/-/ready`),
    });
  };
  await start();
  return {
    ...{ url: `http://${address}`, start, scrape, kill: async () => running?.kill() },
    quickenAlert: async (alert: string | undefined) => {
      writeFileSync(stockPath, JSON.stringify(pacedGroups(stock, alert)));
      const response = await fetch(`http://${address}/-/reload`, { method: "POST" });
      if (!response.ok) throw new Error(`Prometheus does not take the rules: ${await response.text()}`);
    },
  };
}

async function alertmanagerIn(directory: string, command: string, processes: Processes) {
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const configPath = join(directory, "alertmanager.yml");
  const dataPath = join(directory, "alertmanager");
  let running: Running | undefined;
  const start = async () => {
    running = await processes.start({
      name: "alertmanager",
      command,
      args: [
        ...[`--config.file=${configPath}`, `--storage.path=${dataPath}`, `--web.listen-address=${address}`],
        // One process: nobody to gossip with.
        ...["--cluster.listen-address=", "--log.level=warn"],
      ],
      ready: () => answers(`${url}/-/ready`),
    });
  };
  writeFileSync(configPath, JSON.stringify(routeTo({ url: "http://127.0.0.1:9/alerts", token: "nobody" })));
  await start();
  return {
    ...{ address, url },
    setReceiver: async (receiver: AlertReceiver) => {
      writeFileSync(configPath, JSON.stringify(routeTo(receiver)));
      const response = await fetch(`${url}/-/reload`, { method: "POST" });
      if (!response.ok) throw new Error(`Alertmanager does not take its configuration: ${await response.text()}`);
    },
    stop: async () => running?.stop(),
    startAnew: async () => {
      rmSync(dataPath, { recursive: true, force: true });
      await start();
    },
  };
}

/** The route of `manifests/alertmanager` in Alertmanager's own words, as the operator writes it, without its waits. */
function routeTo({ url, token }: AlertReceiver): object {
  const spec = at(manifest("alertmanager/route.yaml"), "spec");
  const matchers = at(spec, "route", "matchers");
  const hook = at(spec, "receivers", 0, "webhookConfigs", 0);
  if (!Array.isArray(matchers) || !isRecord(hook))
    throw new Error("manifests/alertmanager/route.yaml has another shape");
  const route = {
    receiver: "rectify",
    group_by: at(spec, "route", "groupBy"),
    matchers: matchers.map((item) => `${textAt(item, "name")}${textAt(item, "matchType")}"${textAt(item, "value")}"`),
    ...{ group_wait: "0s", group_interval: "1s", repeat_interval: at(spec, "route", "repeatInterval") },
  };
  const authorization = { type: "Bearer", credentials: token };
  const webhook = {
    ...{ url, send_resolved: hook.sendResolved, max_alerts: hook.maxAlerts },
    http_config: { authorization },
  };
  return {
    route: { receiver: "nobody", routes: [route] },
    receivers: [{ name: "nobody" }, { name: "rectify", webhook_configs: [webhook] }],
  };
}

async function lokiIn(directory: string, command: string, processes: Processes) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const paths = { data: join(directory, "loki"), limits: join(directory, "loki-limits.yaml") };
  const configPath = join(directory, "loki.yaml");
  const limit = async (limits: Readonly<Record<string, unknown>>) =>
    writeFileSync(paths.limits, JSON.stringify({ overrides: { [onlyTenant]: limits } }));
  await limit({});
  writeFileSync(configPath, JSON.stringify(lokiConfig(paths, { http: port, grpc: await freePort() })));
  await processes.start({
    name: "loki",
    command,
    args: [`-config.file=${configPath}`],
    ready: () => answers(`${url}/ready`),
  });
  return { url, limit };
}

// What Loki calls everybody where it asks for no tenant.
const onlyTenant = "fake";

/** The configuration of `manifests/loki` with this machine's paths and ports. */
function lokiConfig(
  { data, limits }: { readonly data: string; readonly limits: string },
  ports: { readonly http: number; readonly grpc: number },
): object {
  const written = textAt(manifest("loki/config.yaml"), "data", "loki.yaml") ?? "";
  const config = yaml(written.replaceAll("/var/loki", data)) as Record<string, Record<string, unknown>>;
  const loopback = "127.0.0.1";
  return {
    ...config,
    server: {
      ...config.server,
      ...{ http_listen_address: loopback, http_listen_port: ports.http },
      ...{ grpc_listen_address: loopback, grpc_listen_port: ports.grpc, log_level: "warn" },
    },
    common: { ...config.common, instance_addr: loopback },
    // Ready at once: there is no ring of others to wait for.
    ingester: { ...config.ingester, lifecycler: { min_ready_duration: "0s", final_sleep: "0s" } },
    runtime_config: { file: limits, period: "500ms" },
    analytics: { reporting_enabled: false },
  };
}
