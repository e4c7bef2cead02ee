import { expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { controllerObjects } from "../../../src/manifests/gitops/controllers.ts";
import { indexOf } from "../../../src/manifests/gitops/gitops.ts";
import { answerQuestion } from "../../../src/manifests/locate/answer.ts";
import { render } from "../../../src/manifests/render/render.ts";

/** What one generator of an ApplicationSet says for itself: a template that comes over the set's, and a selector. */
const deployment = (namespace = "shop") => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ${namespace}}
spec:
  replicas: 2
  template: {spec: {containers: [{name: web, image: web:1}]}}
`;
const set = (generators: string, { path = "apps/web", name = "web", more = "", options = "" } = {}) => ({
  "argo/set.yaml": `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: set, namespace: argocd}
spec:
${more}  generators: [${generators}]
  template:
    metadata: {name: '${name}'}
    spec:
      destination: {server: "https://kubernetes.default.svc", namespace: shop}
      source: {repoURL: "https://git.example/fleet.git", path: '${path}'${options}}
`,
  "apps/web/kustomization.yaml": "resources: [web.yaml]\n",
  "apps/web/web.yaml": deployment(),
  "apps/web2/kustomization.yaml": "resources: [web.yaml]\n",
  "apps/web2/web.yaml": deployment(),
});
const here =
  "template: {metadata: {}, spec: {destination: {}, source: {repoURL: 'https://git.example/fleet.git', path: apps/web2}}}";
const twoPlaces = "elements: [{env: prod, dir: web}, {env: stage, dir: web2}]";

/** `name → path`, with a mark where the cluster may make several. */
const made = (files: Record<string, string>): string[] =>
  controllerObjects(treeOf(files)).map(
    ({ entry, several }) => `${entry.object?.split("/")[1]} → ${entry.path}${several === true ? " …" : ""}`,
  );

test.each<[string, Record<string, string>, string[]]>([
  ["of a list", set(`{list: {elements: [{env: prod}], ${here}}}`), ["web → apps/web2"]],
  ["that is empty", set("{list: {elements: [{env: prod}], template: {metadata: {}, spec: {}}}}"), ["web → apps/web"]],
  ["of clusters", set(`{clusters: {${here}}}`), ["web → apps/web2 …"]],
  [
    "beside a generator without one",
    set(`{list: {elements: [{env: a}], ${here}}}, {list: {elements: [{env: b}]}}`, { name: "web-{{env}}" }),
    ["web-a → apps/web2", "web-b → apps/web"],
  ],
  ["of a matrix", set(`{matrix: {generators: [{list: {elements: [{env: a}]}}], ${here}}}`), ["web → apps/web2"]],
  [
    "inside of a matrix, which Argo CD passes over",
    set(`{matrix: {generators: [{list: {elements: [{env: a}], ${here}}}]}}`),
    ["web → apps/web"],
  ],
  [
    "of a merge, filled in by what it merges",
    set(
      `{merge: {mergeKeys: [env], generators: [{list: {elements: [{env: a}]}}], template: {metadata: {name: 'own-{{env}}'}, spec: {source: {path: apps/web2}}}}}`,
    ),
    ["own-a → apps/web2"],
  ],
  [
    "where the set itself has no spec",
    {
      ...set(`{list: {elements: [{env: a}], ${here}}}`),
      "argo/set.yaml": `apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: set}\nspec: {generators: [{list: {elements: [{env: a}], ${here}}}], template: {metadata: {name: web}}}\n`,
    },
    ["web → apps/web2"],
  ],
])("the template %s", (_, files, expected) => {
  expect(made(files)).toEqual(expected);
});

test("what a template leaves empty comes from the set, values of Helm as a whole", () => {
  const own = "template: {spec: {source: {targetRevision: '', helm: {valuesObject: {b: 2}, values: 'c: 3'}}}}";
  const files = set(`{list: {elements: [{}], ${own}}}`, {
    options: ", targetRevision: main, helm: {releaseName: r, valuesObject: {a: 1}, values: 'a: 1'}",
  });
  expect(controllerObjects(treeOf(files)).map(({ spec }) => spec)).toMatchObject([
    { source: { targetRevision: "main", helm: { releaseName: "r", valuesObject: { b: 2 }, values: "c: 3" } } },
  ]);
  expect(controllerObjects(treeOf(files))[0]?.spec).not.toHaveProperty("source.helm.valuesObject.a");
});

test.each<[string, string, string[]]>([
  ["matchLabels: {env: prod}", `{list: {${twoPlaces}}}`, ["prod → apps/web"]],
  [
    "matchExpressions: [{key: env, operator: In, values: [stage, test]}]",
    `{list: {${twoPlaces}}}`,
    ["stage → apps/web2"],
  ],
  ["matchExpressions: [{key: env, operator: NotIn, values: [stage]}]", `{list: {${twoPlaces}}}`, ["prod → apps/web"]],
  [
    "matchExpressions: [{key: env, operator: Exists}]",
    `{list: {${twoPlaces}}}`,
    ["prod → apps/web", "stage → apps/web2"],
  ],
  ["matchExpressions: [{key: env, operator: DoesNotExist}]", `{list: {${twoPlaces}}}`, []],
  [
    "matchLabels: {path.basename: web}",
    "{git: {directories: [{path: apps/*}], values: {env: prod, dir: web}}}",
    ["prod → apps/web"],
  ],
  ["matchLabels: {values.tier: a}", "{clusters: {values: {tier: b}}}", []],
  ["matchLabels: {metadata.labels.tier: a}", "{clusters: {values: {tier: b}}}", ["{{env}} → apps/web …"]],
])("the selector %s", (selector, generator, expected) => {
  const path = generator.includes("clusters") ? "apps/web" : "apps/{{dir}}";
  const files = set(`${generator.slice(0, -1)}, selector: {${selector}}}`, { path, name: "{{env}}" });
  const filled = Object.fromEntries(
    Object.entries(files).map(([file, text]) => [
      file,
      generator.includes("git:") ? text.replaceAll("{{", "{{values.") : text,
    ]),
  );
  expect(made(filled)).toEqual(expected);
});

test.each<[string, string, string[]]>([
  ["", "an older Argo CD passes over", ["prod → apps/web", "stage → apps/web2 …"]],
  ["  applyNestedSelectors: true\n", "the set asks for", ["prod → apps/web"]],
])("a selector inside of a matrix that %s%s", (more, _, expected) => {
  const inside = `{list: {${twoPlaces}}, selector: {matchLabels: {env: prod}}}`;
  expect(made(set(`{matrix: {generators: [${inside}]}}`, { path: "apps/{{dir}}", name: "{{env}}", more }))).toEqual(
    expected,
  );
});

async function answered(files: Record<string, string>, path: string, object = "Application argocd/web") {
  const question = {
    workload: { kind: "Deployment", namespace: "shop", name: "web" },
    change: { kind: "replicas" as const, to: 3 },
    entry: { tool: "argocd" as const, path, object },
  };
  const answer = await answerQuestion(treeOf(files), question, async (tree, entry) => render(tree, entry));
  if (answer.kind === "refused") return `${answer.reason}: ${answer.because}`;
  const { proof } = answer.effect;
  const counts = answer.files.flatMap(({ after }) => after.match(/count: \d/g) ?? []);
  return `${answer.files.map((file) => file.path).join()} ${proof.kind}${counts.length > 0 ? `: ${counts.join(", ")}` : ""}`;
}

test("the place that a generator's template names is what is edited", async () => {
  const files = set(`{list: {elements: [{env: prod}], ${here}}}`);
  expect(await answered(files, "apps/web2")).toBe("apps/web2/web.yaml rendered");
  // The set's own path is read by nobody.
  expect(indexOf(treeOf(files)).deployers.map(({ paths }) => paths)).toEqual([["apps/web2"]]);
  expect(await answered(files, "apps/web")).toMatch(/^apps\/web\/web.yaml static/);
});

test("what a generator's template adds is what is edited, and not what it hides", async () => {
  const own = "template: {spec: {source: {kustomize: {replicas: [{name: web, count: 2}]}}}}";
  const files = set(`{list: {elements: [{env: prod}], ${own}}}`, {
    options: ", kustomize: {replicas: [{name: web, count: 9}]}",
  });
  expect(await answered(files, "apps/web")).toBe("argo/set.yaml rendered: count: 3, count: 9");
});

test("elements that the selector leaves out read nothing", async () => {
  const selected = (selector: string) =>
    set(`{list: {elements: [{env: prod}, {env: stage}]}${selector}}`, { name: "web-{{env}}" });
  expect(await answered(selected(""), "apps/web", "Application argocd/web-prod")).toMatch(/^shared-source/);
  expect(
    await answered(selected(", selector: {matchLabels: {env: prod}}"), "apps/web", "Application argocd/web-prod"),
  ).toBe("apps/web/web.yaml rendered");
});
