import { describe, expect, test } from "vitest";
import type { Entry, WantedChange } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { readObject } from "../../../src/domain/kubernetes/rendered.ts";
import { type Tree, treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { plainPath } from "../../../src/manifests/gitops/controllers.ts";
import { entriesOf } from "../../../src/manifests/gitops/entries.ts";
import { answerQuestion } from "../../../src/manifests/locate/answer.ts";
import { render } from "../../../src/manifests/render/render.ts";
import { readKubeYaml } from "../../../src/manifests/yaml/kube-yaml.ts";

/** Who else reads the file of a workload, where no plain reference and no plain deployer says so. */
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {spec: {containers: [{name: web, image: web:1}]}}
`;
const application = (name: string, path: string, more = "") =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: ${name}, namespace: argocd}\nspec:\n  source: {repoURL: https://github.com/acme/fleet, path: ${path}${more}}\n  destination: {server: here, namespace: ${name}}\n`;
const kustomization = (name: string, path: string, more = "") =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: ${name}, namespace: flux-system}\nspec:\n  path: ${path}\n  sourceRef: {kind: GitRepository, name: flux-system}\n${more}`;
const repository = `apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {url: "ssh://git@github.com/acme/fleet.git"}\n`;
const base = { "apps/web/kustomization.yaml": "resources: [d.yaml]\n", "apps/web/d.yaml": deployment };
const byArgo = { ...base, "argo/web.yaml": application("web", "apps/web") };
const byFlux = {
  ...base,
  "clusters/prod/gr.yaml": repository,
  "clusters/prod/web.yaml": kustomization("web", "./apps/web"),
};

interface Asked {
  readonly tool?: Entry["tool"];
  readonly addresses?: readonly string[];
  /** What charts make, by their directory: no Helm runs here. */
  readonly charts?: Readonly<Record<string, string>>;
  readonly change?: WantedChange;
}

async function ask(
  files: Record<string, string>,
  { tool = "argocd", addresses, charts = {}, change = { kind: "replicas", to: 4 } }: Asked = {},
) {
  const tree: Tree = { ...treeOf(files), ...(addresses ? { addresses } : {}) };
  const object = tool === "argocd" ? "Application argocd/web" : "Kustomization flux-system/web";
  const question = {
    workload: { kind: "Deployment", namespace: "shop", name: "web" },
    change,
    entry: tool === "kustomize" ? { tool, path: "apps/web" } : { tool, path: "apps/web", object },
  };
  return answerQuestion(tree, question, (at, entry) => {
    const made = charts[entry.path ?? ""];
    if (made === undefined) return Promise.resolve(render(at, entry));
    const documents = readKubeYaml(made);
    const objects = (documents.ok ? documents.value : []).flatMap((one) => readObject(one) ?? []);
    return Promise.resolve({ kind: "rendered", with: "a stand-in for helm", objects });
  });
}
const flux: Asked = { tool: "flux" };
const proved = { kind: "edit", effect: { proof: { kind: "rendered" } } };
const shared = { kind: "refused", reason: "shared-source" };
const argued = (because: RegExp) => ({
  kind: "edit",
  effect: { proof: { kind: "static", because: expect.stringMatching(because) as string } },
});

test.each([
  ["nobody else", byArgo, {}],
  ["nobody else, by Flux", byFlux, flux],
])("%s reads it: the edit is proved", async (_name, files, asked) => {
  expect(await ask(files, asked)).toMatchObject(proved);
});

test.each([
  "https://github.com/acme/fleet//apps/web?ref=main",
  "https://github.com/acme/fleet.git//apps/web",
  "github.com/acme/fleet/apps/web?ref=main",
  "git@github.com:acme/fleet.git//apps/web?ref=main",
  "ssh://git@github.com/acme/fleet//apps/web?ref=main&timeout=90s",
  "git::https://github.com/acme/fleet.git//apps/web?ref=main",
])("staging that builds on %s is a reader", async (url) => {
  const stage = { "apps/stage/kustomization.yaml": `resources:\n  - ${url}\n` };
  expect(await ask({ ...byArgo, ...stage, "argo/stage.yaml": application("stage", "apps/stage") })).toMatchObject(
    shared,
  );
  expect(await ask({ ...byFlux, ...stage }, flux)).toMatchObject(shared);
});

test.each([
  ["a tag", "https://github.com/acme/fleet//apps/web?ref=v1.2.0"],
  ["a commit", `https://github.com/acme/fleet//apps/web?ref=${"a1".repeat(20)}`],
  ["another repository", "https://github.com/acme/platform//apps/web?ref=main"],
  ["another place", "https://github.com/acme/fleet//apps/api?ref=main"],
])("%s is no reader", async (_name, url) => {
  const stage = { "apps/stage/kustomization.yaml": `resources:\n  - ${url}\n` };
  expect(await ask({ ...byArgo, ...stage })).toMatchObject(proved);
});

