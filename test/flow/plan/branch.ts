import type { Entry } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf, type Tree } from "../../../src/domain/kubernetes/tree.ts";
import { planChange } from "../../../src/flow/plan/plan.ts";
import { render } from "../../../src/manifests/render/render.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";

export type Files = Readonly<Record<string, string>>;

const shas = ["a", "b", "c", "d"].map((letter) => letter.repeat(40));
const { workload } = anIncident();

export const web = (tag: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:${tag}
          ports:
            - containerPort: 8080
`;
export const base = (tag: string): Files => ({
  "base/kustomization.yaml": "resources: [web.yaml]\n",
  "base/web.yaml": web(tag),
});
export const overlay = (name: string): Files => ({
  [`${name}/kustomization.yaml`]: `namespace: shop-${name}\nresources: [../base]\n`,
  [`clusters/${name}.yaml`]: `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: shop-${name}, namespace: flux-system}
spec: {path: ./${name}, prune: true, sourceRef: {kind: GitRepository, name: shop}}
`,
});

interface Asked {
  readonly namespaces?: readonly string[];
  readonly mode?: "shadow";
  readonly modes?: readonly object[];
  /** As a backtest plans it. */
  readonly hypothetical?: boolean;
  /** Which of the states is the commit that is reverted. */
  readonly which?: number;
  /** When each state was committed; absent = hours apart. */
  readonly at?: readonly string[];
  readonly scope?: "workload" | "all";
}

/** A branch with these states of its files, oldest first, and the reversal of one of its commits. */
export function revert(
  states: readonly Files[],
  { namespaces = ["shop-production"], which = 1, at = [], scope = "workload", mode, modes, hypothetical }: Asked = {},
) {
  const guardrails = { ".github/rectify.yml": JSON.stringify({ namespaces, mode, modes }) };
  const trees = states.map((files) => treeOf({ ...files, ...guardrails }));
  const sha = (index: number) => shas[index] ?? "";
  const commits = trees.map((_, index) => ({
    ...{
      sha: sha(index),
      parent: index === 0 ? undefined : sha(index - 1),
      at: at[index] ?? `2026-11-24T0${index}:00:00Z`,
    },
  }));
  const treeAt = (wanted: string): Tree => trees[shas.indexOf(wanted)] ?? treeOf({});
  const ports = {
    github: {
      head: async () => ({ sha: sha(trees.length - 1), tree: treeAt(sha(trees.length - 1)) }),
      at: async (wanted: string) => treeAt(wanted),
      commitsSince: async () => [...commits].reverse(),
    },
    cluster: {
      workload: async () => ({ ...workload, replicas: 1 }),
      entryOf: async () => ({ tool: "flux", path: "production", object: "Kustomization flux-system/shop-production" }),
    },
    renderer: { render: async (tree: Tree, entry: Entry) => render(tree, entry) },
    telemetry: { log: () => undefined },
  } as unknown as Ports;
  const change = { kind: "commit" as const, sha: sha(which), scope, to: "" };
  const remediation = { kind: "revert-commit", workload, change, from: "", to: "", sizing: [] } as const;
  return planChange(anIncident(), remediation, ports, hypothetical === undefined ? {} : { hypothetical });
}
