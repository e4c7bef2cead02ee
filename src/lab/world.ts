import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openMirror } from "../adapters/mirror.ts";
import type { Entry } from "../domain/manifest-edit.ts";
import { guardrailsPath } from "../flow/load-guardrails.ts";
import type { Rectify } from "../main.ts";
import { render } from "../manifests/render.ts";
import { renderYaml } from "../manifests/yaml.ts";
import { sealKeyFrom, type Settings } from "../settings.ts";
import { type SimulatedCluster, startCluster } from "./cluster/cluster.ts";
import { defaultRules, type LabRule } from "./cluster/rules.ts";
import { type Forge, startForge } from "./forge/forge.ts";
import { labModelName, type LabModel, startModel } from "./model/model.ts";
import { pastFiles } from "./past.ts";
import { approver, ciApp, type Scenario } from "./scene.ts";

/** Everything around Rectify that cannot be real in the lab, running on loopback. */
export interface LabWorld {
  readonly forge: Forge;
  readonly cluster: SimulatedCluster;
  readonly model: LabModel | undefined;
  readonly settings: Settings;
  /** Tells the world where Rectify listens. */
  join(rectify: Pick<Rectify, "webhookPort" | "internalPort">): Promise<void>;
  close(): Promise<void>;
}

const owner = "rectify-lab";
const repo = "shop";
const entry: Entry = {
  tool: "flux",
  path: "manifests/shop/overlays/production",
  object: "Kustomization flux-system/shop",
};
/** What the repository of the lab allows, unless the scenario says otherwise. */
const guardrails = {
  namespaces: ["shop-production"],
  maxReplicas: 12,
  requiredChecks: [{ name: "rectify-policy", app: ciApp }],
  approvers: { "approve-scale": { users: [approver], minimumPermission: "write" } },
};

export async function openWorld(directory: string, scenario: Scenario): Promise<LabWorld> {
  const secrets = { webhook: randomBytes(32).toString("hex"), alerts: randomBytes(32).toString("hex") };
  const key = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const app = { id: 4711, slug: "rectify", privateKeyPem: key.privateKey, webhookSecret: secrets.webhook };
  const forge = await startForge({
    ...{ owner, repo, directory: join(directory, "forge"), app, private: true },
    files: {
      ...withChanges(repositoryFiles(), scenario.files ?? {}),
      ...pastFiles(scenario.past ?? 0, new Date(), sealKeyFrom(secrets.webhook)),
      ...scenario.world?.files,
      [guardrailsPath]: renderYaml({ ...guardrails, ...scenario.guardrails }),
    },
    people: [
      { login: approver, permission: "write" },
      { login: "visitor", permission: "read" },
      { login: "dev-ben", permission: "write" },
    ],
    requiredChecks: [{ name: "rectify-policy", appId: ciApp }],
  });
  const cluster = await openCluster(directory, forge, scenario);
  const host = process.env.OLLAMA_HOST;
  const model =
    host === undefined || host === "" || scenario.world?.scriptedModel === true ? await startModel() : undefined;
  const ollama = {
    host: model?.url ?? host ?? "",
    model: model ? labModelName : (process.env.OLLAMA_MODEL ?? labModelName),
  };
  return {
    ...{ forge, cluster, model },
    settings: {
      watchtower: scenario.world?.watchtower,
      ...settingsOf({ directory, forge, cluster, key: key.privateKey, ollama, secrets, appId: app.id }),
      // The lab needs nothing but Node and git: its required check stands for the policies, unless a story is about them.
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

/** The cluster follows the forge's main branch as Flux would. */
function openCluster(directory: string, forge: Forge, scenario: Scenario): Promise<SimulatedCluster> {
  const flux = openMirror({
    directory: join(directory, "flux"),
    url: forge.cloneUrl,
    authorization: async () => forge.fetchAuthorization(),
  });
  const { noHelp, badImages } = scenario.world ?? {};
  return startCluster({
    desired: async () => {
      const { sha, tree } = await flux.head();
      const rendered = render(tree, entry);
      if (rendered.kind !== "rendered") throw new Error(`the lab's repository cannot be rendered: ${rendered.because}`);
      return { revision: sha, objects: rendered.objects };
    },
    entry: { object: "Kustomization flux-system/shop", path: `./${entry.path}` },
    rules: rulesOf(scenario),
    ...(noHelp === undefined ? {} : { noHelp }),
    ...(badImages === undefined ? {} : { badImages }),
  });
}

function rulesOf({ world }: Scenario): readonly LabRule[] {
  const rules = defaultRules("3s", 2_000).filter(
    (rule) => world?.predictive === true || rule.alert !== "PredictiveSaturation",
  );
  const only = world?.alertsOf;
  if (only === undefined) return rules;
  const inbound = `direction="inbound"`;
  return rules.map((rule) => ({ ...rule, expr: rule.expr.replaceAll(inbound, `${inbound},deployment="${only}"`) }));
}

interface Wiring {
  readonly directory: string;
  readonly forge: Forge;
  readonly cluster: SimulatedCluster;
  readonly key: string;
  readonly ollama: Settings["ollama"];
  readonly secrets: { readonly webhook: string; readonly alerts: string };
  readonly appId: number;
}

/** The ordinary settings, with waits that fit a story of seconds. */
function settingsOf({ directory, forge, cluster, key, ollama, secrets, appId }: Wiring): Settings {
  return {
    repository: { owner, repo },
    app: { id: appId, privateKey: key },
    webhookSecret: secrets.webhook,
    sealKey: sealKeyFrom(secrets.webhook),
    github: { apiUrl: forge.apiUrl, cloneUrl: forge.cloneUrl, writeGapMs: 0 },
    alerts: { token: secrets.alerts },
    databaseUrl: undefined,
    dataDirectory: directory,
    host: "127.0.0.1",
    webhookPort: 0,
    internalPort: 0,
    cluster: "lab",
    prometheus: { url: cluster.urls.prometheus, authorization: undefined },
    alertmanager: { url: cluster.urls.alertmanager, authorization: undefined },
    loki: { url: cluster.urls.loki, authorization: undefined },
    kubernetes: { url: cluster.urls.kubernetes, token: "lab" },
    ollama,
    alertPollMs: 1_000,
    mostRecoveries: 3,
    tempo: {
      pollMs: 250,
      lookbackMs: 30_000,
      rateWindow: "3s",
      settleMs: 1_500,
      coolDownMs: 1_000,
      decideTimeoutMs: 60_000,
      syncTimeoutMs: 20_000,
      verifyTimeoutMs: 12_000,
      modelDeadlineMs: 20_000,
    },
  };
}

function withChanges(
  files: Readonly<Record<string, string>>,
  changes: NonNullable<Scenario["files"]>,
): Record<string, string> {
  const changed = Object.entries(changes).map(([path, change]) => [path, change(files[path] ?? "")]);
  return { ...files, ...Object.fromEntries(changed) };
}

/**
 * This project's own manifests and policies: the lab's GitOps repository. The Argo CD variant stays out: two controllers
 * on one overlay are a mistake, which Rectify refuses to build on.
 */
function repositoryFiles(): Record<string, string> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const files: Record<string, string> = {};
  for (const folder of ["manifests", "policies"]) {
    for (const item of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!item.isFile() || item.parentPath.endsWith("manifests/argocd")) continue;
      const path = join(item.parentPath, item.name);
      files[path.slice(root.length)] = readFileSync(path, "utf8");
    }
  }
  return files;
}