const above = JSON.parse(
  '{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"all","namespace":"argocd"}}',
) as Record<string, unknown>;
const whole = JSON.stringify({
  ...above,
  spec: {
    source: { repoURL: "https://github.com/acme/fleet", path: "plain", directory: { recurse: true } },
    destination: { server: "stage", namespace: "shop" },
  },
});
test.each([
  ["in a file of JSON", "argo/all.json", whole],
  ["in a List", "argo/all.yaml", `apiVersion: v1\nkind: List\nitems:\n  - ${whole}\n`],
  ["in a list of its own kind", "argo/all.yaml", `kind: ApplicationList\nitems: [${whole}]\n`],
  ["beside what tools read differently", "argo/all.yaml", `${whole}\n---\nkind: Note\nsince: 2024-01-01\n`],
  ["below a directive", "argo/all.yaml", `%YAML 1.1\n---\n${whole}\n`],
])("an Application that reads a directory above is a reader also %s", async (_name, file, text) => {
  const files = { "apps/web/d.yaml": deployment, "argo/web.yaml": application("web", "apps/web") };
  expect(await ask({ ...files, [file]: text })).toMatchObject(proved);
  expect(await ask({ ...files, [file]: text.replace('"plain"', '"apps"') })).toMatchObject({
    kind: "refused",
    because: expect.stringContaining("also changes Application argocd/all") as string,
  });
});

describe("a component that a deployer itself adds", () => {
  const part =
    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n  - target: {kind: Deployment}\n    patch: |-\n      - {op: replace, path: /spec/replicas, value: 3}\n";
  const files = {
    ...base,
    "parts/three/kustomization.yaml": part,
    "apps/stage/kustomization.yaml": "resources: [../web]\n",
    "clusters/prod/gr.yaml": repository,
    "clusters/prod/web.yaml": kustomization("web", "./apps/web", "  components: [../../parts/three]\n"),
  };
  const byBoth = kustomization("stage", "./apps/stage", "  components: [../../parts/three]\n");

  test("is edited where nobody else adds it", async () => {
    const answer = await ask({ ...files, "clusters/prod/stage.yaml": kustomization("stage", "./apps/stage") }, flux);
    expect(answer).toMatchObject({ ...proved, files: [{ path: "parts/three/kustomization.yaml" }] });
  });

  test("is nothing of this environment alone where another one adds it too", async () => {
    const answer = await ask({ ...files, "clusters/prod/stage.yaml": byBoth }, flux);
    expect(answer).toMatchObject({ kind: "refused", because: expect.stringMatching(/stage/) as string });
  });

  test("is no entry of its own", () => {
    expect(entriesOf(treeOf(files)).map(({ path }) => path)).toEqual(["./apps/web", "apps/stage"].map(plainPath));
  });
});

test("a raw file of this repository is a reference, and the overlay of the entry gets the edit", async () => {
  const url = "https://raw.githubusercontent.com/acme/fleet/refs/heads/main/apps/web/d.yaml";
  const answer = await ask({ ...byArgo, "apps/stage/kustomization.yaml": `resources: ["${url}"]\n` });
  expect(answer).toMatchObject({ ...proved, files: [{ path: "apps/web/kustomization.yaml" }] });
});

test("where nobody says this repository's address, Git's remotes decide, else there is no proof", async () => {
  const stage = {
    "apps/stage/kustomization.yaml": "resources: ['https://git.example/acme/fleet//apps/web?ref=main']\n",
  };
  const bare: Asked = { tool: "kustomize" };
  const own = { ...bare, addresses: ["git@git.example:acme/fleet.git"] };
  const other = { ...bare, addresses: ["https://git.example/acme/other.git"] };
  expect(await ask({ ...base, ...stage }, own)).toMatchObject(shared);
  expect(await ask({ ...base, ...stage }, other)).toMatchObject(proved);
  expect(await ask({ ...base, ...stage }, bare)).toMatchObject(
    argued(/^apps\/stage, which takes https:.*perhaps means/),
  );
});

const chart = {
  "root/Chart.yaml": "apiVersion: v2\nname: root\nversion: 1.0.0\n",
  "root/values.yaml": "apps: [web]\n",
  "root/templates/apps.yaml": `{{ range .Values.apps }}\n---\n${application("{{ . }}-stage", "apps/{{ . }}")}{{ end }}\n`,
};

