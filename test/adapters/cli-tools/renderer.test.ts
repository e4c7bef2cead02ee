import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { renderer } from "../../../src/adapters/cli-tools/renderer.ts";
import { changesBetween } from "../../../src/domain/kubernetes/effect.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { ownRenderer, render } from "../../../src/manifests/render/render.ts";
import { kustomizeCase } from "../../manifests/kustomize-cases.ts";

const scratch = mkdtempSync(join(tmpdir(), "rectify-test-renderer-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A stand-in for kustomize: a script that sees what the real one would see. */
function tool(name: string, body: string): string {
  const path = join(scratch, name);
  writeFileSync(path, `#!${process.execPath}\nconst fs = require("node:fs");\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

const web = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n";
const files = {
  "a/kustomization.yaml": "resources: [web.yaml]\n",
  "a/web.yaml": web,
  "b/secret.txt": "not for this build",
};
const entry = { tool: "kustomize", path: "a" } as const;
const without = { kubectl: null, kustomize: null };

test("without a tool our own subset answers and says so", async () => {
  expect(await renderer(without).render(treeOf(files), entry)).toEqual(render(treeOf(files), entry));
  expect(await renderer({ searchPath: scratch }).render(treeOf(files), entry)).toMatchObject({ with: ownRenderer });
});

test("the tool gets fixed arguments, nothing of our environment, and only the files it may read", async () => {
  process.env.RECTIFY_TEST_SECRET = "s3cret";
  const kustomize = tool(
    "seeing",
    `if (process.argv[2] === "version") { console.log("v9.8.7"); process.exit(); }
    const root = process.argv.at(-1);
    const data = { args: process.argv.slice(2, -1).join(" "), env: Object.keys(process.env).sort().join(" "), proxy: process.env.HTTPS_PROXY,
      files: fs.readdirSync(root + "/..", { recursive: true }).sort().join(" "), root };
    console.log(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "seen" }, data }));`,
  );
  const rendered = await renderer({ kustomize }).render(treeOf(files), entry);
  delete process.env.RECTIFY_TEST_SECRET;
  if (rendered.kind === "unsupported") throw new Error(rendered.because);
  const data = rendered.objects[0]?.data as Record<string, string>;
  expect(rendered.with).toBe("kustomize v9.8.7");
  expect(data.args).toBe("build --load-restrictor=LoadRestrictionsRootOnly");
  expect(data.env).not.toContain("RECTIFY_TEST_SECRET");
  expect(data.proxy).toBe("http://127.0.0.1:9");
  expect(data.files).toBe("a a/kustomization.yaml a/web.yaml");
  expect(existsSync(data.root ?? "")).toBe(false);
});

test("a tool that refuses, hangs or writes nonsense makes the entry unsupported, with its own words", async () => {
  const refusing = tool("refusing", `console.error("# Warning: old\\nthe base is broken"); process.exit(1);`);
  const hanging = tool("hanging", "setInterval(() => {}, 1000);");
  const babbling = tool("babbling", `console.log("{: :");`);
  const ask = (kustomize: string) => renderer({ kustomize, scratch, timeLimitMs: 1_500 }).render(treeOf(files), entry);
  expect(await ask(refusing)).toEqual({ kind: "unsupported", because: "kustomize: the base is broken" });
  expect(await ask(hanging)).toEqual({ kind: "unsupported", because: "kustomize: took too long" });
  expect(await ask(babbling)).toMatchObject({ kind: "unsupported", because: expect.stringContaining("output") });
  expect(readdirSync(scratch).filter((name) => name.startsWith("rectify-render-"))).toEqual([]);
});

test("remote bases, endless anchors and odd paths never reach the tool", async () => {
  const never = tool("never", `require("node:fs").writeFileSync(${JSON.stringify(join(scratch, "ran"))}, "");`);
  const ask = (more: Record<string, string | Uint8Array>) =>
    renderer({ kustomize: never }).render(treeOf({ ...files, ...more }), entry);
  const laughs = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
  for (let level = 1; level < 9; level += 1) laughs.push(`a${level}: &a${level} [${`*a${level - 1},`.repeat(10)}]`);
  const hostile: Record<string, string | Uint8Array>[] = [
    { "a/kustomization.yaml": "resources: ['http://localhost:1/x.yaml']\n" },
    { "a/kustomization.yaml": "transformers: ['https://example.org/x.yaml']\n" },
    { "a/web.yaml": laughs.join("\n") },
    { "a/web.yaml": new Uint8Array(20_000_000).fill(32) },
  ];
  for (const more of hostile) expect((await ask(more)).kind).toBe("unsupported");
  expect(existsSync(join(scratch, "ran"))).toBe(false);
});

test("the chart of an Application is templated with its values in order", async () => {
  const helm = tool(
    "helm",
    `const args = process.argv.slice(2);
    const values = args.flatMap((arg, index) => args[index - 1] === "--values" ? [fs.readFileSync(arg, "utf8").trim()] : []);
    const data = { args: args.slice(0, 2).concat(args.slice(3, 6)).join(" "), values: values.join(" | ") };
    console.log("---\\n# Source: x\\n" + JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "seen" }, data }));`,
  );
  const application = (source: string) =>
    `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nspec: {destination: {namespace: prod}, source: {repoURL: x, path: chart, ${source}}}\n`;
  const ask = (source: string) =>
    renderer({ helm, ...without }).render(
      treeOf({
        "chart/Chart.yaml": "name: web\n",
        "chart/crds/queue.yaml": "",
        "env/prod.yaml": "replicas: 2\n",
        "argo/web.yaml": application(source),
      }),
      { tool: "argocd", path: "chart", object: "Application argocd/web" },
    );
  expect(await ask("helm: {valueFiles: [../env/prod.yaml], valuesObject: {replicas: 3}}")).toMatchObject({
    with: "helm template",
    objects: [{ data: { args: "template web --namespace prod --include-crds", values: "replicas: 2 | replicas: 3" } }],
  });
  for (const source of [
    "helm: {valueFiles: [../../etc/passwd]}",
    "helm: {valueFiles: ['https://example.org/values.yaml']}",
    "helm: {releaseName: '--post-renderer=x'}",
    "helm: {fileParameters: [{name: a, path: b}]}",
    "plugin: {name: x}",
  ]) {
    expect((await ask(source)).kind, source).toBe("unsupported");
  }
});

const hasKubectl = (process.env.PATH ?? "")
  .split(delimiter)
  .some((directory) => existsSync(join(directory, "kubectl")));

test.skipIf(!hasKubectl)("kubectl and our subset agree, and Flux's own additions are part of both", async () => {
  const flux = `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a, namespace: flux-system}\nspec: {path: ./plain, sourceRef: {kind: GitRepository, name: r}, targetNamespace: prod, namePrefix: x-, patches: [{patch: '[{"op": "add", "path": "/spec/paused", "value": true}]', target: {kind: Deployment}}]}\n`;
  const tree = treeOf({ ...kustomizeCase(3), "plain/web.yaml": web, "clusters/c/a.yaml": flux });
  for (const asked of [
    { tool: "kustomize", path: "base" },
    { tool: "flux", path: "plain", object: "Kustomization flux-system/a" },
  ] as const) {
    const own = render(tree, asked);
    const theirs = await renderer({ kustomize: null }).render(tree, asked);
    if (own.kind === "unsupported" || theirs.kind === "unsupported") throw new Error(JSON.stringify([own, theirs]));
    expect(theirs.with).toMatch(/^kubectl \(kustomize v\d/);
    expect(changesBetween(own.objects, theirs.objects)).toEqual([]);
  }
});
