import { expect, test } from "vitest";
import { changesBetween, effectOf, proofOf } from "../../../src/domain/kubernetes/effect.ts";
import type { Entry, WantedChange } from "../../../src/domain/kubernetes/manifest-edit.ts";
import type { Rendered, RenderedObject } from "../../../src/domain/kubernetes/rendered.ts";

const web = { kind: "Deployment", namespace: "shop", name: "web" };
const container = { name: "main", image: "ghcr.io/o/web:1.0", resources: { requests: { cpu: "100m" } } };

function deployment(spec: Record<string, unknown> = {}, name = "web"): RenderedObject {
  const template = { spec: { containers: [container] } };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "shop" },
    spec: { replicas: 2, template, ...spec },
  };
}

function autoscaler(spec: Record<string, unknown> = {}, target = "web"): RenderedObject {
  const scaleTargetRef = { kind: "Deployment", name: target };
  const metadata = { name: "any", namespace: "shop" };
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata,
    spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 4, ...spec },
  };
}

function release(values: Record<string, unknown>, extra: Record<string, unknown> = {}): RenderedObject {
  const metadata = { name: "web", namespace: "shop" };
  return { apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease", metadata, spec: { ...extra, values } };
}

const rendered = (...objects: RenderedObject[]): Rendered => ({ kind: "rendered", with: "a tool", objects });
const unsupported = (because = "a chart"): Rendered => ({ kind: "unsupported", because });
const toFive: WantedChange = { kind: "replicas", to: 5 };
const withMain = (change: Record<string, unknown>) =>
  deployment({ template: { spec: { containers: [{ ...container, ...change }] } } });

function prove(before: Rendered, after: Rendered, change: WantedChange = toFive) {
  return proofOf({ target: { before, after }, others: [], wanted: { workload: web, change } });
}

test("the changes name the field, with what was and what is", () => {
  expect(changesBetween([deployment()], [deployment({ replicas: 5 })])).toEqual([
    { object: { apiVersion: "apps/v1", ...web }, field: ["spec", "replicas"], from: 2, to: 5 },
  ]);
});

test.each<[string, unknown, unknown, unknown[]]>([
  ["a key that comes is undefined before", {}, { a: 1 }, [[["spec", "a"], undefined, 1]]],
  ["a null that comes is not nothing", {}, { a: null }, [[["spec", "a"], undefined, null]]],
  ["a map that comes is told field by field", {}, { a: { b: { c: 1 } } }, [[["spec", "a", "b", "c"], undefined, 1]]],
  ["an empty map that comes is a change", {}, { a: {} }, [[["spec", "a"], undefined, {}]]],
  ["a map that empties names the field that went", { a: { b: 1 } }, { a: {} }, [[["spec", "a", "b"], 1, undefined]]],
  [
    "list items go by index",
    { a: [1, 2] },
    { a: [1, 3, 4] },
    [
      [["spec", "a", 1], 2, 3],
      [["spec", "a", 2], undefined, 4],
    ],
  ],
  ["a number is not its text", { a: 1 }, { a: "1" }, [[["spec", "a"], 1, "1"]]],
  ["the order of keys says nothing", { a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, []],
])("%s", (_name, before, after, expected) => {
  const object = (spec: unknown): RenderedObject => ({ apiVersion: "v1", kind: "X", metadata: { name: "x" }, spec });
  const changes = changesBetween([object(before)], [object(after)]);
  expect(changes.map(({ field, from, to }) => [field, from, to])).toEqual(expected);
});

test("an object that comes or goes is one change of the whole object", () => {
  const added = changesBetween([], [deployment()]);
  expect(added).toMatchObject([{ field: [], from: undefined, to: { kind: "Deployment" } }]);
  expect(changesBetween([deployment()], [])).toMatchObject([
    { field: [], from: { kind: "Deployment" }, to: undefined },
  ]);
});

test("the effect's hash does not hang on the order of objects, but on every value", () => {
  const proof = { kind: "rendered", with: "a tool" } as const;
  const both = changesBetween(
    [deployment(), deployment({}, "api")],
    [deployment({ replicas: 3 }), deployment({ replicas: 4 }, "api")],
  );
  const hash = effectOf(both, proof).hash;
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(effectOf([...both].reverse(), { kind: "static", because: "another tool" }).hash).toBe(hash);
  for (const [index, change] of both.entries()) {
    expect(effectOf(both.with(index, { ...change, to: 9 }), proof).hash).not.toBe(hash);
    expect(effectOf(both.with(index, { ...change, from: undefined }), proof).hash).not.toBe(hash);
  }
  const [first] = both;
  if (first === undefined) throw new Error("no change");
  expect(effectOf([{ ...first, to: null }], proof).hash).not.toBe(effectOf([{ ...first, to: undefined }], proof).hash);
});

test.each<[string, RenderedObject, RenderedObject, WantedChange]>([
  ["replicas", deployment(), deployment({ replicas: 5 }), toFive],
  ["an autoscaler's bound", autoscaler(), autoscaler({ maxReplicas: 9 }), { kind: "hpa", field: "maxReplicas", to: 9 }],
  [
    "a request of a container",
    deployment(),
    withMain({ resources: { requests: { cpu: "200m" } } }),
    { kind: "resources", field: "requests.cpu", to: "200m" },
  ],
  [
    "a limit that was not there",
    deployment(),
    withMain({ resources: { requests: { cpu: "100m" }, limits: { memory: "1Gi" } } }),
    { kind: "resources", field: "limits.memory", to: "1Gi" },
  ],
  ["an image's tag", deployment(), withMain({ image: "ghcr.io/o/web:1.1" }), { kind: "image-tag", to: "1.1" }],
])("proven when exactly the wanted field changes: %s", (_name, before, after, change) => {
  const proof = prove(rendered(before), rendered(after), change);
  expect(proof).toMatchObject({ kind: "proven", effect: { proof: { kind: "rendered", with: "a tool" } } });
});

test("a ScaledObject without a kind scales a Deployment", () => {
  const scaled = (max: number): RenderedObject => ({
    apiVersion: "keda.sh/v1alpha1",
    kind: "ScaledObject",
    metadata: { name: "s", namespace: "shop" },
    spec: { scaleTargetRef: { name: "web" }, maxReplicaCount: max },
  });
  const change: WantedChange = { kind: "scaled-object", field: "maxReplicaCount", to: 7 };
  expect(prove(rendered(scaled(3)), rendered(scaled(7)), change)).toMatchObject({ kind: "proven" });
});

test.each<[string, RenderedObject[], RenderedObject[], WantedChange]>([
  ["nothing changes", [deployment()], [deployment()], toFive],
  ["the value is another one", [deployment()], [deployment({ replicas: 6 })], toFive],
  ["the value is a text", [deployment()], [deployment({ replicas: "5" })], toFive],
  ["another field changes too", [deployment()], [deployment({ replicas: 5, paused: true })], toFive],
  [
    "another object changes too",
    [deployment(), deployment({}, "api")],
    [deployment({ replicas: 5 }), deployment({ replicas: 5 }, "api")],
    toFive,
  ],
  ["an object goes", [deployment(), deployment({}, "api")], [deployment({ replicas: 5 })], toFive],
  ["only another workload changes", [deployment({}, "api")], [deployment({ replicas: 5 }, "api")], toFive],
  [
    "an autoscaler of another workload changes",
    [autoscaler({}, "api")],
    [autoscaler({ maxReplicas: 9 }, "api")],
    { kind: "hpa", field: "maxReplicas", to: 9 },
  ],
  [
    "the other bound changes",
    [autoscaler()],
    [autoscaler({ minReplicas: 9 })],
    { kind: "hpa", field: "maxReplicas", to: 9 },
  ],
  [
    "the image changes, not only its tag",
    [deployment()],
    [withMain({ image: "ghcr.io/x/web:1.1" })],
    { kind: "image-tag", to: "1.1" },
  ],
  [
    "a digest stays beside the tag",
    [deployment()],
    [withMain({ image: "ghcr.io/o/web:1.1@sha256:00" })],
    { kind: "image-tag", to: "1.1" },
  ],
  [
    "a tag takes the place of a digest",
    [withMain({ image: "ghcr.io/o/web:1.0@sha256:00" })],
    [withMain({ image: "ghcr.io/o/web:1.1" })],
    { kind: "image-tag", to: "1.1" },
  ],
  ["a chart's value of another meaning changes", [release({ port: 2 })], [release({ port: 5 })], toFive],
  ["two chart values change", [release({ replicaCount: 2, x: 1 })], [release({ replicaCount: 5, x: 2 })], toFive],
])("refused when %s", (_name, before, after, change) => {
  expect(prove(rendered(...before), rendered(...after), change)).toMatchObject({ kind: "refused" });
});

test("a workload of the same name in another namespace is not the wanted one", () => {
  const other = (replicas: number): RenderedObject => ({
    ...deployment({ replicas }),
    metadata: { name: "web", namespace: "staging" },
  });
  expect(prove(rendered(other(2)), rendered(other(5)))).toMatchObject({ kind: "refused" });
});

test("a chart's value is a static proof: the chart itself was not rendered", () => {
  const proof = prove(rendered(release({ replicaCount: 2 })), rendered(release({ replicaCount: 5 })));
  expect(proof).toMatchObject({ kind: "proven", effect: { proof: { kind: "static" } } });
});

const values = (text: string, name = "web-values"): RenderedObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "shop" },
  data: { "values.yaml": text },
});
const from = (name: string) => release({}, { valuesFrom: [{ kind: "ConfigMap", name }] });
const application = (replicas: number): RenderedObject => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "Application",
  metadata: { name: "web", namespace: "argocd" },
  spec: { destination: { namespace: "shop" }, source: { helm: { values: `a: 1\nreplicaCount: ${replicas} # x\n` } } },
});

