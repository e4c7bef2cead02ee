import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { chartTools } from "../../../src/adapters/cli-tools/charts.ts";
import { templatedTogether } from "../../../src/adapters/cli-tools/helm/together.ts";
import { entriesThatMake } from "../../../src/commands/repository/locate-entry.ts";
import { surveyTree } from "../../../src/commands/repository/survey.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { render } from "../../../src/manifests/render/render.ts";
import { helm } from "../../manifests/charts/real-helm.ts";

const release = (name: string, chart: string, more = "") => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ${name}, namespace: apps}
spec:
  targetNamespace: shop
  releaseName: ${name}
  chart: {spec: {chart: ${chart}, sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}}}
  values:
    size: 3
${more}`;

const tree = treeOf({
  "clusters/prod/apps.yaml":
    "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec: {path: ./apps, sourceRef: {kind: GitRepository, name: flux-system}}\n",
  "apps/kustomization.yaml": "resources: [web.yaml, cache.yaml, queue.yaml]\n",
  "apps/web.yaml": release("web", "./charts/shop"),
  "apps/cache.yaml": release("cache", "./charts/shop"),
  "apps/queue.yaml": release("queue", "rabbit").replace("GitRepository", "HelmRepository"),
  "charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
  "charts/shop/values.yaml": "size: 1\nimage: {repository: registry.example/shop, tag: 1.0.0}\nresources: {}\n",
  "charts/shop/templates/web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  replicas: {{ .Values.size }}
  template:
    spec:
      containers:
        - name: main
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          resources: {{- toYaml .Values.resources | nindent 12 }}
`,
});

const template = tree.read("charts/shop/templates/web.yaml") ?? new Uint8Array();
const set = `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shop, namespace: argocd}
spec:
  goTemplate: true
  generators: [{list: {elements: [{stage: dev}, {stage: prod}]}}]
  template:
    metadata: {name: "shop-{{.stage}}"}
    spec:
      sources:
        - {repoURL: https://github.com/acme/shop, path: charts/shop, helm: {valueFiles: ["$values/stages/{{.stage}}.yaml"]}}
        - {repoURL: https://github.com/acme/shop, ref: values}
      destination: {namespace: "{{.stage}}"}
`;
const beside = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: api, namespace: argocd}
spec:
  source: {repoURL: https://github.com/acme/shop, path: charts/api}
  destination: {namespace: api}
`;
const docs = beside
  .replace("name: api,", "name: docs,")
  .replace(
    "source: {repoURL: https://github.com/acme/shop, path: charts/api}",
    "sources: [{repoURL: https://github.com/acme/shop, path: charts/docs}]",
  );
const argo = treeOf({
  "apps/docs.yaml": docs,
  "charts/docs/Chart.yaml": "apiVersion: v2\nname: docs\nversion: 1.0.0\n",
  "charts/docs/values.yaml": "title: docs\n",
  "charts/docs/templates/map.yaml":
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: docs}\ndata: {title: {{ .Values.title }}}\n",
  "apps/set.yaml": set,
  "apps/api.yaml": beside,
  "charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
  "charts/shop/values.yaml": "size: 1\nimage: {repository: registry.example/shop, tag: 1.0.0}\nresources: {}\n",
  "charts/shop/templates/web.yaml": template,
  "stages/dev.yaml": "size: 2\n",
  "stages/prod.yaml": "size: 4\n",
  "charts/api/Chart.yaml":
    "apiVersion: v2\nname: api\nversion: 1.0.0\ndependencies: [{name: part, version: 1.0.0, repository: file://../part}]\n",
  "charts/api/values.yaml": "part:\n  size: 2\n",
  "charts/part/Chart.yaml": "apiVersion: v2\nname: part\nversion: 1.0.0\n",
  "charts/part/values.yaml": "size: 1\nimage: {repository: registry.example/part, tag: 1.0.0}\nresources: {}\n",
  "charts/part/templates/web.yaml": template,
});

describe.skipIf(helm === undefined)("a survey of Applications", () => {
  const options = { helm: helm ?? "", limits: { timeLimitMs: 60_000, scratch: tmpdir() } };
  const tools = {
    render: (...asked: Parameters<typeof render>) => Promise.resolve(render(...asked)),
    charts: chartTools({ ...options, template: templatedTogether(options) }),
    atOnce: 32,
  };

  test("asks about charts with values from another source, and about charts with parts beside them", async () => {
    const survey = await surveyTree(argo, tools, () => undefined);
    const replicas = survey.items.filter(({ field }) => field === "replicas");
    expect(replicas.map((item) => `${item.workload}: ${item.outcome} ${item.place}`).sort()).toEqual([
      "api/Deployment/api: proved charts/api/values.yaml:2",
      "dev/Deployment/shop-dev: proved stages/dev.yaml:1",
      "prod/Deployment/shop-prod: proved stages/prod.yaml:1",
    ]);
    expect(survey.unrendered).toEqual([]);
  });

  test("and a question in words finds the Application that makes its workload", async () => {
    const found = await entriesThatMake(argo, { kind: "Deployment", namespace: "prod", name: "shop-prod" }, tools);
    expect(found.map(({ object }) => object)).toEqual(["Application argocd/shop-prod"]);
  });
});

describe.skipIf(helm === undefined)("a survey of Flux releases", () => {
  test("lists what each release makes, in the file of the release, and says which chart is not at hand", async () => {
    const options = { helm: helm ?? "", limits: { timeLimitMs: 60_000, scratch: tmpdir() } };
    const tools = {
      render: async (...asked: Parameters<typeof render>) => render(...asked),
      charts: chartTools({ ...options, template: templatedTogether(options) }),
      atOnce: 32,
    };
    const survey = await surveyTree(tree, tools, () => undefined);
    const sizes = ["requests.cpu", "limits.cpu", "requests.memory", "limits.memory"];
    expect(survey.items.map((item) => `${item.workload} ${item.field}: ${item.outcome} ${item.place}`)).toEqual([
      ...["web", "cache"].flatMap((name) =>
        ["replicas", ...sizes.map((size) => `main ${size}`), "main image tag"].map(
          (field) => `shop/Deployment/${name} ${field}: proved apps/${name}.yaml:9`,
        ),
      ),
    ]);
    expect(survey.unrendered).toEqual([
      { entry: "apps/queue.yaml:1", because: "nothing here says where the chart rabbit is published" },
    ]);
  });

  test("and a question in words finds the release that makes its workload", async () => {
    const options = { helm: helm ?? "", limits: { timeLimitMs: 60_000, scratch: tmpdir() } };
    const tools = {
      render: async (...asked: Parameters<typeof render>) => render(...asked),
      charts: chartTools(options),
    };
    const ofKind = { kind: "Deployment", namespace: "shop" };
    expect(await entriesThatMake(tree, { ...ofKind, name: "cache" }, tools)).toMatchObject([{ path: "apps" }]);
    expect(await entriesThatMake(tree, { ...ofKind, name: "other" }, tools)).toEqual([]);
  });
});
