import { expect, test } from "vitest";
import type { Entry } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { answerQuestion } from "../../../src/manifests/locate/answer.ts";
import { render } from "../../../src/manifests/render/render.ts";

/** Questions that name a directory and no controller. */
const application = (name: string, options = "") =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: ${name}, namespace: argocd}\nspec: {source: {path: platform/web${options}}, destination: {namespace: ${name}}}\n`;
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  template: {spec: {containers: [{name: web, image: web:1}]}}
`;

async function ask(files: Record<string, string>) {
  const rendered: Entry[] = [];
  const tree = treeOf({
    "platform/web/kustomization.yaml": "resources: [web.yaml]\n",
    "platform/web/web.yaml": deployment,
    ...files,
  });
  const question = {
    workload: { kind: "Deployment", namespace: "web", name: "web" },
    change: { kind: "replicas" as const, to: 4 },
    entry: { tool: "kustomize" as const, path: "platform/web" },
  };
  const answer = await answerQuestion(tree, question, async (at, entry) => {
    rendered.push(entry);
    return render(at, entry);
  });
  return { answer, rendered };
}

test("the one Application of the directory is what is rendered, once before the edit and once after it", async () => {
  const { answer, rendered } = await ask({ "apps/web.yaml": application("web") });
  expect(answer).toMatchObject({ kind: "edit", effect: { proof: { kind: "rendered" } } });
  expect(rendered.map((entry) => entry.object)).toEqual(["Application argocd/web", "Application argocd/web"]);
});

test("what that Application says itself is edited and proved there", async () => {
  const options = ", kustomize: {replicas: [{name: web, count: 3}]}";
  const { answer } = await ask({ "apps/web.yaml": application("web", options) });
  expect(answer).toMatchObject({ kind: "edit", files: [{ path: "apps/web.yaml" }] });
  expect(answer).toMatchObject({ effect: { changes: [{ from: 3, to: 4 }], proof: { kind: "rendered" } } });
});

test("of two Applications of the directory none is meant: the file serves both", async () => {
  const { answer } = await ask({ "apps/web.yaml": application("web"), "apps/api.yaml": application("api") });
  expect(answer).toMatchObject({ kind: "refused", reason: "shared-source" });
});