test.each<[string, RenderedObject[], RenderedObject[], "proven" | "refused"]>([
  [
    "in a map of values",
    [values("replicaCount: 2\n"), from("web-values")],
    [values("replicaCount: 5\n"), from("web-values")],
    "proven",
  ],
  [
    "in a generated map, which gets a new name",
    [values("replicas: 2\n", "v-aaaaaaaaaa"), from("v-aaaaaaaaaa")],
    [values("replicas: 5\n", "v-bbbbbbbbbb"), from("v-bbbbbbbbbb")],
    "proven",
  ],
  ["in the text of an Application", [application(2)], [application(5)], "proven"],
  ["in a map that no release uses", [values("replicaCount: 2\n")], [values("replicaCount: 5\n")], "refused"],
  [
    "beside another one",
    [values("replicaCount: 2\na: 1\n"), from("web-values")],
    [values("replicaCount: 5\na: 2\n"), from("web-values")],
    "refused",
  ],
  [
    "under a key of another meaning",
    [values("port: 2\n"), from("web-values")],
    [values("port: 5\n"), from("web-values")],
    "refused",
  ],
  [
    "with another value",
    [values("replicaCount: 2\n"), from("web-values")],
    [values("replicaCount: 6\n"), from("web-values")],
    "refused",
  ],
  [
    "while the new map is one of another name",
    [values("replicas: 2\n", "v-aaaaaaaaaa"), from("v-aaaaaaaaaa")],
    [values("replicas: 5\n", "w-bbbbbbbbbb"), from("w-bbbbbbbbbb")],
    "refused",
  ],
])("a chart's value that changes %s", (_name, before, after, kind) => {
  const proof = prove(rendered(...before), rendered(...after));
  expect(proof).toMatchObject(kind === "proven" ? { kind, effect: { proof: { kind: "static" } } } : { kind });
});

