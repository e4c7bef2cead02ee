import { describe, expect, test } from "vitest";
import type { Entry, WantedChange } from "../../../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf } from "../../../../src/domain/kubernetes/tree.ts";
import { answerQuestion } from "../../../../src/manifests/locate/answer.ts";
import { render } from "../../../../src/manifests/render/render.ts";

/** Where a value that several environments share is written for one of them. */
const deployment = (name = "web", namespace = "shop") => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  replicas: 2
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: web, image: "web:1", resources: {}}]}
`;

type Files = Readonly<Record<string, string>>;
const two = (text: string): Files => ({
  "overlays/prod/kustomization.yaml": text,
  "overlays/stage/kustomization.yaml": text,
});
const base: Files = { "base/kustomization.yaml": "resources: [d.yaml]\n", "base/d.yaml": deployment() };
const onBase = "resources: [../../base]\n";

const replicas: WantedChange = { kind: "replicas", to: 5 };
const memory: WantedChange = { kind: "resources", field: "limits.memory", to: "777Mi" };
const tag: WantedChange = { kind: "image-tag", to: "9" };

interface Asked {
  readonly change?: WantedChange;
  readonly name?: string;
  readonly entry?: Entry;
  readonly links?: Files;
}

const prod: Entry = { tool: "kustomize", path: "overlays/prod" };

async function ask(files: Files, { change = replicas, name = "web", entry = prod, links = {} }: Asked = {}) {
  const workload = { kind: "Deployment", namespace: "shop", name, container: "web" };
  const answer = await answerQuestion(treeOf(files, links), { workload, change, entry }, async (tree, one) =>
    render(tree, one),
  );
  if (answer.kind === "refused") return `${answer.reason}: ${answer.because}`;
  const { proof } = answer.effect;
  const [file] = answer.files;
  return { proof: proof.kind === "static" ? proof.because : "rendered", path: file?.path, after: file?.after };
}

const proved = (path: string, text: string) => ({
  proof: "rendered",
  path,
  after: expect.stringContaining(text) as string,
});
const overlay = "overlays/prod/kustomization.yaml";

describe("a list of the overlay that says nothing yet", () => {
  test.each<[string, WantedChange, string]>([
    ["replicas: []\n", replicas, "replicas:\n  - name: web\n    count: 5\n"],
    ["replicas:\n", replicas, "replicas:\n  - name: web\n    count: 5\n"],
    ["images: []\n", tag, 'images:\n  - name: web\n    newTag: "9"\n'],
    ["patches: []\nnamespace: shop\n", memory, "patches:\n  - target:\n      kind: Deployment\n"],
    ["patches:\n# nothing\n", memory, "patches:\n  - target:\n      kind: Deployment\n"],
    ["replicas: [{name: api, count: 1}]\n", replicas, "[{name: api, count: 1}, {name: web, count: 5}]"],
  ])("%j", async (list, change, after) => {
    const more = { "base/api.yaml": deployment("api") };
    const both = { "base/kustomization.yaml": "resources: [d.yaml, api.yaml]\n" };
    const files = list.includes("api") ? { ...base, ...more, ...both } : base;
    expect(await ask({ ...files, ...two(onBase + list) }, { change })).toEqual(proved(overlay, after));
  });

  test("a patch in a flow list is a text of JSON", async () => {
    const patch = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"paused":false}}`;
    const files = { ...base, ...two(`${onBase}patches: [{patch: '${patch}'}]\n`) };
    const answer = await ask(files, { change: memory });
    expect(answer).toEqual(
      proved(overlay, `, {target: {kind: Deployment, name: web}, patch: '[{"op":"add","path":"/spec/template`),
    );
  });
});