test("an Application that a chart of applications makes is a reader", async () => {
  const files = { ...byArgo, ...chart, "argo/root.yaml": application("root", "root") };
  const makes = (made: string) => ({ charts: { root: made } });
  expect(await ask(files, makes(application("web-stage", "apps/web")))).toMatchObject(shared);
  expect(await ask(files, makes(application("api-stage", "apps/api")))).toMatchObject(proved);
});

test("a chart of applications that nobody could render leaves no proof of what it may deploy", async () => {
  const because = /^what the chart root makes may read it as well/;
  expect(await ask({ ...byArgo, ...chart, "argo/root.yaml": application("root", "root") })).toMatchObject(
    argued(because),
  );
  expect(await ask({ ...byArgo, ...chart })).toMatchObject(argued(because));
  const workflow = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: {path: {{ .Values.path }}}\n";
  expect(await ask({ ...byArgo, ...chart, "root/templates/apps.yaml": workflow })).toMatchObject(proved);
  const elsewhere = { ...chart, "root/templates/apps.yaml": application("{{ . }}", "other/{{ . }}") };
  expect(await ask({ ...byArgo, ...elsewhere })).toMatchObject(proved);
});

test.each([
  ["that is not here", "{deps: envs/prod/deps}", "{{ .Values.app.deps | quote }}", true],
  ["of a loop that is not here", "{deps: [{overlay: envs/prod}]}", "{{ .overlay }}", true],
  ["that is this one", "{deps: apps/web}", '{{ required "deps" .Values.app.deps }}', false],
  ["that nobody says", "{other: envs/prod/deps}", "{{ .Values.app.deps }}", false],
  ["of an index", "{deps: envs/prod/deps}", '{{ index .Values.app "deps" }}', false],
])("a place that a chart's values say, %s", async (_name, app, path, isProved) => {
  const files = { ...chart, "root/values.yaml": `app: ${app}\n`, "root/templates/apps.yaml": application("a", path) };
  const because = /^what the chart root makes may read it as well/;
  expect(await ask({ ...byArgo, ...files })).toMatchObject(isProved ? proved : argued(because));
});

test.each([
  ["once", (app: string) => `{{ if .Values.apps }}\n${app}{{ end }}\n`, proved],
  [
    "for each of a list",
    (app: string) => `{{ range .Values.apps }}\n${app}{{ end }}\n`,
    argued(/^what the chart root/),
  ],
  ["after a list", (app: string) => `{{ range .Values.apps }}{{ if . }}{{ end }}{{ end }}\n${app}`, proved],
])("a chart that deploys a place %s, asked for by its place", async (_name, around, expected) => {
  const made = application("a", "'{{ .path | default \"apps/web\" }}'");
  const files = { ...chart, "root/values.yaml": "apps: [{name: a}]\n", "root/templates/apps.yaml": around(made) };
  expect(await ask({ ...base, ...files }, { tool: "kustomize" })).toMatchObject(expected);
});

test.each([
  ["another place", "apps/api", proved],
  ["this place", "apps/web", argued(/^what the chart of Application apps \(argo\/apps\.yaml\) makes/)],
])("values of a chart from elsewhere that deploy %s", async (_name, path, expected) => {
  const apps = `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: apps, namespace: argocd}\nspec:\n  source:\n    repoURL: https://argoproj.github.io/argo-helm\n    chart: argocd-apps\n    helm:\n      valuesObject:\n        applications:\n          stage:\n            source: {repoURL: https://github.com/acme/fleet, path: ${path}}\n`;
  expect(await ask({ ...byArgo, "argo/apps.yaml": apps })).toMatchObject(expected);
});

test.each([
  ["web", argued(/^ResourceSet tenants \(clusters\/stage\/set\.yaml\) may read it/)],
  ["api", proved],
])("a ResourceSet with the input %s", async (app, expected) => {
  const set = `apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\nmetadata: {name: tenants, namespace: flux-system}\nspec:\n  inputs: [{app: ${app}}]\n  resources:\n    - apiVersion: kustomize.toolkit.fluxcd.io/v1\n      kind: Kustomization\n      metadata: {name: << inputs.app >>-stage}\n      spec: {path: ./apps/<< inputs.app >>}\n`;
  expect(await ask({ ...byFlux, "clusters/stage/set.yaml": set }, flux)).toMatchObject(expected);
});

