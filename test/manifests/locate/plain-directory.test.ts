import { expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { answerQuestion } from "../../../src/manifests/locate/answer.ts";
import { render } from "../../../src/manifests/render/render.ts";

const application = (name: string, path: string, more = "") =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: ${name}, namespace: argocd}\nspec: {source: {path: ${path}${more}}, destination: {namespace: web}}\n`;
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  template: {spec: {containers: [{name: web, image: web:1}]}}
`;
const question = {
  workload: { kind: "Deployment", namespace: "web", name: "web" },
  change: { kind: "replicas" as const, to: 4 },
  entry: { tool: "argocd" as const, path: "platform/web", object: "Application argocd/web" },
};
const answer = (files: Record<string, string>) =>
  answerQuestion(
    treeOf({
      "apps/web.yaml": application("web", "platform/web"),
      "platform/web/kustomization.yaml": "resources: [web.yaml]\n",
      "platform/web/web.yaml": deployment,
      ...files,
    }),
    question,
    async (tree, entry) => render(tree, entry),
  );

test("an Application above that excludes the directory does not read the edited file", async () => {
  const recursive = ", directory: {recurse: true, exclude: '{web,secrets}/**'}";
  const found = await answer({
    "apps/platform.yaml": application("platform", "platform", recursive),
    "platform/other/broken.yaml": "kind: {{ .Values.kind }}\n",
  });
  expect(found).toMatchObject({ kind: "edit", effect: { proof: { kind: "rendered" } } });
});

test("an Application above that takes the file in is another reader, and one that cannot be rendered is a refusal", async () => {
  const found = await answer({
    "apps/platform.yaml": application("platform", "platform", ", directory: {recurse: true, exclude: 'secrets/**'}"),
    "platform/other/broken.yaml": "kind: {{ .Values.kind }}\n",
  });
  expect(found.kind).toBe("refused");
});