test("what cannot be rendered on both sides is a static proof, on one side a refusal", () => {
  expect(prove(unsupported("a chart"), unsupported("a chart"))).toMatchObject({
    kind: "proven",
    effect: { proof: { kind: "static", because: "a chart" }, changes: [{ field: ["spec", "replicas"], to: 5 }] },
  });
  expect(prove(unsupported(), rendered(deployment({ replicas: 5 })))).toMatchObject({ kind: "refused" });
  expect(prove(rendered(deployment()), unsupported())).toMatchObject({ kind: "refused" });
});

const staging: Entry = { tool: "flux", path: "staging", object: "Kustomization flux-system/staging" };
const target: Entry = { tool: "flux", path: "./prod/", cluster: "live", object: "Kustomization flux-system/prod" };
const good = { before: rendered(deployment()), after: rendered(deployment({ replicas: 5 })) };

test.each<[string, Entry, { before: Rendered; after: Rendered }, object]>([
  [
    "unchanged, is proven",
    staging,
    { before: good.before, after: good.before },
    { kind: "proven", effect: { proof: { kind: "rendered" } } },
  ],
  [
    "changed, is refused by name",
    staging,
    good,
    { kind: "refused", because: expect.stringContaining("flux-system/staging") },
  ],
  ["broken by the edit, is refused", staging, { before: good.before, after: unsupported() }, { kind: "refused" }],
  [
    "never renderable, may change in any way",
    staging,
    { before: unsupported(), after: unsupported() },
    { kind: "refused" },
  ],
  [
    "of another tool for the same directory, is the same place",
    { tool: "argocd", path: "prod" },
    good,
    { kind: "proven", effect: { proof: { kind: "rendered" } } },
  ],
  [
    "of the same tool for the same directory, is another cluster",
    { tool: "flux", path: "prod" },
    good,
    { kind: "refused" },
  ],
  [
    "of another cluster for the same directory, is refused",
    { tool: "argocd", path: "prod", cluster: "eu" },
    good,
    { kind: "refused" },
  ],
])("another entry, %s", (_name, entry, sides, expected) => {
  const proof = proofOf({
    target: { ...good, entry: target },
    others: [{ entry, ...sides }],
    wanted: { workload: web, change: toFive },
  });
  expect(proof).toMatchObject(expected);
});