describe("an object that shares its name", () => {
  const both = "resources: [d.yaml, e.yaml]\n";

  test("with one of another namespace is patched by name and namespace", async () => {
    const other = { ...base, "base/e.yaml": deployment("web", "other"), "base/kustomization.yaml": both };
    const answer = await ask({ ...other, ...two(onBase) });
    expect(answer).toEqual(proved(overlay, "name: web\n      namespace: shop\n"));
  });

  test("with its twin of another prefix goes by its current name", async () => {
    const twins = {
      "a/kustomization.yaml": "resources: [../base]\nnamePrefix: a-\n",
      "b/kustomization.yaml": "resources: [../base]\nnamePrefix: b-\n",
    };
    const answer = await ask({ ...base, ...twins, ...two("resources: [../../a, ../../b]\n") }, { name: "a-web" });
    expect(answer).toEqual(proved(overlay, "replicas:\n  - name: a-web\n    count: 5\n"));
  });

  test("with a twin that had the same name and namespace is patched on its own way", async () => {
    const files = {
      ...base,
      "overlays/prod/a/kustomization.yaml": "resources: [../../../base]\nnamespace: shop\n",
      "overlays/prod/b/kustomization.yaml": "resources: [../../../base]\nnamespace: other\n",
      [overlay]: "resources: [a, b]\n",
    };
    const answer = await ask(files, { change: memory });
    expect(answer).toEqual(proved("overlays/prod/a/kustomization.yaml", "patches:\n"));
  });

  test("below an overlay with a prefix of its own keeps to the first name", async () => {
    const answer = await ask({ ...base, ...two(`${onBase}namePrefix: x-\n`) }, { name: "x-web", change: memory });
    expect(answer).toEqual(proved(overlay, "kind: Deployment\n      name: web\n"));
  });
});

test("the older key for patches takes what must come after them", async () => {
  const add = `patchesJson6902:\n  - target: {group: apps, version: v1, kind: Deployment, name: web}\n    patch: |-\n      - op: add\n        path: /spec/template/spec/containers/0\n        value: {name: side, image: side:1}\n`;
  const answer = await ask({ ...base, ...two(onBase + add) }, { change: memory });
  expect(answer).toEqual(proved(overlay, "path: /spec/template/spec/containers/1/resources/limits\n"));
  const elsewhere = add.replace("name: web", "name: api");
  const other = {
    ...base,
    "base/api.yaml": deployment("api"),
    "base/kustomization.yaml": "resources: [d.yaml, api.yaml]\n",
  };
  expect(await ask({ ...other, ...two(onBase + elsewhere) }, { change: memory })).toEqual(
    proved(overlay, "\npatches:\n"),
  );
});

describe("a second name of the application by a symbolic link", () => {
  const files = Object.fromEntries(
    Object.entries({ ...base, ...two(onBase) }).map(([path, text]) => [`app/${path}`, text]),
  );
  const entry: Entry = { tool: "kustomize", path: "app/overlays/prod" };

  test("is no other environment where the link leads above several", async () => {
    expect(await ask(files, { entry, links: { alias: "app" } })).toEqual(proved(`app/${overlay}`, "count: 5"));
  });

  test("is one where it leads to one, or above one", async () => {
    const alone = Object.fromEntries(Object.entries(files).filter(([path]) => !path.includes("stage")));
    expect(await ask(files, { entry, links: { "app/overlays/eu": "prod" } })).toMatch(/^shared-source: .*eu|also/);
    expect(await ask(alone, { entry, links: { alias: "app" } })).toMatch(/^shared-source: .*alias/);
  });
});

