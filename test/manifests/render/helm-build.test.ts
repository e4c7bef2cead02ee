import { expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { helmBuild } from "../../../src/manifests/render/helm-build.ts";

const here = "repoURL: https://git.example/fleet.git, targetRevision: main";

function built(sources: readonly string[]): string {
  const application = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  destination: {namespace: shop}
  sources:
${sources.map((source) => `    - {${source}}`).join("\n")}
`;
  const tree = treeOf({
    "apps/shop.yaml": application,
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/env/prod.yaml": "count: 1\n",
    "env/prod.yaml": "count: 2\n",
  });
  const build = helmBuild(tree, { tool: "argocd", path: "charts/web", object: "Application argocd/shop" });
  if (build?.kind !== "prepared") return build?.because ?? "no chart";
  const values = build.values.map((bytes) => new TextDecoder().decode(bytes)).join();
  return `${build.release} in ${build.namespace}: ${values}`;
}

const chart = (reference: string, of = here) => `${of}, path: charts/web, helm: {valueFiles: [${reference}]}`;
const values = `${here}, ref: values`;
const strange = "Application argocd/shop has source fields that are not understood";

test.each<[string, readonly string[], string]>([
  ["its own files", [chart("env/prod.yaml"), `${here}, path: charts/other`], "shop in shop: count: 1\n"],
  ["a file by reference", [chart("$values/env/prod.yaml"), values], "shop in shop: count: 2\n"],
  ["a reference to nothing", [chart("$values/env/prod.yaml")], "the value file $values/env/prod.yaml"],
  [
    "a reference to another branch",
    [chart("$values/env/prod.yaml"), values.replace("main", "next")],
    "the value file $values/env/prod.yaml",
  ],
  [
    "a reference to another repository",
    [chart("$values/env/prod.yaml"), values.replace("fleet", "other")],
    "the value file $values/env/prod.yaml",
  ],
  ["a name for two", [chart("$values/env/prod.yaml"), values, values], "the value file $values/env/prod.yaml"],
  ["a way out of the repository", [chart("$values/../x.yaml"), values], "the value file $values/../x.yaml"],
  ["the same chart twice", [chart("env/prod.yaml"), chart("$values/env/prod.yaml"), values], strange],
  ["parameters", [`${here}, path: charts/web, helm: {parameters: [{name: count, value: "3"}]}`], strange],
])("a chart among several sources is rendered with its values: %s", (_, sources, expected) => {
  expect(built(sources)).toBe(expected);
});
