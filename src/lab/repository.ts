import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { guardrailsPath } from "../flow/collect/load-guardrails.ts";
import { renderYaml } from "../manifests/yaml/yaml.ts";
import { sealKeyFrom } from "../settings/settings.ts";
import { type Forge, startForge } from "./forge/forge.ts";
import { pastFiles } from "./forge/git/past.ts";
import { approver, ciApp, type Scenario } from "./scenario.ts";

export const owner = "rectify-lab";
export const repo = "shop";

/** What the repository of the lab allows, unless the scenario says otherwise. */
export const labGuardrails = {
  namespaces: ["shop-production"],
  maxReplicas: 12,
  requiredChecks: [{ name: "rectify-policy", app: ciApp }],
  approvers: { "approve-scale": { users: [approver], minimumPermission: "write" } },
};

/** A forge with the lab's repository, and what an App needs to work on it. */
export interface LabRepository {
  readonly forge: Forge;
  readonly app: { readonly id: number; readonly privateKey: string };
  readonly secrets: { readonly webhook: string; readonly alerts: string };
}

let key: string | undefined;

/** The key of every App of this process: to make one costs more than to start a forge. */
export function appKey(): string {
  key ??= generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  }).privateKey;
  return key;
}

/** How the repository is brought onto the cluster: two controllers on one overlay are a mistake. */
type GitOps = "flux" | "argocd";

export async function openRepository(
  directory: string,
  scenario: Pick<Scenario, "files" | "guardrails" | "past" | "world">,
  gitops: GitOps = "flux",
): Promise<LabRepository> {
  const secrets = { webhook: randomBytes(32).toString("hex"), alerts: randomBytes(32).toString("hex") };
  const privateKey = appKey();
  const app = { id: 4711, slug: "rectify", privateKeyPem: privateKey, webhookSecret: secrets.webhook };
  const forge = await startForge({
    ...{ owner, repo, directory: join(directory, "forge"), app, private: true },
    files: {
      ...withChanges(repositoryFiles(gitops), scenario.files ?? {}),
      ...pastFiles(scenario.past ?? 0, new Date(), sealKeyFrom(secrets.webhook)),
      ...scenario.world?.files,
      [guardrailsPath]: renderYaml({ ...labGuardrails, ...scenario.guardrails }),
    },
    people: [
      { login: approver, permission: "write" },
      { login: "visitor", permission: "read" },
      { login: "dev-ben", permission: "write" },
    ],
    requiredChecks: [{ name: "rectify-policy", appId: ciApp }],
    ...scenario.world?.github,
  });
  return { forge, app: { id: app.id, privateKey }, secrets };
}

function withChanges(
  files: Readonly<Record<string, string>>,
  changes: NonNullable<Scenario["files"]>,
): Record<string, string> {
  const changed = Object.entries(changes).map(([path, change]) => [path, change(files[path] ?? "")]);
  return { ...files, ...Object.fromEntries(changed) };
}

const entriesOfOthers: Readonly<Record<GitOps, string>> = { flux: "manifests/argocd", argocd: "manifests/clusters" };

/** This project's own manifests and policies: the lab's GitOps repository, without the entries of the other engine. */
export function repositoryFiles(gitops: GitOps): Record<string, string> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const files: Record<string, string> = {};
  for (const folder of ["manifests", "policies"]) {
    for (const item of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(item.parentPath, item.name).slice(root.length);
      if (item.isFile() && !path.startsWith(entriesOfOthers[gitops])) files[path] = readFileSync(root + path, "utf8");
    }
  }
  return files;
}
