import { expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { entriesOf } from "../../../src/manifests/gitops/entries.ts";
import { affectedEntries } from "../../../src/manifests/gitops/reach.ts";

const set = (helm: string) => ({
  "argo/pvc.yaml": `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: pvc, namespace: argocd}
spec:
  goTemplate: true
  generators: [{plugin: {configMapRef: {name: secrets}}}]
  template:
    metadata: {name: pvc}
    spec:
      source: {repoURL: "https://git.example/fleet.git", path: charts/pvc, helm: ${helm}}
`,
  "charts/pvc/Chart.yaml": "name: pvc\nversion: 1.0.0\n",
  "values/web.yaml": "replicas: 2\n",
});

test.each([
  ["names of files that are filled in elsewhere may be any file", "{valueFiles: ['{{ .values_file }}']}", 1],
  ["values of a chart are no names of files", "{valuesObject: {files_pvc: {enabled: '{{ .enabled }}'}}}", 0],
])("%s", (_, helm, expected) => {
  const tree = treeOf(set(helm));
  const affected = affectedEntries(tree, entriesOf(tree), ["values/web.yaml"]);
  expect(affected.filter(({ path }) => path === "charts/pvc")).toHaveLength(expected);
});
