import { join } from "node:path";
import { openMirror } from "../adapters/git-mirror.ts";
import type { Entry } from "../domain/kubernetes/manifest-edit.ts";
import { render } from "../manifests/render/render.ts";
import { webAddress } from "../settings/links.ts";
import { sealKeyFrom, type Settings } from "../settings/settings.ts";
import { type ClusterSource, type SimulatedCluster, startCluster } from "./cluster/cluster.ts";
import { defaultRules, type LabRule } from "./cluster/metrics/rules.ts";
import { shopServices } from "./cluster/simulation/shop.ts";
import type { Forge } from "./forge/forge.ts";
import { labModelName, startModel } from "./model/model.ts";
import { type LabRepository, openRepository, owner, repo } from "./repository.ts";
import type { Scenario } from "./scenario.ts";
import type { LabWorld } from "./start.ts";

export type { LabWorld };

/** Where the shop starts. */
export const shopEntry: Entry = {
  tool: "flux",
  path: "manifests/shop/overlays/production",
  object: "Kustomization flux-system/shop",
};

/** `beside` opens what else the cluster follows. */
export async function openWorld(
  directory: string,
  scenario: Scenario,
  beside: (first: LabRepository) => Promise<readonly ClusterSource[]> = async () => [],
): Promise<LabWorld> {
  const gitops = scenario.world?.gitops === undefined ? "flux" : "argocd";
  const first = await openRepository(directory, scenario, gitops);
  const { forge, app, secrets } = first;
  const cluster = await openCluster(directory, forge, scenario, { more: await beside(first) });
  const host = process.env.OLLAMA_HOST;
  const model =
    host === undefined || host === "" || scenario.world?.scriptedModel === true ? await startModel() : undefined;
  const ollama = {
    host: model?.url ?? host ?? "",
    model: model ? labModelName : (process.env.OLLAMA_MODEL ?? labModelName),
  };
  const settings = settingsOf({ directory, forge, cluster, app, ollama, secrets });
  return {
    ...{ forge, cluster, model },
    settings: {
      watchtower: scenario.world?.watchtower,
      ...settings,
      ...(scenario.world?.coarse ? coarseSettings(settings, cluster, scenario.world.coarse) : {}),
      // The lab needs nothing but Node and git: its required check stands for the policies, unless a scenario is about them.
      ...(scenario.needs === "kyverno" ? {} : { kyverno: "off" as const }),
    },
    join: async (rectify) => {
      forge.setWebhookUrl(`http://127.0.0.1:${rectify.webhookPort}/webhooks/github`);
      cluster.setAlertWebhook({ url: `http://127.0.0.1:${rectify.internalPort}/alerts`, token: secrets.alerts });
    },
    close: async () => {
      await Promise.all([cluster.close(), model?.close()]);
      await forge.close();
    },
  };
}

const argoEntry: Entry = { ...shopEntry, tool: "argocd", object: "Application platform/shop" };

/** The cluster follows the forge's main branch as Flux would, from the entry of the scenario or another one. */
export function openCluster(
  directory: string,
  forge: Forge,
  scenario: Scenario,
  {
    entry = scenario.world?.gitops === undefined ? shopEntry : argoEntry,
    more = [],
  }: { readonly entry?: Entry; readonly more?: readonly ClusterSource[] } = {},
): Promise<SimulatedCluster> {
  const { noHelp, badImages, fault, services, gitops, coarse } = scenario.world ?? {};
  return startCluster({
    desired: desiredOf(join(directory, "flux"), forge, entry),
    entry: {
      ...{ object: entry.object ?? "", path: `./${entry.path}` },
      ...(gitops === undefined ? {} : { tracking: "label" as const }),
      ...(more.length === 0 ? {} : { repository: forge.cloneUrl }),
    },
    more,
    rules: rulesOf(scenario),
    ...(coarse
      ? {
          ...{ tickMs: 500 * coarse, scrapeMs: coarseScrapeMs * coarse, rulesMs: 1_000 * coarse },
          ...{ historyMs: 30_000, repeatMs: 300_000 },
          retentionMs: 4 * 60_000,
          latencyBoundsMs: coarseBounds,
        }
      : {}),
    ...(noHelp === undefined ? {} : { noHelp }),
    ...(badImages === undefined ? {} : { badImages }),
    ...(fault === undefined ? {} : { fault }),
    ...(services === undefined ? {} : { services: { ...shopServices, ...services } }),
  });
}

/**
 * Where hundreds ask, an answer is as old as in an installation, nobody asks what lies between two scrapes, and who waits
 * for a place waits for longer than a person would take.
 */
