import { expect, test } from "vitest";
import type { Entry, WantedChange } from "../../../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf } from "../../../../src/domain/kubernetes/tree.ts";
import { isIgnored, patternsOf } from "../../../../src/manifests/arrival/way/ignored.ts";
import { answerQuestion } from "../../../../src/manifests/locate/answer.ts";
import { render } from "../../../../src/manifests/render/render.ts";

const web = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  template:
    spec:
      containers: [{name: web, image: "registry.example/web:1.0"}]
`;
const source = (more: string, ref = "{branch: main}") => `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec:
  url: https://git.example/fleet.git
  ref: ${ref}
${more}`;
const flux = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web, namespace: flux-system}
spec: {prune: true, path: ./apps/web, sourceRef: {kind: GitRepository, name: flux-system}}
`;
const argo = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  destination: {server: "https://kubernetes.default.svc", namespace: shop}
  source: {repoURL: "https://git.example/fleet.git", path: apps/web}
`;

const three: WantedChange = { kind: "replicas", to: 3 };

async function answered(files: Readonly<Record<string, string>>, entry: Entry, change = three) {
  const question = { workload: { kind: "Deployment", namespace: "shop", name: "web" }, change, entry };
  const kustomized = { "apps/web/kustomization.yaml": "resources: [web.yaml]\n", "apps/web/web.yaml": web };
  const answer = await answerQuestion(treeOf({ ...kustomized, ...files }), question, async (at, one) =>
    render(at, one),
  );
  if (answer.kind === "refused") return `${answer.reason}: ${answer.because}`;
  const { proof } = answer.effect;
  return proof.kind === "rendered" ? "proved" : `static: ${proof.because}`;
}

test.each<[string, string, string | undefined, RegExp]>([
  ["nothing more", "", undefined, /^proved$/],
  ["a suspension", "  suspend: true\n", undefined, /^deliberately-disabled: .*suspends the source/],
  [
    "what it ignores",
    "  ignore: |\n    /*\n    !/clusters\n",
    undefined,
    /^other-source: apps\/web\/web.yaml is left out/,
  ],
  ["what it ignores but for this", "  ignore: |\n    /*\n    !/clusters\n    !/apps/web\n", undefined, /^proved$/],
  ["few directories", "  sparseCheckout: [clusters, charts]\n", undefined, /^other-source/],
  ["these directories", "  sparseCheckout: [./apps/]\n", undefined, /^proved$/],
  [
    "another repository at the path",
    "  include: [{repository: {name: other}, toPath: apps/web}]\n",
    undefined,
    /^other-source/,
  ],
  ["a name before its branch", "", "{branch: main, name: refs/heads/release}", /^static: .*refs\/heads\/release/],
  ["a name that says the same", "", "{branch: main, name: refs/heads/main}", /^proved$/],
])("a source of Flux with %s", async (_, more, ref, expected) => {
  const files = { "clusters/prod/source.yaml": source(more, ref), "clusters/prod/web.yaml": flux };
  expect(await answered(files, { tool: "flux", path: "apps/web", object: "Kustomization flux-system/web" })).toMatch(
    expected,
  );
});

test("a file of what Flux ignores", async () => {
  const files = { "clusters/source.yaml": source(""), "clusters/web.yaml": flux, "apps/.sourceignore": "web.yaml\n" };
  const answer = await answered(files, { tool: "flux", path: "apps/web", object: "Kustomization flux-system/web" });
  expect(answer).toMatch(/^other-source: .*left out/);
});

const byArgo: Entry = { tool: "argocd", path: "apps/web", object: "Application argocd/web" };

test.each<[string, Record<string, string>, RegExp]>([
  [
    "counts for this application",
    { "apps/web/.argocd-source-web.yaml": "kustomize: {replicas: [{name: web, count: 7}]}\n" },
    /^static/,
  ],
  [
    "counts for every application",
    { "apps/web/.argocd-source.yaml": "kustomize: {replicas: [{name: web, count: 7}]}\n" },
    /^static/,
  ],
  [
    "counts for this application in another namespace",
    { "apps/web/.argocd-source-argocd_web.yaml": "kustomize: {replicas: [{name: web, count: 7}]}\n" },
    /^static/,
  ],
  [
    "counts for another one",
    { "apps/web/.argocd-source-api.yaml": "kustomize: {replicas: [{name: web, count: 7}]}\n" },
    /^proved$/,
  ],
  [
    "counts for its namesake in another namespace",
    { "apps/web/.argocd-source-team_web.yaml": "kustomize: {replicas: [{name: web, count: 7}]}\n" },
    /^proved$/,
  ],
  ["a list", { "apps/web/.argocd-source.yaml": "- a\n" }, /^parse-error: .*argocd-source.yaml is no mapping/],
  ["an empty file", { "apps/web/.argocd-source-web.yaml": "" }, /^parse-error: .*makes no manifests of apps\/web/],
  ["comments alone", { "apps/web/.argocd-source-web.yaml": "# soon\n" }, /^parse-error/],
  ["a list of another one", { "apps/web/.argocd-source-api.yaml": "- a\n" }, /^proved$/],
  ["a file that is no YAML", { "apps/web/.argocd-source.yaml": "a: [\n" }, /^static: .*cannot be read/],
  ["nothing in a mapping", { "apps/web/.argocd-source.yaml": "{}\n" }, /^proved$/],
  ["what it cannot say there", { "apps/web/.argocd-source.yaml": "targetRevision: v1\npath: old\n" }, /^proved$/],
  [
    "images alone",
    { "apps/web/.argocd-source-web.yaml": "kustomize: {images: [registry.example/web:1.0]}\n" },
    /^proved$/,
  ],
  [
    "a submodule",
    { ".gitmodules": '[submodule "web"]\n\tpath = apps/web\n\turl = ../web\n' },
    /^other-source: .*submodule/,
  ],
  ["a submodule elsewhere", { ".gitmodules": '[submodule "web"]\n\tpath = apps/web-ui\n\turl = ../web\n' }, /^proved$/],
])("Argo CD beside %s", async (_, files, expected) => {
  expect(await answered({ "argo/web.yaml": argo, ...files }, byArgo)).toMatch(expected);
});

test("a file that Argo CD is told to pass over", async () => {
  const files = { "argo/web.yaml": argo, "apps/plain/web.yaml": `# +argocd:skip-file-rendering\n${web}` };
  const entry = { ...byArgo, path: "apps/plain" };
  const plain = { ...files, "argo/web.yaml": argo.replace("apps/web", "apps/plain") };
  expect(await answered(plain, entry)).toMatch(/^not-found/);
});

