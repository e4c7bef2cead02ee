import { expect, test } from "vitest";
import type { Entry } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { affectedEntries } from "../../../src/manifests/gitops/reach.ts";

const tree = treeOf(
  Object.fromEntries(
    ["charts/config", "charts/shop"].flatMap((directory) => [
      [`${directory}/Chart.yaml`, "name: c\nversion: 1.0.0\n"],
      ...["values.yaml", "values-prod.yaml", "values-test.yaml"].map((name) => [`${directory}/${name}`, "a: 1\n"]),
    ]),
  ),
);
const entry = (...valueFiles: string[]): Entry => ({
  tool: "argocd",
  path: "charts/config",
  spec: { source: { path: "charts/config", helm: { valueFiles } } },
});

test.each([
  ["its own value file", ["values.yaml"], "charts/config/values.yaml", true],
  ["a value file of the same name in another chart", ["values.yaml"], "charts/shop/values.yaml", false],
  ["one that it names by a relative path", ["../shop/values.yaml"], "charts/shop/values.yaml", true],
  ["one that it names from the root", ["/charts/shop/values.yaml"], "charts/shop/values.yaml", true],
  ["one that it names by a reference", ["$here/charts/shop/values.yaml"], "charts/shop/values.yaml", true],
  ["one that a template may mean", ["values-{{ .env }}.yaml"], "charts/config/values-prod.yaml", true],
  [
    "one of another chart that a template cannot mean",
    ["values-{{ .env }}.yaml"],
    "charts/shop/values-prod.yaml",
    false,
  ],
  ["one that a pattern means", ["values-*.yaml"], "charts/config/values-prod.yaml", true],
  ["one that it does not name", ["values-prod.yaml"], "charts/config/values-test.yaml", false],
])("an Application of a chart and %s", (_name, valueFiles, edited, isRead) => {
  expect(affectedEntries(tree, [entry(...valueFiles)], [edited])).toHaveLength(isRead ? 1 : 0);
});

test("what a template fills in elsewhere names no file", () => {
  const filled: Entry = {
    ...entry("values.yaml"),
    spec: { source: { path: "charts/config", helm: { valueFiles: ["values.yaml"], values: "{{ .anything }}" } } },
  };
  expect(affectedEntries(tree, [filled], ["charts/shop/values.yaml"])).toEqual([]);
});