test.each<[string, Record<string, unknown>, Record<string, unknown>, WantedChange]>([
  [
    "a request above its limit",
    { resources: { requests: { cpu: "100m" }, limits: { cpu: "500m" } } },
    { resources: { requests: { cpu: "600m" }, limits: { cpu: "500m" } } },
    { kind: "resources", field: "requests.cpu", to: "600m" },
  ],
  [
    "a limit that comes below its request",
    { resources: { requests: { cpu: "100m" } } },
    { resources: { requests: { cpu: "100m" }, limits: { cpu: "50m" } } },
    { kind: "resources", field: "limits.cpu", to: "50m" },
  ],
])("%s is refused by what is rendered", (_name, before, after, change) => {
  expect(prove(rendered(withMain(before)), rendered(withMain(after)), change)).toMatchObject({
    kind: "refused",
    because: expect.stringMatching(/beside which the API refuses (?:600m|50m)$/) as string,
  });
});

test("bounds that cross are refused by what is rendered", () => {
  const after = rendered(deployment(), autoscaler({ minReplicas: 5 }));
  const change: WantedChange = { kind: "hpa", field: "minReplicas", to: 5 };
  expect(prove(rendered(deployment(), autoscaler()), after, change)).toMatchObject({ kind: "refused" });
});

test("what a chart draws each time is no change, where its own rendering shows the wanted one", () => {
  const drawn = (hash: string, spec: Record<string, unknown> = {}) =>
    deployment({ ...spec, template: { metadata: { annotations: { "checksum/secret": hash } } } });
  const [before, after] = [rendered(drawn("a")), rendered(drawn("b", { replicas: 5 }))];
  const object = { apiVersion: "apps/v1", ...web, namespace: "" };
  const changes = [{ object, field: ["spec", "replicas"], from: 2, to: 5 }];
  const field = ["spec", "template", "metadata", "annotations", "checksum/secret"];
  const proofWith = (byChance: readonly { object: typeof object; field: string[] }[]) =>
    proofOf({
      ...{ target: { before, after }, others: [], wanted: { workload: web, change: toFive } },
      shown: { with: "helm", changes, byChance },
    });
  expect(proofWith([{ object, field }])).toMatchObject({ kind: "proven", effect: { proof: { kind: "rendered" } } });
  expect(proofWith([{ object: { ...object, name: "api" }, field }])).toMatchObject({ kind: "refused" });
  expect(proofWith([])).toMatchObject({ kind: "refused" });
});
