import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RenderedObject } from "../../src/domain/kubernetes/rendered.ts";
import { treeOf } from "../../src/domain/kubernetes/tree.ts";
import { render } from "../../src/manifests/render/render.ts";
import { parseYamlDocuments } from "../../src/manifests/yaml/yaml.ts";
import { isSecret } from "../../src/commands/setup/answers.ts";
import { Environment } from "../../src/settings/settings.ts";
import { scratchDirectory } from "../scratch.ts";
import { asTheBase } from "./chart-values.ts";

const where = spawnSync("bash", ["test/tools/build.sh", "--where", "helm"], { encoding: "utf8" });
const helm = where.stdout.trim();
const isThere = helm !== "" && existsSync(helm);
if (!isThere) {
  if (process.env.RECTIFY_NEEDS_HELM === "1") throw new Error("no helm: bash test/tools/build.sh helm");
  process.stderr.write("The chart is not compared: there is no helm (bash test/tools/build.sh helm).\n");
}

function templated(values: object, apis: readonly string[] = ["monitoring.coreos.com/v1"], namespace = "rectify") {
  const file = join(scratchDirectory(), "values.json");
  writeFileSync(file, JSON.stringify(values));
  const args = ["template", "any-name", "manifests/chart", "--namespace", namespace, "--values", file];
  args.push(...apis.flatMap((api) => ["--api-versions", api]));
  const { status, stdout, stderr } = spawnSync(helm, args, { encoding: "utf8" });
  return { status, stdout, stderr };
}

function objectsOf(values: object, apis?: readonly string[]): readonly RenderedObject[] {
  const { status, stdout, stderr } = templated(values, apis);
  if (status !== 0) throw new Error(stderr);
  const read = parseYamlDocuments(stdout);
  if (!read.ok) throw new Error(read.problem);
  return read.value.filter((object) => object != null) as RenderedObject[];
}

function baseObjects(): readonly RenderedObject[] {
  const files = readdirSync("manifests/rectify/base").map((name) => join("manifests/rectify/base", name));
  const tree = treeOf(Object.fromEntries(files.map((path) => [path, readFileSync(path, "utf8")])));
  const rendered = render(tree, { tool: "kustomize", path: "manifests/rectify/base" });
  if (rendered.kind !== "rendered") throw new Error(rendered.because);
  return rendered.objects;
}

function hookOf({ annotations }: RenderedObject["metadata"]): string | undefined {
  return (annotations as Record<string, string> | undefined)?.["helm.sh/hook"];
}

/** By kind and name; without the checksum by which the chart rolls out changed settings, and without hooks. */
function byName(objects: readonly RenderedObject[]): Record<string, unknown> {
  const plain = objects.filter(({ metadata }) => hookOf(metadata) === undefined);
  const copies = JSON.parse(JSON.stringify(plain)) as RenderedObject[];
  return Object.fromEntries(
    copies.map((object) => {
      const { spec } = object as unknown as { spec?: { template?: { metadata?: { annotations?: object } } } };
      const annotations = spec?.template?.metadata?.annotations as Record<string, string> | undefined;
      if (annotations !== undefined) delete annotations["checksum/settings"];
      return [`${object.kind} ${object.metadata.name}`, object];
    }),
  );
}

const kindsOf = (objects: readonly RenderedObject[]) => objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);

