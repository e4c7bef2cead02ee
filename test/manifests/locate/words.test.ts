import { expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { answerQuestion } from "../../../src/manifests/locate/answer.ts";
import { render } from "../../../src/manifests/render/render.ts";

/** What an answer says where the object of the question, or its kustomization, is not as it should be. */
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  template: {spec: {containers: [{name: web, image: web:1}]}}
`;
const application = (spec: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nspec: {${spec}}\n`;
const base = { "apps/web/kustomization.yaml": "resources: [d.yaml]\n", "apps/web/d.yaml": deployment };

const ask = (files: Record<string, string>, object = "Application argocd/web") =>
  answerQuestion(
    treeOf({ ...base, ...files }),
    {
      workload: { kind: "Deployment", namespace: "shop", name: "web" },
      change: { kind: "replicas", to: 4 },
      entry: { tool: object.startsWith("App") ? "argocd" : "flux", path: "apps/web", object },
    },
    (tree, entry) => Promise.resolve(render(tree, entry)),
  );

test.each([
  [
    "is hydrated",
    "sourceHydrator: {drySource: {repoURL: https://git.example/a/b, path: apps/web}, syncSource: {targetBranch: env/prod, path: apps/web}}",
    /^Application argocd\/web \(argo\/web\.yaml\) applies what its source hydrator writes/,
  ],
  [
    "comes from a registry",
    "source: {repoURL: 'oci://registry.example/web', path: apps}",
    /^Application argocd\/web \(argo\/web\.yaml\) takes its files from oci:\/\/registry\.example\/web/,
  ],
  [
    "has a source that others put out of use",
    "source: {repoURL: https://git.example/a/b, path: apps/web}, sources: [{repoURL: https://git.example/a/b, path: apps/other}]",
    /^Application argocd\/web \(argo\/web\.yaml\) deploys apps\/other, and not apps\/web$/,
  ],
  ["is not there", "", /^Application argocd\/web is not in the repository/],
])("an Application that %s", async (_name, spec, because) => {
  const answer = await ask(spec === "" ? {} : { "argo/web.yaml": application(spec) });
  expect(answer).toMatchObject({
    effect: { proof: { kind: "static", because: expect.stringMatching(because) as string } },
  });
});

test("a Kustomization of an OCI artifact says so", async () => {
  const object = `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: web, namespace: flux-system}\nspec: {path: ./apps/web, sourceRef: {kind: OCIRepository, name: fleet}}\n`;
  const answer = await ask({ "clusters/web.yaml": object }, "Kustomization flux-system/web");
  expect(answer).toMatchObject({
    effect: { proof: { because: expect.stringContaining("takes its files from OCIRepository fleet") as string } },
  });
});

test.each([
  ["a list", "- resources: [d.yaml]\n"],
  ["a map of resources", "resources: {a: d.yaml}\n"],
])("a kustomization that is %s does not build, and that is what is said", async (_name, written) => {
  const answer = await ask({ "apps/web/kustomization.yaml": written });
  expect(answer).toMatchObject({
    ...{ kind: "refused", reason: "parse-error", fix: "Repair it first." },
    because: expect.stringMatching(/^apps\/web does not build: .*kustomization\.yaml/) as string,
  });
});
