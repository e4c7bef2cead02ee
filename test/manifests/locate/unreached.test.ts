import { expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { answerQuestion } from "../../../src/manifests/locate/answer.ts";
import { render } from "../../../src/manifests/render/render.ts";

/** Questions without an entry about what nobody here deploys, where others are deployed from here. */
const deployment = (name = "web") => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  replicas: 2
  template: {spec: {containers: [{name: web, image: web:1}]}}
`;
const application = (path: string, more = "") =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: api, namespace: argocd}\nspec:\n  destination: {server: here, namespace: shop}\n  source: {repoURL: "https://git.example/fleet.git", path: ${path}${more}}\n`;
const kustomization = (path: string) =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec: {path: ${path}, sourceRef: {kind: GitRepository, name: flux-system}}\n`;
const api = { "apps/api/d.yaml": deployment("api") };

async function asked(files: Record<string, string>) {
  const question = {
    workload: { kind: "Deployment", namespace: "shop", name: "web" },
    change: { kind: "replicas" as const, to: 3 },
    entry: { tool: "unknown" as const, path: null },
  };
  const answer = await answerQuestion(treeOf({ ...api, ...files }), question, async (tree, entry) =>
    render(tree, entry),
  );
  if (answer.kind === "refused") return `${answer.reason}: ${answer.because}`;
  const { proof } = answer.effect;
  return proof.kind === "rendered" ? "proved" : `static: ${proof.because}`;
}

const web = { "apps/web/d.yaml": deployment() };
const outside =
  /^static: no Flux or Argo CD object here deploys apps\/web\/d.yaml \(\w+ \w+ deploys apps\/api\): name the path/;

test.each<[string, Record<string, string>, RegExp]>([
  ["nothing", web, /^proved$/],
  ["an Application of another directory", { ...web, "argo/api.yaml": application("apps/api") }, outside],
  ["a Kustomization of another directory", { ...web, "clusters/api.yaml": kustomization("./apps/api") }, outside],
  ["an Application of its directory", { ...web, "argo/api.yaml": application("apps/web") }, /^proved$/],
  ["a Kustomization of the directory above", { ...web, "clusters/api.yaml": kustomization("./apps") }, /^proved$/],
  [
    "an Application that takes in what is below",
    { ...web, "argo/api.yaml": application("apps", ", directory: {recurse: true}") },
    /^proved$/,
  ],
  [
    "an Application that takes in nothing below",
    { ...web, "argo/api.yaml": application("apps") },
    /^static: .*Application api deploys apps\)/,
  ],
  [
    "an Application of a kustomization that includes it",
    {
      ...web,
      "apps/web/kustomization.yaml": "resources: [d.yaml]\n",
      "envs/prod/kustomization.yaml": "resources: [../../apps/web]\n",
      "argo/api.yaml": application("envs/prod"),
    },
    /^proved$/,
  ],
  ["an Application whose path is not here", { ...web, "argo/api.yaml": application("services/api") }, /^proved$/],
  [
    "releases alone",
    {
      ...web,
      "apps/api/release.yaml":
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: api, namespace: shop}\nspec: {chart: {spec: {chart: ./apps/api, sourceRef: {kind: GitRepository, name: x}}}}\n",
    },
    /^proved$/,
  ],
  [
    "a set that leaves it out",
    {
      ...web,
      "argo/set.yaml":
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: set, namespace: argocd}\nspec:\n  generators: [{git: {repoURL: x/y, directories: [{path: apps/*}, {path: apps/w*, exclude: true}]}}]\n  template: {metadata: {name: a}, spec: {source: {repoURL: x/y, path: '{{path}}'}}}\n",
    },
    outside,
  ],
  [
    "an Application of another repository",
    {
      ...web,
      "argo/root.yaml": application("argo").replace("name: api", "name: root"),
      "argo/api.yaml": application("apps/api").replace("fleet", "other"),
    },
    /^static: .*Application root deploys argo\)/,
  ],
])("beside %s", async (_, files, expected) => {
  expect(await asked(files)).toMatch(expected);
});

test("what is put away is no answer, and makes none ambiguous", async () => {
  const old = { "_archived/web.yaml": deployment() };
  expect(await asked(old)).toMatch(/^not-found: _archived\/web.yaml holds Deployment web, but is put away/);
  expect(await asked({ ...old, ...web })).toBe("proved");
  expect(await asked({ ...old, "argo/api.yaml": application("_archived") })).toBe("proved");
});