const replacing = (options: string) =>
  `resources: [web.yaml, words.yaml]\nreplacements:\n  - source: {kind: ConfigMap, name: words, fieldPath: data.revision${options}}\n    targets: [{select: {kind: Application}, fieldPaths: [spec.source.targetRevision]}]\n`;

test.each<[string, string, string, RegExp]>([
  ["a tag", "v1.0.0", "", /^other-source: .*v1\.0\.0/],
  ["a branch", "main", "", /^proved$/],
  ["a part of something", "main", ", options: {delimiter: '/'}", /^static: .*not followed/],
])("a replacement that writes %s into the Application", async (_, revision, options, expected) => {
  const files = {
    "argo/kustomization.yaml": replacing(options),
    "argo/words.yaml": `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\ndata: {revision: ${revision}}\n`,
    "argo/web.yaml": argo.replace("path: apps/web}", "path: apps/web, targetRevision: here}"),
  };
  expect(await answered(files, byArgo)).toMatch(expected);
});

test("what a patch of the parent fills in may be filled in for others", async () => {
  const patch = "[{op: add, path: /spec/postBuild, value: {substitute: {count: '2'}}}]";
  const answer = await answered(
    {
      "clusters/prod/kustomization.yaml": `resources: [web.yaml]\npatches:\n  - target: {kind: Kustomization}\n    patch: |\n      ${patch}\n`,
      "clusters/prod/web.yaml": flux,
      "apps/web/web.yaml": web.replace("replicas: 2", "replicas: ${count}"),
    },
    { tool: "flux", path: "apps/web", object: "Kustomization flux-system/web" },
  );
  expect(answer).not.toMatch(/^proved/);
});

test.each<[string, string, boolean]>([
  ["/*\n!/apps", "apps/web/web.yaml", false],
  ["/*\n!/apps", "charts/web/values.yaml", true],
  ["*.md", "apps/README.md", true],
  ["docs/", "apps/docs/x.yaml", true],
  ["docs/", "apps/docs", false],
  ["apps/*/web.yaml", "apps/web/web.yaml", true],
  ["apps/*/web.yaml", "apps/a/b/web.yaml", false],
  ["**/secrets", "a/b/secrets/x.yaml", true],
  ["a/**", "a/b/c.yaml", true],
  ["# a comment\n\n!x", "a.yaml", false],
])("%j takes %s for ignored: %s", (text, path, expected) => {
  expect(isIgnored(patternsOf(text, ""), path)).toBe(expected);
});

