import { expect, test } from "vitest";
import { renderOnce } from "../../../src/adapters/cli-tools/render-once.ts";
import type { Entry } from "../../../src/domain/kubernetes/manifest-edit.ts";
import type { Rendered } from "../../../src/domain/kubernetes/rendered.ts";
import { overlaid, treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { policyVerdict } from "../../../src/flow/gate/policy-verdict.ts";
import { planChange } from "../../../src/flow/plan/plan.ts";
import { render } from "../../../src/manifests/render/render.ts";
import type { Ports, Renderer } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";
import { base, overlay } from "../../flow/plan/branch.ts";

const entry: Entry = { tool: "flux", path: "apps" };
const empty: Rendered = { kind: "rendered", with: "a test", objects: [] };

/** A renderer that counts what it is asked. */
function counting(answer: Renderer["render"] = async () => empty) {
  const asked: string[] = [];
  const renderer: Renderer = {
    render: (tree, which) => {
      asked.push(which.path ?? "");
      return answer(tree, which);
    },
  };
  return { asked, renderer };
}

test("the same files for the same entry are rendered once, also where the change was laid over them anew", async () => {
  const { asked, renderer } = counting();
  const once = renderOnce(renderer);
  const tree = treeOf({ "apps/web.yaml": "a" });
  const changed = () => overlaid(tree, { "apps/web.yaml": "b" });
  await once.render(tree, entry);
  await once.render(tree, { ...entry });
  await once.render(changed(), entry);
  await once.render(changed(), entry);
  await once.render(overlaid(overlaid(tree, { "apps/web.yaml": "x" }), { "apps/web.yaml": "b" }), entry);
  expect(asked).toHaveLength(2);
});

test("another commit, another text, a file that is gone and another entry are renderings of their own", async () => {
  const { asked, renderer } = counting();
  const once = renderOnce(renderer);
  const tree = treeOf({ "apps/web.yaml": "a" });
  await once.render(tree, entry);
  await once.render(treeOf({ "apps/web.yaml": "a" }), entry);
  await once.render(overlaid(tree, { "apps/web.yaml": "b" }), entry);
  await once.render(overlaid(tree, { "apps/web.yaml": null }), entry);
  await once.render(overlaid(tree, { "apps/web.yaml": "" }), entry);
  await once.render(tree, { ...entry, path: "other" });
  await once.render(tree, { ...entry, spec: { a: 1 } });
  expect(asked).toHaveLength(7);
});

test("what could not be rendered is tried again, and only the last ones are kept", async () => {
  let fails = true;
  const { asked, renderer } = counting(async () => (fails ? { kind: "unsupported", because: "took too long" } : empty));
  const once = renderOnce(renderer, 1);
  const tree = treeOf({});
  expect(await once.render(tree, entry)).toMatchObject({ kind: "unsupported" });
  fails = false;
  expect(await once.render(tree, entry)).toEqual(empty);
  await once.render(tree, entry);
  expect(asked).toHaveLength(2);
  await once.render(tree, { ...entry, path: "other" });
  await once.render(tree, entry);
  expect(asked).toHaveLength(4);
});

test("a plan and the policies that judge it render the entry once before and once after", async () => {
  const { asked, renderer } = counting(async (tree, which) => render(tree, which));
  const web = base("1")["base/web.yaml"]?.replace("spec:\n", "spec:\n  replicas: 2\n") ?? "";
  const files = { ...base("1"), "base/web.yaml": web, ...overlay("production") };
  const tree = treeOf({ ...files, ".github/rectify.yml": "namespaces: [shop-production]\n" });
  const { workload } = anIncident();
  const ports = {
    github: { head: async () => ({ sha: "a".repeat(40), tree }), at: async () => tree },
    cluster: {
      workload: async () => ({ ...workload, replicas: 2 }),
      entryOf: async () => ({ tool: "flux", path: "production", object: "Kustomization flux-system/shop-production" }),
    },
    renderer: renderOnce(renderer),
    telemetry: { log: () => undefined },
  } as unknown as Ports;
  const change = { kind: "replicas", to: 3 } as const;
  const planned = await planChange(
    anIncident(),
    { kind: "scale", workload, change, from: "2", to: "3", sizing: [] },
    ports,
  );
  if (planned.kind !== "change") throw new Error(planned.because);
  expect(asked.filter((path) => path === "production" || path === "./production")).toHaveLength(2);
  const before = asked.length;
  const about = { incident: "i1", guardrails: {} as Parameters<typeof policyVerdict>[1]["guardrails"] };
  expect((await policyVerdict(planned, about, ports)).rendered?.after).toHaveLength(1);
  expect(asked).toHaveLength(before);
});