function coarseSettings(
  { timings }: Pick<Settings, "timings">,
  cluster: SimulatedCluster,
  coarse: 1 | 2,
): Partial<Settings> {
  return {
    prometheus: prometheusOf(cluster, 10_000),
    timings: {
      ...timings,
      rateWindow: rateWindowOf(coarse),
      leastStepMs: coarseScrapeMs * coarse,
      decideTimeoutMs: 3_600_000,
    },
  };
}

const coarseScrapeMs = 1_000;
/** Holds two scrapes at any moment, and does not tell of what was over long before. */
const rateWindowOf = (coarse: 1 | 2 | undefined): string => `${3 * (coarse ?? 1)}s`;
const coarseBounds = [50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000];

/** What Git wants of an entry, as a controller sees it. */
export function desiredOf(directory: string, forge: Forge, entry: Entry): ClusterSource["desired"] {
  const authorization = async () => forge.fetchAuthorization();
  const flux = openMirror({ directory, url: forge.cloneUrl, authorization });
  const look = async () => {
    const { sha, tree } = await flux.head();
    const rendered = render(tree, entry);
    if (rendered.kind !== "rendered") throw new Error(`the lab's repository cannot be rendered: ${rendered.because}`);
    return { revision: sha, objects: rendered.objects };
  };
  let last: { readonly tip: string | undefined; readonly desired: ReturnType<typeof look> } | undefined;
  return async () => {
    // As a webhook tells a controller that there is something to fetch: twice a second it would be the lab's main work.
    const tip = await forge.headOf("main");
    if (last === undefined || last.tip !== tip) last = { tip, desired: look() };
    const { desired } = last;
    desired.catch(() => (last = undefined));
    return desired;
  };
}

function rulesOf({ world }: Scenario): readonly LabRule[] {
  if (world?.rules !== undefined) return world.rules;
  const rules = defaultRules(rateWindowOf(world?.coarse), 2_000).filter(
    (rule) => world?.predictive === true || rule.alert !== "PredictiveSaturation",
  );
  const only = world?.alertsOf;
  if (only === undefined) return rules;
  const inbound = `direction="inbound"`;
  return rules.map((rule) => ({ ...rule, expr: rule.expr.replaceAll(inbound, `${inbound},deployment="${only}"`) }));
}

function prometheusOf({ urls }: SimulatedCluster, freshMs: number): Settings["prometheus"] {
  return { url: urls.prometheus, authorization: undefined, freshMs };
}

interface Wiring {
  readonly directory: string;
  readonly forge: Forge;
  readonly cluster: SimulatedCluster;
  readonly app: LabRepository["app"];
  readonly ollama: Settings["ollama"];
  readonly secrets: LabRepository["secrets"];
}

/** The ordinary settings, with waits that fit an incident of seconds. */
function settingsOf({ directory, forge, cluster, app, ollama, secrets }: Wiring): Settings {
  return {
    repository: { owner, repo },
    app,
    webhookSecret: secrets.webhook,
    sealKey: sealKeyFrom(secrets.webhook),
    github: { apiUrl: forge.apiUrl, writeGapMs: 0 },
    alerts: { token: secrets.alerts },
    databaseUrl: undefined,
    dataDirectory: directory,
    host: "127.0.0.1",
    webhookPort: 0,
    internalPort: 0,
    pages: { kind: "loopback", port: 0 },
    links: { repository: `${webAddress(forge.apiUrl)}/${owner}/${repo}`, prometheus: cluster.urls.prometheus },
    cluster: "lab",
    prometheus: prometheusOf(cluster, 100),
    alertmanager: { url: cluster.urls.alertmanager, authorization: undefined },
    loki: { url: cluster.urls.loki, authorization: undefined },
    kubernetes: { url: cluster.urls.kubernetes, token: "lab" },
    ollama,
    alertPollMs: 1_000,
    // Far beyond a scenario: its ending is its ending.
    reexamineMs: 3_600_000,
    mostRecoveries: 3,
    timings: {
      pollMs: 250,
      lookbackMs: 30_000,
      rateWindow: rateWindowOf(undefined),
      settleMs: 1_500,
      coolDownMs: 1_000,
      lingerMs: 1_500,
      decideTimeoutMs: 60_000,
      syncTimeoutMs: 20_000,
      verifyTimeoutMs: 12_000,
      modelDeadlineMs: 20_000,
      historyMs: 120_000,
      selfHealMs: 4_000,
    },
  };
}
