import { join } from "node:path";
import type { Entry } from "../../../domain/kubernetes/manifest-edit.ts";
import { guardrailsPath } from "../../../flow/collect/load-guardrails.ts";
import { renderYaml } from "../../../manifests/yaml/yaml.ts";
import type { ClusterSource } from "../../cluster/cluster.ts";
import { type Forge, startForge } from "../../forge/forge.ts";
import { labGuardrails, type LabRepository } from "../../repository.ts";
import { ciApp } from "../../scenario.ts";
import { desiredOf } from "../../world.ts";

/** The second repository, of another team: its own people, its own guardrails. */
export const bank = { owner: "rectify-bank", repo: "ledger" } as const;

/** The person who answers for the ledger, and for nothing of the shop. */
export const banker = "ops-eve";

const entry: Entry = { tool: "flux", path: "apps/ledger", object: "Kustomization flux-system/bank" };

const files: Readonly<Record<string, string>> = {
  "clusters/lab/bank.yaml": `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: bank
  namespace: flux-system
spec:
  interval: 10m
  path: ./apps/ledger
  prune: true
  sourceRef:
    kind: GitRepository
    name: bank
`,
  "apps/ledger/kustomization.yaml": `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: bank
resources:
  - ledger.yaml
`,
  "apps/ledger/ledger.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ledger
spec:
  replicas: 2
  selector:
    matchLabels: {app: ledger}
  template:
    metadata:
      labels: {app: ledger}
    spec:
      containers:
        - name: ledger
          image: ghcr.io/rectify-bank/ledger:1.0.0
          resources:
            requests: {cpu: 250m, memory: 192Mi}
            limits: {memory: 256Mi}
`,
  [guardrailsPath]: renderYaml({
    ...labGuardrails,
    namespaces: ["bank"],
    approvers: { "approve-scale": { users: [banker], minimumPermission: "write" } },
  }),
};

/** Opens the second repository with the same App, installed there apart. */
export async function openBank(
  directory: string,
  origin: string,
  { app, secrets }: LabRepository,
): Promise<{ readonly forge: Forge; readonly source: ClusterSource }> {
  const forge = await startForge({
    ...{ ...bank, directory: join(directory, "bank"), files, private: true, origin, firstId: 5_000 },
    app: { id: app.id, slug: "rectify", privateKeyPem: app.privateKey, webhookSecret: secrets.webhook },
    people: [
      { login: banker, permission: "write" },
      { login: "sre-anna", permission: "read" },
    ],
    requiredChecks: [{ name: "rectify-policy", appId: ciApp }],
  });
  const desired = desiredOf(join(directory, "bank-flux"), forge, entry);
  const object = { object: entry.object ?? "", path: `./${entry.path}`, repository: forge.cloneUrl };
  return { forge, source: { desired, entry: object } };
}