const kustomization = (name: string, path: string, more = "") =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: ${name}, namespace: flux-system}\nspec:\n  path: ./${path}\n  sourceRef: {kind: GitRepository, name: flux-system}\n${more}`;
const cluster = (name: string, more = ""): Files => ({
  [`clusters/${name}/flux-system/sync.yaml`]: kustomization("flux-system", `clusters/${name}`),
  [`clusters/${name}/web.yaml`]: kustomization("web", "base", more),
});
const own = "clusters/prod/web.yaml";
const fluxEntry: Entry = { tool: "flux", path: "base", object: "Kustomization flux-system/web", cluster: "prod" };

describe("a path that two Flux Kustomizations deploy", () => {
  const filled = {
    ...base,
    "base/d.yaml": deployment().replace("replicas: 2", "replicas: ${n:=2}").replace("web:1", "web:${tag}"),
  };
  const variables = `  postBuild: {substitute: {n: "3", tag: v1}}\n`;

  test.each<[string, WantedChange, string]>([
    ["a count", replicas, 'n: "5"'],
    ["the tag of an image", tag, 'tag: "9"'],
  ])("a variable of one is its own: %s", async (_name, change, after) => {
    const files = { ...filled, ...cluster("prod", variables), ...cluster("stage", variables) };
    expect(await ask(files, { change, entry: fluxEntry })).toEqual(proved(own, after));
  });

  test("a variable that holds the whole image gets the tag", async () => {
    const whole = { ...base, "base/d.yaml": deployment().replace("web:1", "${image}") };
    const image = "  postBuild: {substitute: {image: reg/web:1}}\n";
    const files = { ...whole, ...cluster("prod", image), ...cluster("stage", image) };
    expect(await ask(files, { change: tag, entry: fluxEntry })).toEqual(proved(own, "image: reg/web:9"));
  });

  test("which of two equal ones is meant must be known", async () => {
    const files = { ...filled, ...cluster("prod", variables), ...cluster("stage", variables) };
    const { cluster: _cluster, ...entry } = fluxEntry;
    expect(await ask(files, { entry })).toMatch(/^shared-source: .*set for Kustomization web/);
    const elsewhere = await ask({ ...base, ...cluster("prod"), ...cluster("stage") }, { entry });
    expect(elsewhere).toMatch(/^shared-source/);
  });

  test("an object that two clusters take is of both", async () => {
    const files = {
      ...filled,
      "shared/web.yaml": kustomization("web", "base", variables),
      "shared/kustomization.yaml": "resources: [web.yaml]\n",
      "clusters/prod/kustomization.yaml": "resources: [../../shared]\n",
      "clusters/stage/kustomization.yaml": "resources: [../../shared]\n",
    };
    const { cluster: _cluster, ...entry } = fluxEntry;
    expect(await ask(files, { entry })).toMatch(/^shared-source: .*set for clusters\//);
  });

  test("its own patch is changed in its place", async () => {
    const patch = `  patches:\n    - target: {kind: Deployment, name: web}\n      patch: |\n        - op: replace\n          path: /spec/replicas\n          value: 3\n`;
    const files = { ...base, ...cluster("prod", patch), ...cluster("stage", patch) };
    expect(await ask(files, { entry: fluxEntry })).toEqual(proved(own, "value: 5\n"));
  });

  test.each<[string, WantedChange, string]>([
    ["a count", replicas, "value: 5"],
    ["a limit", memory, "memory: 777Mi"],
    ["a tag", tag, '  images:\n    - name: web\n      newTag: "9"\n'],
  ])("what none of them says goes into the object: %s", async (_name, change, after) => {
    const files = { ...base, ...cluster("prod"), ...cluster("stage") };
    expect(await ask(files, { change, entry: fluxEntry })).toEqual(proved(own, after));
  });

  test("one that nothing here applies gets nothing", async () => {
    const files = Object.fromEntries(
      Object.entries({ ...base, ...cluster("prod"), ...cluster("stage") }).filter(
        ([path]) => !path.endsWith("sync.yaml"),
      ),
    );
    expect(await ask(files, { entry: fluxEntry })).toMatch(/^shared-source/);
  });
});

describe("a path that two Applications deploy", () => {
  const application = (name: string, path: string, more = "") =>
    `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: ${name}, namespace: argocd}\nspec:\n  destination: {server: "https://${name}.example", namespace: shop}\n  source:\n    repoURL: https://git.example/fleet.git\n    path: ${path}\n${more}`;
  const entry: Entry = { tool: "argocd", path: "base", object: "Application argocd/prod" };
  const fleet = (more = ""): Files => ({
    ...base,
    "root.yaml": application("root", "argo"),
    "argo/prod.yaml": application("prod", "base", more),
    "argo/stage.yaml": application("stage", "base", more),
  });

  test("what one of them says is its own", async () => {
    const more = `    kustomize:\n      images: ["web:3"]\n      replicas: [{name: web, count: 3}]\n`;
    expect(await ask(fleet(more), { entry })).toEqual(proved("argo/prod.yaml", "count: 5"));
    expect(await ask(fleet(more), { entry, change: tag })).toEqual(proved("argo/prod.yaml", "web:9"));
  });

  test.each<[string, WantedChange, string]>([
    ["a count", replicas, "    kustomize:\n      replicas:\n        - name: web\n          count: 5\n"],
    ["a limit", memory, "    kustomize:\n      patches:\n        - target:\n"],
    ["a tag", tag, "    kustomize:\n      images:\n        - web:9\n"],
  ])("what none of them says goes into the object: %s", async (_name, change, after) => {
    expect(await ask(fleet(), { change, entry })).toEqual(proved("argo/prod.yaml", after));
  });

  test("a plain directory has no options for that", async () => {
    const { "base/kustomization.yaml": _gone, ...plain } = fleet();
    expect(await ask(plain, { entry })).toMatch(/^shared-source/);
  });

  test("an object of a set of clusters is of all of them", async () => {
    const set = `apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: root, namespace: argocd}\nspec:\n  generators: [{clusters: {}}]\n  template:\n    metadata: {name: "{{name}}"}\n    spec:\n      source: {repoURL: https://git.example/fleet.git, path: argo}\n`;
    expect(await ask({ ...fleet(), "root.yaml": set }, { entry })).toMatch(/^shared-source/);
  });
});
