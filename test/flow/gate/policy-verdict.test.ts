import { expect, test } from "vitest";
import type { PolicyEngine } from "../../../src/domain/gate/policy-report.ts";
import { changesBetween, effectOf } from "../../../src/domain/kubernetes/effect.ts";
import { parseGuardrails } from "../../../src/domain/guardrails/guardrails.ts";
import type { Entry } from "../../../src/domain/kubernetes/manifest-edit.ts";
import type { RenderedObject } from "../../../src/domain/kubernetes/rendered.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { policyVerdict } from "../../../src/flow/gate/policy-verdict.ts";
import { render } from "../../../src/manifests/render/render.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { aPlan } from "../../plan.ts";

const fluxOf = (name: string) => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${name}
  namespace: flux-system
spec:
  path: ./overlays/${name}
`;
const overlayOf = (name: string) => `namespace: ${name}\nresources:\n  - ../../base\n`;
const deployment = (image: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: web:${image}
`;
const path = "base/web.yaml";
const files = {
  "clusters/production.yaml": fluxOf("production"),
  "clusters/staging.yaml": fluxOf("staging"),
  "overlays/production/kustomization.yaml": overlayOf("production"),
  "overlays/staging/kustomization.yaml": overlayOf("staging"),
  "base/kustomization.yaml": "resources:\n  - web.yaml\n",
};
const [head, after] = ["2-bad", "1"].map((tag) => treeOf({ ...files, [path]: deployment(tag) }));
const entryOf = (name: string): Entry => ({
  ...{ tool: "flux", path: `overlays/${name}`, object: `Kustomization flux-system/${name}` },
});

function objectsOf(tree: typeof head, name: string): readonly RenderedObject[] {
  const rendered = render(tree ?? treeOf({}), entryOf(name));
  if (rendered.kind !== "rendered") throw new Error(rendered.because);
  return rendered.objects;
}

test("what changes in another environment on the same base is put before the policies, too", async () => {
  const seen: string[] = [];
  const policies: PolicyEngine = {
    judge: async ({ objects }) => {
      seen.push(...objects.map(({ kind, metadata }) => `${metadata.namespace}/${kind}/${metadata.name}`));
      return { kind: "passed", results: [], notEvaluated: [] };
    },
  };
  const changes = ["production", "staging"].flatMap((name) =>
    changesBetween(objectsOf(head, name), objectsOf(after, name)),
  );
  const plan = aPlan(2, {
    entry: entryOf("production"),
    files: [{ path, before: deployment("2-bad"), after: deployment("1") }],
    effect: effectOf(changes, { kind: "rendered", with: "a test" }),
  });
  const ports = {
    github: { at: async () => head },
    renderer: { render: async (tree: NonNullable<typeof head>, entry: Entry) => render(tree, entry) },
    policies,
  } as unknown as Ports;
  const guardrails = parseGuardrails({ namespaces: ["production", "staging"] });
  if (!guardrails.ok) throw new Error("these are guardrails");
  const judged = await policyVerdict(plan, { incident: "i", guardrails: guardrails.value }, ports);
  expect(judged.verdict.kind).toBe("passed");
  expect(seen.sort()).toEqual(["production/Deployment/web", "staging/Deployment/web"]);
  expect(judged.rendered?.after.length).toBe(2);
});
