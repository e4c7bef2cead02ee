import { expect, test } from "vitest";
import { tableOf } from "../../../src/commands/repository/survey-table.ts";
import { surveyCommand, surveyTree } from "../../../src/commands/repository/survey.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { render } from "../../../src/manifests/render/render.ts";

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

test("every workload says where each of its fields would be edited, or why not", async () => {
  const seen: string[] = [];
  const tools = {
    render: (...asked: Parameters<typeof render>) => Promise.resolve(render(...asked)),
    charts: undefined,
    atOnce: 4,
  };
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
  const tools = {
    render: (...asked: Parameters<typeof render>) => Promise.resolve(render(...asked)),
    charts: undefined,
    atOnce: 4,
  };
  const { items } = await surveyTree(tree, tools, () => undefined);
  expect(new Set(items.map((item) => item.workload))).toEqual(new Set(["team/Deployment/web"]));
  expect(items.map(({ outcome }) => outcome)).toEqual(Array.from(items, () => "proved"));
});

test("charts that nothing deploys are named, with the reason", async () => {
  const tree = treeOf({ "charts/web/Chart.yaml": "name: web\n", "charts/web/charts/db/Chart.yaml": "name: db\n" });
  const tools = {
    render: (...asked: Parameters<typeof render>) => Promise.resolve(render(...asked)),
    charts: undefined,
    atOnce: 4,
  };
  const { entries, unrendered } = await surveyTree(tree, tools, () => undefined);
  expect(entries).toBe(0);
  expect(unrendered).toMatchObject([
    { entry: "charts/web", because: expect.stringContaining("deploys this chart") as unknown },
  ]);
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