test.each<[string, string, RegExp]>([
  [".argocd-source-web.yaml", "kustomize: {images: [registry.example/web:1.0]}", /^image-automation/],
  [".argocd-source.yaml", "helm: {parameters: [{name: image.tag, value: 1.0}]}", /^image-automation/],
  [".argocd-source-stage.yaml", "kustomize: {images: [registry.example/web:1.0]}", /^proved$/],
  [".argocd-source-web.yaml", "kustomize: {replicas: [{name: web, count: 7}]}", /^static/],
])("a tag beside %s with %s", async (name, text, expected) => {
  const change: WantedChange = { kind: "image-tag", to: "1.1" };
  const files = { "argo/web.yaml": argo, [`apps/web/${name}`]: `${text}\n` };
  expect(await answered(files, byArgo, change)).toMatch(expected);
});

test.each([
  ["its own directory", ".", /^proved$/],
  ["its own directory by its path", "/apps/web", /^proved$/],
  ["several, also with a pattern", "/charts;/apps/*/web.yaml", /^proved$/],
  ["everything", "/", /^proved$/],
  ["another directory", "/charts", /^static: .* below \/charts only, and apps\/web\/web.yaml is elsewhere$/],
])("an Application that Argo CD looks at again for changes of %s", async (_, paths, expected) => {
  const annotated = argo.replace(
    "namespace: argocd}",
    `namespace: argocd, annotations: {argocd.argoproj.io/manifest-generate-paths: "${paths}"}}`,
  );
  const entry: Entry = { tool: "argocd", path: "apps/web", object: "Application argocd/web" };
  expect(await answered({ "argo/web.yaml": annotated }, entry)).toMatch(expected);
});

test("what a set says of its applications is named by the set, also where its patch says a part of it", async () => {
  const set = `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: apps, namespace: argocd}
spec:
  goTemplate: true
  generators: [{list: {elements: [{name: web}]}}]
  template:
    metadata: {name: "{{ .name }}", annotations: {argocd.argoproj.io/manifest-generate-paths: /charts}}
    spec: {source: {repoURL: "https://github.com/acme/fleet"}, destination: {server: here, namespace: shop}}
  templatePatch: |
    spec: {source: {path: "apps/{{ .name }}"}}
`;
  const entry: Entry = { tool: "argocd", path: "apps/web", object: "Application argocd/web" };
  const said = await answered({ "argo/set.yaml": set }, entry);
  expect(said).toMatch(
    /^static: ApplicationSet apps \(argo\/set\.yaml\) lets Argo CD look again at what changes below/,
  );
});

test("what a plugin makes is no proof", async () => {
  const plugged = argo.replace("path: apps/web}", "path: charts/web, plugin: {name: secrets}}");
  const answer = await answerQuestion(
    treeOf({
      "argo/web.yaml": plugged,
      "charts/web/kustomization.yaml": "resources: [web.yaml]\n",
      "charts/web/web.yaml": web,
    }),
    {
      workload: { kind: "Deployment", namespace: "shop", name: "web" },
      change: three,
      entry: { tool: "argocd", path: "charts/web", object: "Application argocd/web" },
    },
    async (at, one) => render(at, one),
  );
  const because = "Application web (argo/web.yaml) leaves it to a plugin, and nobody here knows what that makes";
  expect(answer).toMatchObject({ effect: { proof: { kind: "static", because } } });
});

test("a chart that nothing here deploys is no proof: nobody knows with which values it is installed", async () => {
  const answer = await answerQuestion(
    treeOf({
      "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
      "charts/web/values.yaml": "replicaCount: 2\n",
      "charts/web/templates/web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: {{ .Values.replicaCount }}
`,
    }),
    {
      workload: { kind: "Deployment", namespace: "shop", name: "web" },
      change: three,
      entry: { tool: "unknown", path: "charts/web" },
    },
    async (at, one) => render(at, one),
  );
  expect(answer).toMatchObject({
    effect: {
      proof: {
        kind: "static",
        because:
          "no Flux or Argo CD object here deploys the chart charts/web, so nobody here knows with which values it is installed, and how often: name the object that deploys it",
      },
    },
  });
});