test.each([
  ["the same", "{app: web}", shared],
  ["another", "{app: api}", proved],
])("a path that Flux fills in with %s directory", async (_name, variables, expected) => {
  const files = {
    "tenants/t.yaml": kustomization("stage", "./apps/${app}"),
    "clusters/stage/t.yaml": kustomization("tenants", "./tenants", `  postBuild: {substitute: ${variables}}\n`),
  };
  expect(await ask({ ...byFlux, ...files }, flux)).toMatchObject(expected);
});

test("a path whose variable only the cluster knows leaves no proof", async () => {
  const files = { "tenants/t.yaml": kustomization("stage", "./apps/${app}") };
  expect(await ask({ ...byFlux, ...files }, flux)).toMatchObject(argued(/^Kustomization stage \(tenants\/t\.yaml\)/));
});

test("a release whose values are empty is no trouble for anyone", async () => {
  const release = (values: string) =>
    `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: argo}\nspec:\n  chart: {spec: {chart: argo-cd, sourceRef: {kind: HelmRepository, name: x}}}\n  values:${values}\n`;
  const files = { "tools/a.yaml": release(""), "tools/b.yaml": release(" {}"), "tools/c.yaml": `\n${release(" ~")}` };
  expect(await ask({ ...byFlux, ...files }, flux)).toMatchObject(proved);
});

test.each([
  ["the values of a chart from elsewhere", "HelmRepository", "mountPath", proved],
  ["where a release finds its chart", "GitRepository", "path", argued(/^what Kustomization flux-system\/tools makes/)],
])("an open path in what nobody could render: %s", async (_, source, key, expected) => {
  const chart = source === "HelmRepository" ? "argo-cd" : "${CHART}";
  const release = `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: argo}\nspec:\n  chart: {spec: {chart: "${chart}", sourceRef: {kind: ${source}, name: x}}}\n  values: {volume: {${key}: "\${DIR}"}}\n`;
  const files = {
    "tools/kustomization.yaml": "resources: [release.yaml, gone.yaml]\n",
    "tools/release.yaml": release,
    "clusters/prod/tools.yaml": kustomization("tools", "./tools"),
  };
  expect(await ask({ ...byFlux, ...files }, flux)).toMatchObject(expected);
});

test.each([
  ["./apps/web", shared],
  ["./apps/api", proved],
])("a patch that moves another entry to %s", async (path, expected) => {
  const files = {
    "clusters/stage/t.yaml": kustomization("stage", "./elsewhere"),
    "clusters/stage/kustomization.yaml": `resources: [t.yaml]\npatches:\n  - target: {kind: Kustomization}\n    patch: |\n      - {op: replace, path: /spec/path, value: ${path}}\n`,
  };
  expect(await ask({ ...byFlux, ...files }, flux)).toMatchObject(expected);
});

test("one Application in two places is no proof for one cluster", async () => {
  const twice = { "us/web.yaml": application("web", "apps/web"), "eu/web.yaml": application("web", "apps/web") };
  expect(await ask({ ...base, ...twice })).toMatchObject(argued(/^Application web stands in .* two clusters have it$/));
  const kustomized = { "argo/kustomization.yaml": "resources: [a/web.yaml, b/web.yaml]\n" };
  const together = { "argo/a/web.yaml": twice["us/web.yaml"], "argo/b/web.yaml": twice["eu/web.yaml"] };
  expect(await ask({ ...base, ...kustomized, ...together })).toMatchObject(proved);
});

test("two objects of one name that differ in what they make are two readers", async () => {
  const other = application("web", "apps/web", ", kustomize: {namePrefix: eu-}");
  expect(await ask({ ...byArgo, "eu/web.yaml": other })).toMatchObject(shared);
  const stage = kustomization("web", "./apps/web", "  postBuild: {substitute: {env: stage}}\n");
  expect(await ask({ ...byFlux, "clusters/prod/stage.yaml": stage }, flux)).toMatchObject(shared);
});

test.each([
  ["another repository is no reader of this one", "https://github.com/acme/operator-crds", proved],
  ["a mirror may be this one", "https://git.example/mirrors/fleet", { kind: "refused", reason: "ambiguous" }],
])("a Kustomization of the root of %s", async (_name, url, expected) => {
  const crds = `apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: crds, namespace: flux-system}\nspec: {url: "${url}"}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: crds, namespace: flux-system}\nspec: {sourceRef: {kind: GitRepository, name: crds}}\n`;
  const files = {
    "clusters/prod/sync.yaml": kustomization("flux-system", "./clusters/prod"),
    "clusters/prod/crds.yaml": crds,
    ".sourceignore": "docs/\n",
  };
  expect(await ask({ ...byFlux, ...files }, flux)).toMatchObject(expected);
});

