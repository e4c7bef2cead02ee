import { expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { affectedEntries } from "../../../src/manifests/gitops/reach.ts";
import { entriesOf, othersOf } from "../../../src/manifests/gitops/entries.ts";
import { consumersOf, readKustomization, resolveInside } from "../../../src/manifests/gitops/kustomization.ts";

test.each([
  ["apps/web", "../base", "apps/base"],
  ["apps/web", "./a.yaml", "apps/web/a.yaml"],
  [".", "a/", "a"],
  ["apps", "..", "."],
])("a reference is resolved inside the repository: from %s, %s", (directory, reference, path) => {
  expect(resolveInside(directory, reference)).toEqual({ ok: true, path });
});

test.each([
  ["apps", "../../etc/passwd"],
  ["apps", "/etc/passwd"],
  ["apps", "https://example.org/x.yaml"],
  ["apps", "ssh://git@example.org/x"],
  ["apps", "git@example.org:o/r.git"],
  ["apps", "github.com/o/r//path?ref=v1"],
  ["apps", "example.org/o/r?ref=main"],
  ["apps", "a\\b"],
  ["apps", ""],
])("a reference that leaves the repository is refused: from %s, %j", (directory, reference) => {
  expect(resolveInside(directory, reference).ok).toBe(false);
});

test("a directory without a kustomization has none, one with two is a problem", () => {
  expect(readKustomization(treeOf({ "a/x.yaml": "" }), "a")).toBeUndefined();
  const two = treeOf({ "a/kustomization.yaml": "resources: []", "a/Kustomization": "resources: []" });
  expect(readKustomization(two, "a")).toMatchObject({ ok: false });
});

test.each([
  ["an unknown field", "resource: [a]", "resource"],
  ["a list that is a text", "resources: a", "resources"],
  ["a label that is a number", "commonLabels: {a: 1}", "commonLabels.a"],
  ["a truth value of old YAML", "namespace: yes", "yes"],
  ["two documents", "resources: [a]\n---\nresources: [b]", "one document"],
  ["text that is no YAML", "resources: [", "kustomization.yaml"],
])("a kustomization with %s is a problem that names it", (_name, text, named) => {
  const read = readKustomization(treeOf({ "a/kustomization.yaml": text }), "a");
  expect(read).toMatchObject({ ok: false, problems: [expect.stringContaining(named)] });
});

const repository = treeOf({
  "base/kustomization.yaml": "resources: [web.yaml]\nconfigMapGenerator: [{name: c, files: [key=conf.txt]}]\n",
  "base/web.yaml": "",
  "base/conf.txt": "",
  "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: patch.yaml}]\n",
  "prod/patch.yaml": "",
  "staging/kustomization.yaml": "resources: [../base]\n",
  "plain/a.yaml": "",
});

test("the consumers of a path are the kustomizations that name it", () => {
  const consumers = consumersOf(repository);
  expect(consumers.get("base")).toEqual(["prod/kustomization.yaml", "staging/kustomization.yaml"]);
  expect(consumers.get("base/conf.txt")).toEqual(["base/kustomization.yaml"]);
  expect(consumers.get("prod/patch.yaml")).toEqual(["prod/kustomization.yaml"]);
  expect(consumers.has("prod")).toBe(false);
});

test("without controller objects the entries are the kustomizations that nobody uses", () => {
  expect(entriesOf(repository).map(({ tool, path }) => `${tool} ${path}`)).toEqual([
    "kustomize prod",
    "kustomize staging",
  ]);
});

test.each([
  ["a file of the base concerns all overlays", "base/conf.txt", ["prod", "staging"]],
  ["a patch of one overlay concerns that one", "prod/patch.yaml", ["prod"]],
  ["a plain directory takes in a new file", "plain/new.yaml", ["plain"]],
  ["a file that nobody reads concerns nobody", "docs/readme.md", []],
])("%s", (_name, edited, expected) => {
  const entries = [...entriesOf(repository), { tool: "flux" as const, path: "./plain" }];
  expect(affectedEntries(repository, entries, [edited]).map(({ path }) => path?.replace("./", ""))).toEqual(expected);
});

const flux = (name: string, path: string, source = "GitRepository") =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: ${name}, namespace: flux-system}\nspec: {path: ${path}, sourceRef: {kind: ${source}, name: r}}\n`;

test("entries of the repository's own controllers come with cluster and object; other sources are none", () => {
  const tree = treeOf({
    "clusters/eu/apps.yaml": `${flux("apps", "./apps")}---\n${flux("packed", "./apps", "OCIRepository")}---\n${flux("away", "./nowhere")}`,
    "clusters/us/apps.yaml": flux("apps", "./apps"),
    "argo/apps.yaml":
      "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: apps, namespace: argocd}\nspec: {source: {path: apps}}\n",
    "apps/kustomization.yaml": "resources: []\n",
  });
  expect(entriesOf(tree)).toEqual([
    {
      tool: "flux",
      path: "apps",
      cluster: "eu",
      object: "Kustomization flux-system/apps",
      file: "clusters/eu/apps.yaml",
    },
    { tool: "argocd", path: "apps", object: "Application argocd/apps", file: "argo/apps.yaml" },
    {
      tool: "flux",
      path: "apps",
      cluster: "us",
      object: "Kustomization flux-system/apps",
      file: "clusters/us/apps.yaml",
    },
  ]);
  const live = { tool: "flux", path: "./apps", cluster: "us", object: "Kustomization flux-system/apps" } as const;
  expect(othersOf(entriesOf(tree), live).map(({ cluster, tool }) => `${tool} ${cluster}`)).toEqual([
    "flux eu",
    "argocd undefined",
  ]);
  // A cluster that is called otherwise here: one of the two remains as another place.
  expect(othersOf(entriesOf(tree), { ...live, cluster: "live" })).toHaveLength(2);
});

test("a patch of a Kustomization is no Kustomization of the whole repository", () => {
  const head = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\n";
  const tree = treeOf({
    "clusters/eu/apps.yaml": flux("apps", "./apps"),
    "local/patches/apps.yaml": `${head}spec: {wait: true}\n`,
    "apps/kustomization.yaml": "resources: []\n",
  });
  expect(entriesOf(tree).map(({ path }) => path)).toEqual(["apps"]);
  const whole = treeOf({ "root.yaml": `${head}spec: {sourceRef: {kind: GitRepository, name: r}}\n` });
  expect(entriesOf(whole).map(({ path }) => path)).toEqual(["."]);
});

const argo = (source: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nspec: {source: ${source}}\n`;
const environments = (source: string) =>
  treeOf({
    "argo/web.yaml": argo(source),
    "apps/web/README.md": "two environments\n",
    "apps/web/base/kustomization.yaml": "resources: [web.yaml]\n",
    "apps/web/base/web.yaml": "kind: Deployment\n",
    "apps/web/prod/kustomization.yaml": "resources: [../base]\n",
    "apps/web/staging/kustomization.yaml": "resources: [../base]\n",
  });

test.each([
  ["without recursion", "{path: apps/web}", ["apps/web/prod", "apps/web/staging"]],
  ["with recursion", "{path: apps/web, directory: {recurse: true}}", ["apps/web"]],
  ["with a plugin, which may read anything", "{path: apps/web, plugin: {name: x}}", ["apps/web"]],
  [
    "with Jsonnet, whose libraries lie anywhere",
    "{path: apps/web, directory: {jsonnet: {libs: [base]}}}",
    ["apps/web"],
  ],
])("a plain directory of Argo CD %s: who reads a file in a directory below it", (_, source, expected) => {
  const tree = environments(source);
  const readers = affectedEntries(tree, entriesOf(tree), ["apps/web/base/web.yaml"]);
  expect(readers.map(({ path }) => path)).toEqual(expected);
});

test("a plain directory of Argo CD takes in every file at its top, and none below", () => {
  const tree = environments("{path: apps/web}");
  const readers = (path: string) => affectedEntries(tree, entriesOf(tree), [path]).map(({ object }) => object);
  expect(readers("apps/web/new.yaml")).toEqual(["Application argocd/web"]);
  expect(readers("apps/web/new/web.yaml")).toEqual([]);
});