describe.skipIf(!isThere)("the chart", () => {
  test("and the Kustomize base render the same objects", () => {
    expect(byName(objectsOf(asTheBase))).toEqual(byName(baseObjects()));
  });

  test("leaves out what is switched off, and nothing of the mesh stays", () => {
    const off = { ...asTheBase, mesh: "none", monitoring: false, networkPolicy: { enabled: false }, replicas: 1 };
    const objects = objectsOf(off);
    expect(kindsOf(objects)).toEqual(expect.arrayContaining(["Deployment rectify", "ConfigMap rectify"]));
    expect(kindsOf(objects).join()).not.toMatch(
      /NetworkPolicy|ServiceMonitor|PrometheusRule|PodDisruptionBudget|Ingress/,
    );
    expect(JSON.stringify(objects)).not.toContain("linkerd");
  });

  test("can be installed where there is no Prometheus operator: the rest is all there", () => {
    const missing = kindsOf(objectsOf(asTheBase)).filter((kind) => !kindsOf(objectsOf(asTheBase, [])).includes(kind));
    expect(missing).toEqual(["PrometheusRule rectify", "ServiceMonitor rectify"]);
  });

  test("lets more through where it is told to, and is watched in its own namespace", () => {
    const more = { moreIngress: [{ ports: [{ port: 9096 }] }], moreEgress: [{ ports: [{ port: 3128 }] }] };
    const policy = objectsOf({ ...asTheBase, networkPolicy: { enabled: true, ...more } }).filter(
      ({ kind, metadata }) => kind === "NetworkPolicy" && metadata.name === "rectify",
    );
    expect(JSON.stringify(policy)).toMatch(/9096.*3128/);
    expect(templated(asTheBase, undefined, "ops").stdout).toContain(
      'absent(up{namespace="ops", service="rectify"} == 1)',
    );
  });

  test("leads an Ingress to the webhooks and to nothing else", () => {
    const ingress = { enabled: true, host: "rectify.example.com", tlsSecret: "rectify-tls" };
    const found = objectsOf({ ...asTheBase, ingress }).filter(({ kind }) => kind === "Ingress");
    expect(found).toHaveLength(1);
    expect(JSON.stringify(found)).toContain('"path":"/webhooks/github","pathType":"Exact"');
    expect(JSON.stringify(found)).not.toContain("9095");
  });

  test("rolls the processes out when a setting changes", () => {
    const sums = ["info", "debug"].map(
      (level) => /checksum\/settings: (\w+)/.exec(templated({ ...asTheBase, settings: { LEVEL: level } }).stdout)?.[1],
    );
    expect(sums[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(sums[0]).not.toBe(sums[1]);
  });

  test("takes what is secret from the Secret that is named, by the names of settings and as files", () => {
    const objects = objectsOf({ ...asTheBase, secrets: { sources: "tokens" } });
    const pod = JSON.stringify(objects.find(({ kind }) => kind === "Deployment"));
    expect(pod).toContain('{"secretRef":{"name":"tokens","optional":true}}');
    expect(pod).toContain('{"name":"sources","mountPath":"/etc/rectify/sources","readOnly":true}');
    expect(pod).not.toContain("rectify-sources");
  });

  // A tenant's header is a secret only for some.
  const secret = Object.keys(Environment.shape).filter((name) => isSecret(name) && !name.endsWith("_HEADERS"));
  test.each(secret)("refuses %s among the settings", (name) => {
    const { status, stderr } = templated({ ...asTheBase, settings: { [name]: "any" } });
    expect(status).not.toBe(0);
    expect(stderr).toContain(name);
  });

  test.each([
    ["no repository", {}, /repository/],
    ["a repository without an owner", { repository: "shop" }, /repository/],
    ["a value that nobody knows", { ...asTheBase, replica: 2 }, /replica/],
    [
      "a secret among the settings",
      { ...asTheBase, settings: { DATABASE_URL: "postgresql://u:p@h/d" } },
      /DATABASE_URL/,
    ],
    ["an Ingress without a host", { ...asTheBase, ingress: { enabled: true } }, /host/],
  ])("refuses %s by its schema", (_, values, words) => {
    const { status, stderr } = templated(values);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(words);
  });

  test("tests a release by a pod that no Service leads to", () => {
    const objects = objectsOf({ ...asTheBase, mesh: "none" });
    const hooks = objects.filter(({ metadata }) => hookOf(metadata) === "test");
    expect(kindsOf(hooks).sort()).toEqual(["NetworkPolicy rectify-test", "Pod rectify-test"]);
    expect(hooks.find(({ kind }) => kind === "Pod")?.metadata.labels).toEqual({ app: "rectify-test" });
  });
});
