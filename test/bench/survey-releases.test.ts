import { expect, test } from "vitest";
import { scratchFiles } from "../scratch.ts";
import { applicationsOf, fluxEntryOf, isInstalledSomehow, saidValues, targetNamespaceOf } from "./survey-releases.ts";

/** The units that one file of the repository makes of `charts/web`. */
function unitsOf(text: string, files: readonly string[] = []) {
  const root = scratchFiles(Object.fromEntries(files.map((file) => [file, "replicas: 2\n"])));
  return applicationsOf(root, "charts/web", new Map([["apps.yaml", text]]));
}

const set = (generators: string, path = "charts/{{name}}") => `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: all, namespace: argocd}
spec:
  generators: ${generators}
  template:
    metadata: {name: "{{name}}-{{env}}"}
    spec:
      source: {path: "${path}", helm: {valueFiles: ["../../env/{{env}}.yaml"]}}
      destination: {namespace: "{{env}}"}
`;

test("a matrix of lists makes one release for each environment", () => {
  const matrix =
    "[{matrix: {generators: [{list: {elements: [{name: web}]}}, {list: {elements: [{env: a}, {env: b}]}}]}}]";
  const units = unitsOf(set(matrix), ["env/a.yaml", "env/b.yaml"]);
  expect(units.map(({ release, namespace, valueFiles }) => [release, namespace, ...valueFiles])).toEqual([
    ["web-a", "a", "env/a.yaml"],
    ["web-b", "b", "env/b.yaml"],
  ]);
  expect(units[0]).toMatchObject({ application: "argocd/web-a", spec: { source: { path: "charts/web" } } });
});

test("what a set of clusters installs, only the cluster knows", () => {
  const text = set("[{clusters: {}}]", "charts/web");
  expect(unitsOf(text)).toEqual([]);
  const files = { "apps.yaml": text };
  expect(isInstalledSomehow(scratchFiles(files), "charts/web", new Map(Object.entries(files)))).toBe(true);
});

test("a value file of a source of another repository is not known here", () => {
  const text = (other: string) => `kind: Application
metadata: {name: web}
spec:
  sources:
    - {repoURL: "https://git.example/a", path: charts/web, helm: {valueFiles: [$own/env/a.yaml], values: "replicas: 3"}}
    - {repoURL: "${other}", ref: own}
`;
  expect(unitsOf(text("https://git.example/a"), ["env/a.yaml"])).toMatchObject([
    { valueFiles: ["env/a.yaml"], said: { kind: "Application", name: "web", file: "apps.yaml" } },
  ]);
  expect(unitsOf(text("https://git.example/b"))).toEqual([]);
});

test("the parameters of an Application come over its inline values", () => {
  const helm =
    '{values: "replicas: 2\\nimage: {tag: a}", parameters: [{name: image.tag, value: "12", forceString: true}, {name: count, value: "3"}]}';
  const text = `kind: Application\nmetadata: {name: web}\nspec: {source: {path: charts/web, helm: ${helm}}}\n`;
  const [unit] = unitsOf(text);
  const root = scratchFiles({ "apps.yaml": text });
  expect(unit?.said && saidValues(root, unit.said, { helm: "", kustomize: "" })).toEqual({
    ...{ replicas: 2, count: 3 },
    image: { tag: "12" },
  });
  expect(unitsOf(text.replace("image.tag, value", "'list[0]', value"))).toEqual([]);
});

test("what a chart of applications names is installed by it, with whatever values", () => {
  const files = {
    "root/templates/apps.yaml":
      "{{ range .Values.apps }}\nkind: Application\nspec: {source: {path: {{ .path }}}}\n{{ end }}",
    "root/values-prod.yaml": "apps: [{path: charts/web}]\n",
  };
  const isInstalled = (directory: string) =>
    isInstalledSomehow(scratchFiles(files), directory, new Map(Object.entries(files)));
  expect(["charts/web", "charts/we", "charts/web/inner", "web"].map(isInstalled)).toEqual([true, false, false, false]);
});

test("a release is built by the nearest Kustomization of Flux around it", () => {
  const kustomization = (name: string, path: string) =>
    `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: ${name}}\nspec: {path: ${path}}\n`;
  const texts = [
    kustomization("all", "./clusters/a"),
    `${kustomization("apps", "clusters/a/apps/")}---\n${kustomization("b", "clusters/ab")}`,
  ];
  const nameOf = (directory: string) => fluxEntryOf(texts, directory)?.object;
  expect(nameOf("clusters/a/apps/web")).toBe("Kustomization flux-system/apps");
  expect(nameOf("clusters/a/other")).toBe("Kustomization flux-system/all");
  expect(nameOf("apps")).toBeUndefined();
});

test("what names no namespace goes where the Flux Kustomizations of its directory say together", () => {
  const kustomization = (path: string, namespace: string) =>
    `kind: Kustomization\nspec: {path: ${path}, targetNamespace: ${namespace}}\n`;
  const said = (...texts: string[]) => targetNamespaceOf(texts, "apps/web");
  expect(said(kustomization("./apps/web/", "shop"), kustomization("apps/web/inner", "back"))).toBe("shop");
  expect(said(kustomization("./apps/web", "shop"), kustomization("./apps/web", "back"))).toBeUndefined();
});
