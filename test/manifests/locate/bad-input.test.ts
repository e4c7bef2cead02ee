import { expect, test } from "vitest";
import { type Tree, treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { locate } from "../../../src/manifests/locate/locate.ts";

const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n";

function refusalOf(tree: Tree, path = "apps/web"): string {
  const outcome = locate(tree, {
    workload: { kind: "Deployment", namespace: "shop", name: "web" },
    change: { kind: "replicas", to: 5 },
    entry: { tool: "plain", path },
  });
  return outcome.kind === "refused" ? `${outcome.reason}: ${outcome.because}` : "an edit";
}

test.each<[string, string | Uint8Array, string]>([
  ["cut YAML", deployment.replace("name: web", 'name: "web'), "parse-error: apps/web/deployment.yaml:5"],
  [
    "a broken indentation",
    deployment.replace("  replicas", " - replicas"),
    "parse-error: nothing sets spec.replicas of Deployment web (apps/web/deployment.yaml:1)",
  ],
  ["a tab for indentation", deployment.replace("  replicas", "\treplicas"), "parse-error: apps/web/deployment.yaml:6"],
  [
    "bytes that are not UTF-8",
    new Uint8Array([...new TextEncoder().encode("kind: Deployment\nname: "), 0xff, 0xfe, 10]),
    "parse-error: apps/web/deployment.yaml:2",
  ],
  [
    "UTF-16 with a byte order mark",
    new Uint8Array([0xff, 0xfe, 0x61, 0x00]),
    "parse-error: apps/web/deployment.yaml:1",
  ],
  ["a file of 20 MB", new Uint8Array(20 * 2 ** 20).fill(0x23), "parse-error: apps/web/deployment.yaml:1"],
  ["nesting without end", `a: ${"[".repeat(5000)}`, "parse-error: apps/web/deployment.yaml:1"],
  ["an empty file", "", "not-found: Deployment web is not among the objects of apps/web"],
])("%s is refused by file and line", (_what, content, refusal) => {
  expect(refusalOf(treeOf({ "apps/web/deployment.yaml": content }))).toContain(refusal);
});

test("aliases of aliases are never written out", () => {
  const levels = Array.from(
    { length: 40 },
    (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(", ")}]\n`,
  ).join("");
  const laughs = `l0: &l0 [lol]\n${levels}apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec: *l40\n`;
  const patch = `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template: *a\nx: &a {b: 1}\n`;
  expect(refusalOf(treeOf({ "apps/web/deployment.yaml": laughs }))).toContain("apps/web/deployment.yaml");
  const kustomization = "resources: [deployment.yaml]\npatches: [{path: patch.yaml}]\n";
  const tree = treeOf({
    "apps/web/kustomization.yaml": kustomization,
    "apps/web/deployment.yaml": laughs,
    "apps/web/patch.yaml": patch,
  });
  expect(refusalOf(tree)).toMatch(/^(?:parse-error|not-found|ambiguous|shared-anchor)/);
});

test("a patch of nested aliases ends in a refusal", () => {
  const map = (n: number, inner: string): string => `&m${n} {a: ${inner}, b: ${inner}, c: ${inner}, d: ${inner}}`;
  const lines = Array.from({ length: 30 }, (_, n) => `  m${n}: ${map(n, n === 0 ? "{x: 1}" : `*m${n - 1}`)}\n`).join(
    "",
  );
  const object = `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n${lines}`;
  const tree = treeOf({
    "apps/web/kustomization.yaml": "resources: [deployment.yaml]\npatches: [{path: patch.yaml}]\n",
    "apps/web/deployment.yaml": object,
    "apps/web/patch.yaml": object,
  });
  expect(refusalOf(tree)).toContain("ambiguous: apps/web/patch.yaml:1");
});

test("a broken file beside the workload that may hold its autoscaler is a refusal", () => {
  const broken = 'kind: HorizontalPodAutoscaler\nspec:\n  scaleTargetRef: {name: web, kind: "Deployment}\n';
  const tree = treeOf({ "apps/web/deployment.yaml": deployment, "apps/web/hpa.yaml": broken });
  expect(refusalOf(tree)).toContain("parse-error: apps/web/hpa.yaml:");
});

test("a path that leaves the repository, or is a symbolic link, is not found", () => {
  const tree = treeOf({ "apps/web/deployment.yaml": deployment });
  expect(refusalOf(tree, "../outside")).toContain("not-found: ../outside");
  expect(refusalOf(tree, "apps/link")).toContain("not-found: apps/link");
});

test("a base outside of the repository is not read", () => {
  const tree = treeOf({ "apps/web/kustomization.yaml": "resources:\n  - ../../../etc\n" });
  expect(refusalOf(tree)).toContain("apps/web/kustomization.yaml:2");
});
