import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { kyvernoEngine } from "../src/adapters/cli-tools/kyverno.ts";
import type { RenderedObject } from "../src/domain/kubernetes/rendered.ts";
import { treeOf } from "../src/domain/kubernetes/tree.ts";
import { entriesOf } from "../src/manifests/gitops/entries.ts";
import { render } from "../src/manifests/render/render.ts";
import { parseYaml, parseYamlDocuments } from "../src/manifests/yaml/yaml.ts";
import { parseSettings } from "../src/settings/settings.ts";
import { ourPolicies, realKyverno } from "./policies.ts";

const root = join(import.meta.dirname, "..");
const kyverno = await realKyverno();
const tree = treeOf(
  Object.fromEntries(
    readdirSync(join(root, "manifests"), { recursive: true, withFileTypes: true })
      .filter((item) => item.isFile() && !item.parentPath.endsWith("/argocd"))
      .map((item) => join(item.parentPath, item.name))
      .map((path) => [path.slice(root.length + 1), readFileSync(path, "utf8")]),
  ),
);
const places = [
  "rectify/overlays/production",
  "ollama/overlays/cpu",
  "ollama/overlays/gpu",
  "alertmanager",
  "loki",
  "otel",
  "linkerd",
  "kyverno",
].map((path) => `manifests/${path}`);

function objectsOf(path: string): readonly RenderedObject[] {
  const rendered = render(tree, { tool: "kustomize", path });
  if (rendered.kind !== "rendered") throw new Error(`${path}: ${rendered.because}`);
  return rendered.objects;
}

function objectOf(kind: string, name: string): Record<string, unknown> {
  const found = places.flatMap(objectsOf).find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found as unknown as Record<string, unknown>;
}

/** The object as text, in which a field is looked for. */
const textOf = (kind: string, name: string) => JSON.stringify(objectOf(kind, name));

test("every entry of the repository renders, and none of the control plane shares a file with the shop", () => {
  const entries = entriesOf(tree);
  for (const path of places) expect(entries.map((entry) => entry.path)).toContain(path);
  for (const entry of entries) expect({ entry, ...render(tree, entry) }).toMatchObject({ kind: "rendered" });
  const touching = places.filter(
    (path) => path.startsWith("manifests/shop") || path.startsWith("manifests/monitoring"),
  );
  expect(touching).toEqual([]);
  const text = places.map((path) => JSON.stringify(objectsOf(path))).join("");
  expect(text).not.toContain("shop-production");
});

test.each(places)("%s: pods are restricted, probed and bounded, and no object holds a secret", (path) => {
  for (const object of objectsOf(path)) {
    expect(object.kind).not.toBe("Secret");
    const spec = (object as { spec?: { template?: { spec?: unknown } } }).spec?.template?.spec as
      | { securityContext: object; containers: Record<string, unknown>[] }
      | undefined;
    if (spec === undefined) continue;
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    for (const container of spec.containers) {
      expect(container).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        resources: { requests: { cpu: expect.anything() }, limits: { memory: expect.anything() } },
      });
      if (object.kind === "Deployment") {
        expect(container).toMatchObject({ livenessProbe: expect.anything(), readinessProbe: expect.anything() });
      }
    }
  }
});

test("Rectify may read what it needs and write nothing; it reads no Secret", () => {
  const { rules } = objectOf("ClusterRole", "rectify-reader") as { rules: { verbs: string[]; resources: string[] }[] };
  expect([...new Set(rules.flatMap(({ verbs }) => verbs))].sort()).toEqual(["get", "list"]);
  expect(rules.flatMap(({ resources }) => resources)).not.toContain("secrets");
  expect(rules.flatMap(({ resources }) => resources)).not.toContain("*");
});

test("neither a drain nor an upgrade stops the last process", () => {
  const { spec } = objectOf("Deployment", "rectify") as { spec: Record<string, unknown> };
  expect(spec).toMatchObject({
    replicas: 2,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  });
  expect(objectOf("PodDisruptionBudget", "rectify")).toMatchObject({
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: "rectify" } } },
  });
});

test("the settings that the manifests give are complete", () => {
  const { data } = objectOf("ConfigMap", "rectify") as { data: Record<string, string> };
  const deployment = objectOf("Deployment", "rectify") as {
    spec: { template: { spec: { containers: { env: { name: string; value?: string }[] }[] } } };
  };
  const env = deployment.spec.template.spec.containers[0]?.env ?? [];
  const secrets: Record<string, string> = {
    ...{ APP_ID: "1", WEBHOOK_SECRET: "x".repeat(32), ALERTS_TOKEN: "x".repeat(32) },
    DATABASE_URL: "postgresql://rectify@postgres/rectify",
  };
  const given = Object.fromEntries(env.map(({ name, value }) => [name, value ?? secrets[name]]));
  const settings = parseSettings({ ...data, ...given }, () => "-----BEGIN PRIVATE KEY-----");
  expect(settings.ok ? [] : settings.problems).toEqual([]);
});

test("the probes, the monitor, the route and the mesh meet at the internal port", () => {
  expect(textOf("Deployment", "rectify")).toContain('"httpGet":{"path":"/readyz","port":"internal"}');
  expect(textOf("Service", "rectify")).toContain('"port":9095');
  expect(textOf("ServiceMonitor", "rectify")).toContain('"path":"/metrics"');
  expect(textOf("AlertmanagerConfig", "rectify")).toContain('"url":"http://rectify.rectify.svc:9095/alerts"');
  expect(textOf("Server", "rectify-internal")).toContain('"port":"internal"');
});

test("the configurations inside of ConfigMaps are YAML", () => {
  for (const [name, file] of [
    ["loki", "loki.yaml"],
    ["otel-collector", "collector.yaml"],
  ] as const) {
    const { data } = objectOf("ConfigMap", name) as { data: Record<string, string> };
    expect(parseYaml(data[file] ?? "")).toMatchObject({ ok: true });
  }
});

test("the GPU overlay adds the GPU and the adapter, the CPU overlay neither", () => {
  const deployed = (path: string) => JSON.stringify(objectsOf(path).find(({ kind }) => kind === "Deployment"));
  expect(deployed("manifests/ollama/overlays/gpu")).toContain('"nvidia.com/gpu":"1"');
  expect(deployed("manifests/ollama/overlays/gpu")).toContain('"mountPath":"/adapter"');
  expect(deployed("manifests/ollama/overlays/cpu")).not.toMatch(/nvidia|adapter/);
});

test("Argo CD and Flux are told the same paths", () => {
  const flux = entriesOf(tree).filter(({ object }) => object?.startsWith("Kustomization") === true);
  const argo = parseYamlDocuments(readFileSync(join(root, "manifests/argocd/control-plane.yaml"), "utf8"));
  if (!argo.ok) throw new Error(argo.problem);
  const paths = (argo.value as { spec: { source: { path: string } } }[]).map(({ spec }) => spec.source.path);
  const ours = flux.map(({ path }) => path).filter((path) => path !== null && places.includes(path));
  expect(paths.sort()).toEqual(ours.filter((path) => path !== "manifests/kyverno").sort());
});

test.skipIf(kyverno.kind === "absent")("the policies pass every object of the control plane", async () => {
  const path = kyverno.kind === "found" ? kyverno.path : "";
  const engine = kyvernoEngine({ path, toolsDirectory: "", searchPath: "", timeoutMs: 60_000 });
  const objects = places.filter((place) => !place.endsWith("cpu")).flatMap(objectsOf);
  const verdict = await engine.judge({ files: ourPolicies(), objects });
  expect(verdict).toMatchObject({ kind: "passed" });
});
