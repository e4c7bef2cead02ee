import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { clustersThatMake, deployersOf, isPinned, withoutDrawn } from "./survey-reasons.ts";

let root: string | undefined;
afterEach(() => {
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
});

function repository(files: Readonly<Record<string, string>>): string {
  root = mkdtempSync(join(tmpdir(), "rectify-reasons-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const unit = { kind: "kustomize", directory: "prod", release: "", namespace: "", valueFiles: [] } as const;
const application = (revision: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: prod}\nspec: {source: {path: prod, targetRevision: "${revision}"}}\n`;

test.each([
  ["v1.2.3", true],
  [">=1.0.0 <2.0.0", true],
  ["363a6a8", true],
  ["refs/tags/prod", true],
  ["main", false],
  ["HEAD", false],
  ["release-1.2", false],
])("an Application at %s is pinned: %s", (revision, expected) => {
  expect(isPinned(repository({ "app.yaml": application(revision) }), unit)).toBe(expected);
});

test.each([
  ["{branch: main}", false],
  ["{tag: v1}", true],
  ["{branch: main, commit: 363a6a8fe6a7f13e05d34c163b0ef02a777da20a}", true],
])("a Flux source at %s is pinned: %s", (ref, expected) => {
  const files = {
    "app.yaml":
      "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: prod}\nspec: {path: prod, sourceRef: {kind: GitRepository, name: fleet}}\n",
    "fleet.yaml": `apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet}\nspec: {ref: ${ref}}\n`,
  };
  expect(isPinned(repository(files), unit)).toBe(expected);
});

test.each([
  ["two clusters make the Application of a base", ["clusters/one", "clusters/two"], 2],
  ["one makes it", ["clusters/one"], 1],
])("%s", (_name, clusters, expected) => {
  const base = { "base/app.yaml": application("main") };
  const here = repository({ ...base, kustomize: `#!/bin/sh\necho '${JSON.stringify(made)}'\n` });
  chmodSync(join(here, "kustomize"), 0o755);
  const readers = clusters.map((directory) => ({ unit: { ...unit, directory }, reads: new Set(["base/app.yaml"]) }));
  const tools = { helm: "", kustomize: join(here, "kustomize") };
  expect(clustersThatMake({ root: here, unit, readers, tools })).toBe(expected);
});

const made = {
  apiVersion: "argoproj.io/v1alpha1",
  kind: "Application",
  metadata: { name: "prod" },
  spec: { source: { path: "prod" } },
};

test("a set of directories deploys those that its pattern names, whatever its path is filled in with", () => {
  const set = (pattern: string) =>
    `apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: all}\nspec:\n  generators: [{git: {directories: [{path: "${pattern}"}]}}]\n  template: {spec: {source: {path: "{{path}}"}}}\n`;
  const web = { ...unit, directory: "charts/home/web" };
  expect(deployersOf(repository({ "set.yaml": set("charts/**/*") }), web)).toHaveLength(1);
  expect(deployersOf(repository({ "set.yaml": set("charts/*") }), web)).toHaveLength(0);
});

test("an object under a name that is drawn is no change, and its neighbor is one", () => {
  const [pod, other] = ["v1|Pod|shop|web-test-", "apps/v1|Deployment|shop|web"];
  const moved = [`${pod}a1b2c`, `${pod}x9y8z`, `${other}/spec/replicas`, `${other}-two`];
  const drawn = [`${pod}a1b2c`, `${pod}k7l6m`];
  expect(withoutDrawn(moved, drawn)).toEqual([`${other}/spec/replicas`, `${other}-two`]);
});
