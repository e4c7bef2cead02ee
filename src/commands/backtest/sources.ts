import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { chartsOnPath } from "../../adapters/cli-tools/charts.ts";
import { renderer } from "../../adapters/cli-tools/renderer.ts";
import { connectGitHub } from "../../adapters/github/github.ts";
import { type Mirror, openMirror } from "../../adapters/git-mirror.ts";
import { kubernetes } from "../../adapters/kubernetes/kubernetes.ts";
import { loki } from "../../adapters/monitoring/loki.ts";
import { prometheus } from "../../adapters/monitoring/prometheus.ts";
import type { QueryPace } from "../../adapters/past/pace.ts";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { Workload } from "../../domain/kubernetes/workload.ts";
import { Refused } from "../../ports/errors.ts";
import type { PastSources } from "../../server/jobs/backtest/past-ports.ts";
import { policiesOf } from "../../server/policy-engine.ts";
import { openSources as openHealth } from "../../server/observability/source-health.ts";
import { webAddress } from "../../settings/links.ts";
import { withoutSecrets } from "../../settings/redaction.ts";
import { oneOfSeveral } from "../../settings/repository.ts";
import { type LoadedSettings, parseSettings, type Settings } from "../../settings/settings.ts";

export type Opened = Omit<PastSources, "history" | "until" | "deliveredAfterMs"> & { readonly mirror: Mirror };

/** The settings of a backtest: what only a running bot needs (secrets, Alertmanager, the App) may be missing. */
export function backtestSettings(environment: NodeJS.ProcessEnv, repository: string | undefined): LoadedSettings {
  const unused = "not used by a backtest: nothing listens, and nothing is sent";
  const bot = { WEBHOOK_SECRET: unused, ALERTS_TOKEN: unused, ALERTMANAGER_URL: "http://127.0.0.1:9093" };
  const app = { APP_ID: "1", PRIVATE_KEY: "-----BEGIN unused-----", RECTIFY_REPOSITORY: "local/checkout" };
  const reads = repository !== undefined || byApp.some((name) => Boolean(environment[name]));
  const read = parseSettings({ ...bot, ...(repository === undefined && reads ? {} : app), ...environment });
  const several = read.ok && repository === undefined ? oneOfSeveral(read.value.repositories) : undefined;
  if (several !== undefined) return { ok: false, problems: [several] };
  if (reads) return read;
  return { ok: false, problems: [noRepository, ...(read.ok ? [] : read.problems)] };
}

const byApp = ["APP_ID", "PRIVATE_KEY", "PRIVATE_KEY_PATH", "RECTIFY_REPOSITORY"];
const noRepository =
  "which repository is not said: --repository <place> names a clone on this machine, or an https address; only where a GitHub App is to read it, set APP_ID, PRIVATE_KEY_PATH, RECTIFY_REPOSITORY";

/** Everything that is read, at that pace; of it, only the mirror on this machine is ever written. */
export async function openSources(
  settings: Settings,
  repository: string | undefined,
  pace: QueryPace,
): Promise<Opened> {
  const inTurn = pace.run;
  const health = openHealth({ now: () => new Date() }, withoutSecrets(settings, 300));
  const telemetry = { log: () => undefined };
  const policies = await policiesOf(settings, { telemetry, sources: health });
  return {
    metrics: prometheus({ ...settings.prometheus, inTurn }),
    logs: settings.loki === undefined ? undefined : loki({ ...settings.loki, inTurn }),
    mirror: await mirrorOf(settings, repository),
    ...{ renderer: renderer(), policies, cluster: settings.cluster, clusterLabel: settings.clusterLabel ?? "cluster" },
    charts: chartsOnPath({ hosts: settings.chartHosts ?? [], cache: join(settings.dataDirectory, "charts") }),
    ...{ marks: marksOf(settings, pace), timings: settings.timings },
  };
}

/** A clone on this machine or an address, or what the App may read. */
async function mirrorOf(settings: Settings, repository: string | undefined): Promise<Mirror> {
  mkdirSync(settings.dataDirectory, { recursive: true });
  const directory = join(settings.dataDirectory, "mirror");
  if (repository !== undefined) {
    const isRemote = /^https?:\/\//.test(repository);
    if (!isRemote && !existsSync(repository)) throw new Error(`--repository: there is no ${repository} here`);
    const url = isRemote ? repository : resolve(repository);
    const token = isRemote && mayKnowToken(new URL(repository), settings) ? process.env.GITHUB_TOKEN : undefined;
    const basic = `Basic ${Buffer.from(`x-access-token:${token ?? ""}`).toString("base64")}`;
    const authorization = async () => (token === undefined ? "" : basic);
    return openMirror({ directory: `${directory}-backtest`, url, authorization, freshMs: 3_600_000 });
  }
  const client = await connectGitHub({
    ...{ apiUrl: settings.github.apiUrl, cloneUrl: settings.github.cloneUrl, repository: settings.repository },
    ...{ app: settings.app, writeGapMs: 0 },
    audit: () => Promise.reject(new Refused("a backtest writes nothing")),
  });
  const { cloneUrl: url, authorization, login } = client;
  return openMirror({ directory, url, authorization, login, freshMs: 3_600_000 });
}

/** What to do about a repository that cannot be fetched. */
export function reading(repository: string | undefined): string {
  if (repository === undefined)
    return "the App needs the permission contents: read on RECTIFY_REPOSITORY, and GITHUB_CLONE_URL, where it is set, must lead there";
  if (!/^https?:\/\//.test(repository)) return "--repository must name a clone with a branch that is checked out";
  return "--repository must be its address; a private one is read with GITHUB_TOKEN (contents: read), which only your GitHub (GITHUB_API_URL) is shown";
}

/** The token is for GitHub alone, and never in clear but on this machine. */
export function mayKnowToken({ protocol, host, hostname }: URL, { github }: Pick<Settings, "github">): boolean {
  if (hostname === "127.0.0.1" || hostname === "localhost" || hostname === "[::1]") return true;
  const ours = [webAddress(github.apiUrl), ...(github.cloneUrl === undefined ? [] : [github.cloneUrl])];
  return protocol === "https:" && ours.some((url) => new URL(url).host === host);
}

/** Where live objects say today that they come from; nobody, where no cluster is named. */
function marksOf(
  settings: Settings,
  pace: QueryPace,
): ((workload: Workload) => Promise<Entry | undefined>) | undefined {
  if (settings.kubernetes.url === undefined && process.env.KUBECONFIG === undefined) return undefined;
  const cluster = kubernetes({ ...settings.kubernetes, cluster: settings.cluster });
  return async (workload) => {
    const live = await pace.run(() => cluster.workload(workload));
    return live && (await pace.run(() => cluster.entryOf(live)));
  };
}
