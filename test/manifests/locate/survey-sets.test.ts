import { expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { entriesOf } from "../../../src/manifests/gitops/entries.ts";
import { render } from "../../../src/manifests/render/render.ts";
import { surveyQuestions } from "../../../src/manifests/locate/survey-questions.ts";

const set = (generator: string, name: string) => `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shops, namespace: argocd}
spec:
  generators: [${generator}]
  template:
    metadata: {name: '${name}'}
    spec:
      destination: {server: "https://kubernetes.default.svc", namespace: '{{env}}'}
      source: {repoURL: "https://git.example.com/shop.git", path: 'apps/shop', helm: {releaseName: '${name}'}}
`;
const objects = [{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { replicas: 2 } }];

/** The specs that the questions about each entry bring along. */
function specs(application: string) {
  const tree = treeOf({ "sets/shops.yaml": application, "apps/shop/Chart.yaml": "name: shop\nversion: 1.0.0\n" });
  return entriesOf(tree).flatMap((entry) =>
    surveyQuestions(tree, entry, objects).map((question) => [question.workload.namespace, question.entry.spec]),
  );
}

test("what a set makes is asked about as the cluster would show it, each with its own values", () => {
  const found = specs(set("{list: {elements: [{env: dev}, {env: prod}]}}", "shop-{{env}}"));
  expect(found).toMatchObject([
    ["dev", { destination: { namespace: "dev" }, source: { helm: { releaseName: "shop-dev" } } }],
    ["prod", { destination: { namespace: "prod" }, source: { helm: { releaseName: "shop-prod" } } }],
  ]);
});

test("what only the cluster can fill in is not made up", () => {
  const found = specs(set("{clusters: {}}", "shop-{{name}}"));
  expect(found.map(([, spec]) => spec)).toEqual(found.map(() => undefined));
  expect(found.length).toBeGreaterThan(0);
});

// What a patch of the set adds to the source would win over what is edited, so nothing is proved without it.
test.each([
  ["spec: {source: {kustomize: {replicas: [{name: web, count: 9}]}}}", "unsupported"],
  ["spec: {syncPolicy: {automated: {prune: true}}}", "rendered"],
])("a set that patches its Applications by %s is %s", (patch, kind) => {
  const text = set("{list: {elements: [{env: dev}]}}", "shop-{{env}}").replace(/, helm: .*/, "}\n");
  const tree = treeOf({
    "sets/shops.yaml": `${text.replace("spec:\n", `spec:\n  templatePatch: '${patch}'\n`)}`,
    "apps/shop/kustomization.yaml": "resources: []\n",
  });
  const [entry] = entriesOf(tree);
  expect(entry && render(tree, entry)).toMatchObject({ kind });
});
