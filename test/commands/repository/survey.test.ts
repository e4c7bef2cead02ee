import { expect, test } from "vitest";
import { notLookedInto, tableOf } from "../../../src/commands/repository/survey-table.ts";
import { surveyCommand, surveyTree } from "../../../src/commands/repository/survey.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { render } from "../../../src/manifests/render/render.ts";
import { scratchFiles } from "../../scratch.ts";

const workload = (name: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: shop
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: ${name}
          image: registry.example/${name}:1.0.0
`;
const autoscaler = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: shop}
spec:
  scaleTargetRef: {kind: Deployment, name: api}
  minReplicas: 2
  maxReplicas: 4
`;
const repository = treeOf({
  "base/kustomization.yaml": "resources: [web.yaml]\n",
  "base/web.yaml": workload("web"),
  "prod/kustomization.yaml": "resources: [../base]\n",
  "test/kustomization.yaml": "resources: [../base]\n",
  "api/kustomization.yaml": "resources: [api.yaml, hpa.yaml]\n",
  "api/api.yaml": workload("api").replace(":1.0.0", "@sha256:0000"),
  "api/hpa.yaml": autoscaler,
  "vendor/kustomization.yaml": "resources: ['https://git.example/acme/crds//x?ref=v1']\n",
});

const tools = {
  render: (...asked: Parameters<typeof render>) => Promise.resolve(render(...asked)),
  charts: undefined,
  atOnce: 4,
};

test("every workload says where each of its fields would be edited, or why not", async () => {
  const seen: string[] = [];
  const survey = await surveyTree(repository, tools, (line) => seen.push(line));
  const sizes = ["requests.cpu", "limits.cpu", "requests.memory", "limits.memory"];
  const places = survey.items.map(({ workload: of, entry, field, outcome, place, reason }) =>
    [of, entry, field, outcome, place ?? reason].join(" | "),
  );
  expect(places).toEqual([
    "shop/Deployment/api | api | maxReplicas | proved | api/hpa.yaml:7",
    "shop/Deployment/api | api | minReplicas | proved | api/hpa.yaml:6",
    ...sizes.map((size) => `shop/Deployment/api | api | api ${size} | proved | api/api.yaml:12`),
    "shop/Deployment/api | api | api image tag | refused | digest-pinned",
    ...["prod", "test"].flatMap((at) =>
      ["replicas", ...sizes.map((size) => `web ${size}`), "web image tag"].map(
        (field) => `shop/Deployment/web | ${at} | ${field} | proved | ${at}/kustomization.yaml:2`,
      ),
    ),
  ]);
  const { entries, workloads, questions, proved, static: argued, refused, unrendered } = survey;
  expect({ entries, workloads, questions, proved, argued, refused }).toEqual({
    ...{ entries: 4, workloads: 3, questions: 19, proved: 18, argued: 0 },
    refused: { "digest-pinned": 1 },
  });
  expect(unrendered).toEqual([{ entry: "vendor", because: expect.stringContaining("is a remote base") as string }]);
  expect(seen.at(-1)).toContain("4 of 4 entries");
});

test("a directory is surveyed in words or as one JSON object", async () => {
  const lines: string[] = [];
  const out = { write: (line: string) => lines.push(line), progress: () => undefined };
  await surveyCommand("test/manifests/cases/overlay-replicas/before", { json: true }, out);
  await surveyCommand("test/manifests/cases/overlay-replicas/before", {}, out);
  const [json = "", words = ""] = lines;
  expect(JSON.parse(json)).toMatchObject({ questions: expect.any(Number) as number, items: expect.any(Array) as [] });
  expect(words).toMatch(/\d+ workloads in \d+ entries, \d+ questions:/);
  expect(words.split("\n").filter((line) => line.length > 100)).toEqual([]);
});

test("what the built-in Kustomize does not know is named, and what would help is said", async () => {
  const lines: string[] = [];
  const out = { write: (line: string) => lines.push(line), progress: () => undefined };
  const charts = "resources: [web.yaml]\nhelmCharts: [{name: web}]\n";
  await surveyCommand(scratchFiles({ "app/kustomization.yaml": charts, "app/web.yaml": workload("web") }), {}, out);
  const words = lines.join("\n").replaceAll(/\s+/g, " ");
  expect(words).toContain("app/kustomization.yaml: helmCharts is not known to the built-in Kustomize");
  expect(words).toContain("entries that could not be rendered here: 1 (--prove asks kustomize or kubectl)");
});

test.each([
  ["Application", { destination: { namespace: "team" } }],
  ["Kustomization", { targetNamespace: "team" }],
])("what names no namespace is asked for where the %s puts it", async (kind, spec) => {
  const source = { repoURL: "https://git.example/acme/gitops", path: "app" };
  const object =
    kind === "Application"
      ? { apiVersion: "argoproj.io/v1alpha1", kind, metadata: { name: "web" }, spec: { source, ...spec } }
      : {
          ...{
            apiVersion: "kustomize.toolkit.fluxcd.io/v1",
            kind,
            metadata: { name: "web", namespace: "flux-system" },
          },
          spec: { path: "app", sourceRef: { kind: "GitRepository", name: "flux-system" }, ...spec },
        };
  const tree = treeOf({
    "clusters/web.yaml": JSON.stringify(object),
    "app/kustomization.yaml": "resources: [web.yaml]\n",
    "app/web.yaml": workload("web").replace("  namespace: shop\n", ""),
  });
  const { items } = await surveyTree(tree, tools, () => undefined);
  expect(new Set(items.map((item) => item.workload))).toEqual(new Set(["team/Deployment/web"]));
  expect(items.map(({ outcome }) => outcome)).toEqual(Array.from(items, () => "proved"));
});

const chart = (name: string, more = "") => `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n${more}`;
const application = (path: string) => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  source: {repoURL: https://github.com/acme/shop, path: ${path}}
  destination: {namespace: shop}
`;

const set = (git: string, source: string, more = "") => `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: all, namespace: argocd}
spec:
  goTemplate: true
  generators: [{git: ${git}}]
  template:
    metadata: {name: "{{ .path.basename }}"}
    spec:
      source: {repoURL: https://github.com/acme/shop, ${source}}
      destination: {namespace: shop}
${more}`;

test.each<[string, string, readonly string[]]>([
  ["whose paths are known", set("{directories: [{path: charts/*}]}", 'path: "{{ .path.path }}"'), []],
  ["of another repository", set("{directories: [{path: charts/*}]}", "path: elsewhere"), []],
  [
    "whose paths somebody else says",
    set("{files: [{path: '*/app.json'}]}", 'path: "{{ .where }}"'),
    ["argocd/all (apps/set.yaml)"],
  ],
  [
    "whose patch says the path",
    set(
      "{directories: [{path: charts/*}]}",
      "targetRevision: main",
      `  templatePatch: '{"spec": {"source": {"path": "{{ .path.path }}"}}}'\n`,
    ),
    [],
  ],
  [
    "whose patch says the path in a way that is not understood",
    set(
      "{directories: [{path: charts/*}]}",
      "targetRevision: main",
      "  templatePatch: |\n    spec: {source: {path: '{{ .path.path | shuffle }}'}}\n",
    ),
    ["argocd/all (apps/set.yaml: its templatePatch is not filled in: the function shuffle)"],
  ],
  [
    "of which one application is known and another is not",
    set("{list: {elements: [{dir: charts/web}, {other: a}]}}", 'path: "{{ .dir }}"'),
    ["argocd/all (apps/set.yaml)"],
  ],
])("ApplicationSets of which an application is not known are named: %s", async (_, written, wanted) => {
  const tree = treeOf({ "apps/set.yaml": written, "charts/web/Chart.yaml": chart("web") });
  const { overlooked } = await surveyTree(tree, tools, () => undefined);
  expect(overlooked.sets).toEqual(wanted);
});

test.each<[string, Record<string, string>, readonly string[]]>([
  ["alone", { "charts/web/Chart.yaml": chart("web"), "charts/web/charts/db/Chart.yaml": chart("db") }, ["charts/web"]],
  ["at the root", { "Chart.yaml": chart("web") }, ["."]],
  [
    "beside one that an Application deploys",
    {
      "apps/web.yaml": application("charts/web"),
      "charts/web/Chart.yaml": chart("web"),
      "charts/api/Chart.yaml": chart("api"),
    },
    ["charts/api"],
  ],
  [
    "below a path that a set fills in",
    {
      "apps/web.yaml": application("'charts/{{ .name }}'"),
      "charts/web/Chart.yaml": chart("web"),
      "more/api/Chart.yaml": chart("api"),
    },
    ["more/api"],
  ],
  [
    "with a part and a library beside it",
    {
      "charts/web/Chart.yaml": chart("web", "dependencies: [{name: db, version: 1.0.0, repository: file://../db}]\n"),
      "charts/db/Chart.yaml": chart("db"),
      "charts/common/Chart.yaml": chart("common", "type: library\n"),
    },
    ["charts/web"],
  ],
  [
    "beside one that a kustomization inflates",
    {
      "web/kustomization.yaml": "helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: web}]\n",
      "charts/web/Chart.yaml": chart("web"),
      "charts/api/Chart.yaml": chart("api"),
    },
    ["charts/api"],
  ],
  [
    "below the directories of a set",
    {
      "apps/set.yaml": set("{directories: [{path: charts/*}]}", 'path: "{{ .path.path }}"'),
      "charts/web/Chart.yaml": chart("web"),
      "more/api/Chart.yaml": chart("api"),
    },
    ["more/api"],
  ],
  ["put away", { "archive/web/Chart.yaml": chart("web"), "charts/api/Chart.yaml": chart("api") }, ["charts/api"]],
  ["that cannot be read", { "charts/web/Chart.yaml": "name: [\n" }, ["charts/web"]],
])("charts that nothing deploys are named: %s", async (_, files, wanted) => {
  const { overlooked } = await surveyTree(treeOf(files), tools, () => undefined);
  expect(overlooked.charts).toEqual(wanted);
});

test("an object whose own path is filled in elsewhere is named, with the charts that it may lead to", async () => {
  const files = {
    "apps/web.yaml": application("'charts/{{ .name }}'"),
    "charts/web/Chart.yaml": chart("web"),
    "more/api/Chart.yaml": chart("api"),
  };
  const { overlooked } = await surveyTree(treeOf(files), tools, () => undefined);
  expect(overlooked).toMatchObject({
    charts: ["more/api"],
    perhaps: ["charts/web"],
    open: [expect.stringMatching(/^Application \S+ \(apps\/web\.yaml\)$/)],
  });
  const lines: string[] = [];
  await surveyCommand(scratchFiles(files), {}, { write: (line) => lines.push(line), progress: () => undefined });
  expect(lines.join("\n").split("\n").slice(-3)).toEqual([
    "  objects whose own path is filled in elsewhere: 1",
    "  charts that such a path may lead to: 1",
    "  charts that nothing here is known to deploy: 1",
  ]);
});

test("one reason for several is said once", () => {
  const unrendered = ["apps/web", "apps/db"].map((entry) => ({
    entry,
    because: "the chart main is published elsewhere",
  }));
  const other = { entry: "apps/api", because: "is a remote base" };
  const overlooked = {
    charts: ["charts/a", "charts/b"],
    perhaps: ["more/c"],
    sets: ["argocd/all (apps/set.yaml)"],
    open: ["Kustomization apps (apps.yaml)"],
  };
  expect(notLookedInto({ unrendered: [...unrendered, other], overlooked })).toEqual([
    "not looked into: apps/web, apps/db: the chart main is published elsewhere",
    "not looked into: apps/api: is a remote base",
    "not looked into: what ApplicationSets make of paths that Argo CD alone fills in: argocd/all (apps/set.yaml)",
    "not looked into: objects whose own path is filled in elsewhere: Kustomization apps (apps.yaml)",
    "not looked into: charts that such a path may lead to: more/c",
    expect.stringMatching(/^not looked into: charts that nothing here is known to deploy: charts\/a, charts\/b\. /),
  ]);
  expect(notLookedInto({ unrendered: [], overlooked: { charts: [], perhaps: [], sets: [], open: [] } })).toEqual([]);
});

test("a table stays within 100 columns, and fields with one answer share it", () => {
  const because =
    `${"apps/base/".repeat(9)}web.yaml:7 also serves apps/stage, which ${"reads it as well ".repeat(4)}`.trim();
  const refused = { outcome: "refused", fix: "Add an overlay." };
  const lines = tableOf(`shop/Deployment/web  Kustomization flux-system/${"a".repeat(90)}`, [
    { field: "replicas", outcome: "proved", text: "apps/prod/kustomization.yaml:3" },
    ...["requests.cpu", "limits.cpu", "limits.memory"].map((field) => ({
      ...{ ...refused, field: `web ${field}` },
      text: `nothing sets spec.template.spec.containers.0.resources.${field}: ${because}`,
    })),
  ]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(lines.filter((line) => line.includes("refused"))).toHaveLength(1);
  expect(lines.join(" ")).toContain("web requests.cpu,");
  expect(lines.join("\n")).toMatch(/^ {2}replicas\s+proved\s+apps\/prod\/kustomization\.yaml:3$/m);
});

const deploying = (path: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: api, namespace: argocd}\nspec:\n  destination: {server: here, namespace: shop}\n  source: {repoURL: "https://git.example/fleet.git", path: ${path}}\n`;

test.each([
  ["nothing is deployed from here", {}, "proved"],
  ["it is what is deployed", { "argo/api.yaml": deploying("web") }, "proved"],
  ["others are deployed from here", { "argo/api.yaml": deploying("api") }, "static"],
  [
    "a template may deploy it",
    { "argo/api.yaml": deploying("api"), "argo/set.yaml": deploying("'{{ dir }}'") },
    "proved",
  ],
])("a kustomization of which nobody speaks, where %s", async (_name, more, outcome) => {
  const files = Object.fromEntries(
    ["web", "api"].flatMap((name) => [
      [`${name}/kustomization.yaml`, "resources: [d.yaml]\n"],
      [`${name}/d.yaml`, workload(name)],
    ]),
  );
  const { items } = await surveyTree(treeOf({ ...files, ...more }), tools, () => undefined);
  const web = items.filter((item) => item.workload === "shop/Deployment/web");
  expect(new Set(web.map((item) => item.outcome))).toEqual(new Set([outcome]));
  if (outcome === "static") expect(JSON.stringify(web)).toMatch(/no Flux or Argo CD object here deploys web /);
});
