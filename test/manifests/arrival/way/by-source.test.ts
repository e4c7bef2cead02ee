import { expect, test } from "vitest";
import { treeOf } from "../../../../src/domain/kubernetes/tree.ts";
import { locate } from "../../../../src/manifests/locate/locate.ts";

/** A chart of this repository that a release takes through a GitRepository of its own. */
const repository = (name: string, more = "") =>
  `apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: ${name}, namespace: flux-system}\nspec:\n  url: https://git.example/fleet.git\n  ref: {branch: main}\n${more}`;
const release = (more = "", chart = "") => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  chart:
    spec:
      chart: ./charts/web
      reconcileStrategy: Revision
      sourceRef: {kind: GitRepository, name: charts, namespace: flux-system}
${chart}${more}`;
const files = {
  "clusters/prod/web.yaml": `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web, namespace: flux-system}
spec: {path: ./apps/web, sourceRef: {kind: GitRepository, name: flux-system}}
`,
  "clusters/prod/own.yaml": repository("flux-system"),
  "apps/web/release.yaml": release(),
  "charts/web/Chart.yaml": "name: web\nversion: 1.0.0\n",
  "charts/web/values.yaml": "replicas: 2\n",
  "charts/web/templates/web.yaml":
    "kind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  replicas: {{ .Values.replicas }}\n",
};

function located(more: Record<string, string>) {
  const answer = locate(treeOf({ ...files, ...more }), {
    workload: { kind: "Deployment", namespace: "shop", name: "web", replicas: 2 },
    change: { kind: "replicas", to: 3 },
    entry: { tool: "flux", path: "apps/web", object: "Kustomization flux-system/web" },
  });
  if (answer.kind === "refused") return `${answer.reason}: ${answer.because}`;
  const places = answer.files.map(({ path }) => path).join();
  return answer.unproven === undefined ? places : `${places}, but ${answer.unproven}`;
}
const charts = (more: string) => ({ "clusters/prod/charts.yaml": repository("charts", more) });
const named = {
  "apps/web/release.yaml": release("", "      valuesFiles: [./charts/web/values.yaml, ./values/web.yaml]\n"),
};

test.each<[string, Record<string, string>, RegExp]>([
  ["takes all", charts(""), /^charts\/web\/values.yaml$/],
  [
    "stands still",
    charts("  suspend: true\n"),
    /^deliberately-disabled: .*charts.yaml:7 suspends the source of the chart web/,
  ],
  [
    "ignores the file",
    charts("  ignore: /charts/web/values.yaml\n"),
    /^other-source: charts\/web\/values.yaml is left out/,
  ],
  ["ignores another file", charts("  ignore: /apps/web\n"), /^charts\/web\/values.yaml$/],
  ["takes other directories", charts("  sparseCheckout: [apps]\n"), /^other-source: .*left out/],
  ["takes this directory", charts("  sparseCheckout: [charts]\n"), /^charts\/web\/values.yaml$/],
  ["is told by a file to ignore it", { ...charts(""), "charts/web/.sourceignore": "values.yaml\n" }, /^other-source/],
  [
    "has the chart from elsewhere",
    charts("  include: [{repository: {name: other}, toPath: charts}]\n"),
    /^other-source: .*left out/,
  ],
  [
    "names a branch before its own",
    {
      "clusters/prod/charts.yaml": repository("charts").replace("main}", "main, name: refs/heads/next}"),
    },
    /, but .*refs\/heads\/next/,
  ],
  [
    "ignores a file of values that goes with the chart",
    { ...charts("  ignore: /values\n"), ...named, "values/web.yaml": "replicas: 2\n" },
    /^other-source: values\/web.yaml is left out/,
  ],
])("a source of the chart that %s", (_, more, expected) => {
  expect(located(more)).toMatch(expected);
});

test("what the entry's own source does with the chart does not matter", () => {
  const own = { "clusters/prod/own.yaml": repository("flux-system", "  ignore: /charts\n") };
  expect(located({ ...charts(""), ...own })).toBe("charts/web/values.yaml");
  expect(located({ ...charts("  ignore: /apps\n"), ...own })).toBe("charts/web/values.yaml");
});

test("values in the release come by the entry's source", () => {
  const own = { "apps/web/release.yaml": release("  values:\n    replicas: 2\n") };
  expect(located({ ...charts("  ignore: /apps\n"), ...own })).toMatch(/^apps\/web\/release.yaml/);
  const ignoring = { "clusters/prod/own.yaml": repository("flux-system", "  ignore: /apps\n") };
  expect(located({ ...charts(""), ...own, ...ignoring })).toMatch(/^other-source: apps\/web\/release.yaml is left out/);
});
