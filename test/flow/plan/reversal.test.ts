import { describe, expect, test } from "vitest";
import { assessRisk } from "../../../src/domain/gate/risk.ts";
import type { Entry } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf, type Tree } from "../../../src/domain/kubernetes/tree.ts";
import { planChange } from "../../../src/flow/plan/plan.ts";
import { render } from "../../../src/manifests/render/render.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";

type Files = Readonly<Record<string, string>>;

const shas = ["a", "b", "c", "d"].map((letter) => letter.repeat(40));
const { workload } = anIncident();

const web = (tag: string) => `apiVersion: apps/v1
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
const base = (tag: string): Files => ({
  "base/kustomization.yaml": "resources: [web.yaml]\n",
  "base/web.yaml": web(tag),
});
const overlay = (name: string): Files => ({
  [`${name}/kustomization.yaml`]: `namespace: shop-${name}\nresources: [../base]\n`,
  [`clusters/${name}.yaml`]: `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: shop-${name}, namespace: flux-system}
spec: {path: ./${name}, prune: true, sourceRef: {kind: GitRepository, name: shop}}
`,
});

/** A branch with these states of its files, oldest first, and the reversal of one of its commits. */
function revert(
  states: readonly Files[],
  { namespaces, which = 1 }: { namespaces: readonly string[]; which?: number },
) {
  const guardrails = { ".github/rectify.yml": JSON.stringify({ namespaces }) };
  const trees = states.map((files) => treeOf({ ...files, ...guardrails }));
  const sha = (index: number) => shas[index] ?? "";
  const commits = trees.map((_, index) => ({
    ...{ sha: sha(index), parent: index === 0 ? undefined : sha(index - 1), at: `2026-11-24T0${index}:00:00Z` },
  }));
  const at = (wanted: string): Tree => trees[shas.indexOf(wanted)] ?? treeOf({});
  const ports = {
    github: {
      head: async () => ({ sha: sha(trees.length - 1), tree: at(sha(trees.length - 1)) }),
      at: async (wanted: string) => at(wanted),
      commitsSince: async () => [...commits].reverse(),
    },
    cluster: {
      workload: async () => ({ ...workload, replicas: 1 }),
      entryOf: async () => ({ tool: "flux", path: "production", object: "Kustomization flux-system/shop-production" }),
    },
    renderer: { render: async (tree: Tree, entry: Entry) => render(tree, entry) },
    telemetry: { log: () => undefined },
  } as unknown as Ports;
  const change = { kind: "commit" as const, sha: sha(which), scope: "workload" as const, to: "" };
  return planChange(anIncident(), { kind: "revert-commit", workload, change, from: "", to: "", sizing: [] }, ports);
}

describe("a commit on a base that two entries read", () => {
  const both = { ...overlay("production"), ...overlay("staging") };
  const states = [
    { ...base("1"), ...both },
    { ...base("2"), ...both },
  ];

  test("is not taken back where the guardrails do not allow the other entry's namespace", async () => {
    const planned = await revert(states, { namespaces: ["shop-production"] });
    expect(planned).toMatchObject({ kind: "none", ending: "refused" });
    const because = planned.kind === "none" ? planned.because : "";
    expect(because).toContain("Kustomization flux-system/shop-staging");
    expect(because).toContain("namespace shop-staging");
    expect(because).toContain("namespaces: [shop-production, shop-staging]");
  });

  test("is taken back from both where both are allowed, which is never low in risk", async () => {
    const planned = await revert(states, { namespaces: ["shop-production", "shop-staging"] });
    if (planned.kind !== "change") throw new Error(planned.because);
    expect(planned.files).toEqual([{ path: "base/web.yaml", before: web("2"), after: web("1") }]);
    expect(planned.effect.changes.map(({ object }) => object.namespace)).toEqual(["shop-production", "shop-staging"]);
    const objectsChanged = planned.effect.changes.length;
    const risk = assessRisk({
      ...{ kind: "revert-commit", amount: undefined, critical: false, objectsChanged, witnesses: "agree" },
      ...{ taintedOnly: false, recentChanges: 0, cycles: 1, insideWindow: true, proof: "rendered" },
      trust: { successes: 9, needed: 3, lastFailed: false },
    });
    expect(risk.level).toBe("high");
  });

  test("is not taken back where the other entry cannot be rendered", async () => {
    const broken = { "staging/kustomization.yaml": "resources: [../base, gone.yaml]\n" };
    const planned = await revert(
      states.map((state) => ({ ...state, ...broken })),
      { namespaces: ["shop-production", "shop-staging"] },
    );
    expect(planned).toMatchObject({ ending: "refused", because: expect.stringContaining("cannot be rendered") });
  });

  test("is taken back where the other entry does not read it", async () => {
    const apart = { ...both, "staging/kustomization.yaml": "namespace: shop-staging\nresources: [web.yaml]\n" };
    const own = { ...apart, "staging/web.yaml": web("0") };
    const planned = await revert(
      [
        { ...base("1"), ...own },
        { ...base("2"), ...own },
      ],
      {
        namespaces: ["shop-production"],
      },
    );
    expect(planned).toMatchObject({ kind: "change", warnings: [] });
  });
});

test("a commit whose line a newer one changed again is not taken back, and both are named", async () => {
  const overlays = overlay("production");
  const states = ["1", "2", "3"].map((tag) => ({ ...base(tag), ...overlays }));
  const planned = await revert(states, { namespaces: ["shop-production"] });
  expect(planned).toMatchObject({ kind: "none", ending: "refused" });
  const because = planned.kind === "none" ? planned.because : "";
  expect(because).toContain("base/web.yaml");
  expect(because).toContain("commit bbbbbbb");
  expect(because).toContain("commit ccccccc");
});