test.each([
  ["", /no postBuild/],
  ["  postBuild: {substitute: {OTHER: '1'}}\n", undefined],
  ["  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}\n", undefined],
])(
  "a tag with a default is set in the Kustomization, proved where Flux fills in variables: %j",
  async (more, doubt) => {
    const files = { ...byFlux, "clusters/prod/web.yaml": kustomization("web", "./apps/web", more) };
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a Flux variable
    const open = { ...files, "apps/web/d.yaml": deployment.replace("image: web:1", 'image: "web:${TAG:=1}"') };
    const answer = await ask(open, { ...flux, change: { kind: "image-tag", to: "2" } });
    expect(answer).toMatchObject({ ...(doubt ? argued(doubt) : proved), files: [{ path: "clusters/prod/web.yaml" }] });
  },
);

const set = `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: sets, namespace: argocd}
spec:
  generators: [{git: {repoURL: https://github.com/acme/fleet, directories: [{path: sets/*}]}}]
  template:
    metadata: {name: "{{ path.basename }}"}
    spec: {source: {repoURL: https://github.com/acme/fleet, path: "{{ path }}"}, destination: {server: here}}
`;
test.each([
  ["no replacement", "", proved],
  ["a replacement among other objects", "other/kustomization.yaml", proved],
  ["a replacement that may carry any path into it", "argo/kustomization.yaml", argued(/^what argo makes/)],
])("a set that is built with what is not here is known by its generators, with %s", async (_name, at, expected) => {
  const copied =
    "replacements: [{source: {kind: Service, name: a}, targets: [{select: {kind: Service}, fieldPaths: [metadata.name]}]}]\n";
  const files: Record<string, string> = {
    ...byArgo,
    "argo/sets.yaml": set,
    "argo/kustomization.yaml": "resources: [web.yaml, sets.yaml, ../other, https://git.example/x//y]\n",
    "other/kustomization.yaml": "resources: []\n",
  };
  const more = at === "" ? {} : { [at]: (files[at] ?? "") + copied };
  expect(await ask({ ...files, ...more })).toMatchObject(expected);
});

test("where nothing says what is deployed, an environment that this one builds on is no base", async () => {
  const files = {
    "base/kustomization.yaml": "resources: [d.yaml]\n",
    "base/d.yaml": deployment.replace(", namespace: shop", ""),
    "prod/kustomization.yaml": "namespace: prod\nresources: [../base]\nreplicas: [{name: web, count: 5}]\n",
    "stage/kustomization.yaml": "namespace: shop\nresources: [../prod]\n",
  };
  const question = {
    workload: { kind: "Deployment", namespace: "shop", name: "web" },
    change: { kind: "replicas", to: 4 } as const,
    entry: { tool: "kustomize", path: "stage" } as const,
  };
  const editedIn = async (all: Record<string, string>) => {
    const answer = await answerQuestion(treeOf(all), question, (at, entry) => Promise.resolve(render(at, entry)));
    return "files" in answer ? answer.files.map(({ path }) => path) : answer;
  };
  expect(await editedIn(files)).toEqual(["stage/kustomization.yaml"]);
  // In the same namespace, or where whoever deploys it names the namespace, it is as much an environment.
  const [prod, stage] = [files["prod/kustomization.yaml"], files["stage/kustomization.yaml"]];
  const plain = prod.replace("namespace: prod\n", "");
  const bare = stage.replace("namespace: shop\n", "");
  const named = { "base/d.yaml": deployment };
  for (const more of [
    { "prod/kustomization.yaml": plain },
    { "prod/kustomization.yaml": prod.replace("namespace: prod", "namespace: shop") },
    { ...named, "prod/kustomization.yaml": plain, "stage/kustomization.yaml": bare },
  ])
    expect(await editedIn({ ...files, ...more })).toEqual(["stage/kustomization.yaml"]);
  // What stands below the entry is a part of it, and what builds on nothing is a base.
  const below = { ...files, "stage/kustomization.yaml": "namespace: shop\nresources: [prod]\n" };
  const inside = {
    ...below,
    "stage/prod/kustomization.yaml": "resources: [../../base]\nreplicas: [{name: web, count: 5}]\n",
  };
  expect(await editedIn(inside)).toEqual(["stage/prod/kustomization.yaml"]);
  expect(
    await editedIn({
      ...files,
      "stage/kustomization.yaml": "namespace: shop\nresources: [../base]\n",
      "prod/kustomization.yaml": "resources: []\n",
    }),
  ).toEqual(["base/d.yaml"]);
});
