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
