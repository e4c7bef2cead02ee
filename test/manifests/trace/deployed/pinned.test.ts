import { describe, expect, test } from "vitest";
import type { Entry } from "../../../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf } from "../../../../src/domain/kubernetes/tree.ts";
import { answerQuestion } from "../../../../src/manifests/locate/answer.ts";
import { render } from "../../../../src/manifests/render/render.ts";

const web = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  template: {spec: {containers: [{name: web, image: web:1}]}}
`;

const repository = (ref: string) =>
  `apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet, namespace: flux-system}\nspec: {url: "https://git.example/fleet.git", ref: ${ref}}\n`;
const kustomization = (name: string, path: string, more = "") =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: ${name}, namespace: flux-system}\nspec: {path: ./${path}, sourceRef: {kind: GitRepository, name: fleet}${more}}\n`;

const flux: Entry = { tool: "flux", path: "prod", object: "Kustomization flux-system/prod" };
const argo: Entry = { tool: "argocd", path: "prod", object: "Application argocd/prod" };

/** `rendered`, `static` with its reason, or the reason of a refusal. */
async function asked(files: Readonly<Record<string, string>>, entry: Entry): Promise<string> {
  const question = {
    workload: { kind: "Deployment", namespace: "shop", name: "web" },
    change: { kind: "replicas", to: 3 },
    entry,
  } as const;
  const answer = await answerQuestion(treeOf({ "prod/web.yaml": web, ...files }), question, (tree, one) =>
    Promise.resolve(render(tree, one)),
  );
  return answer.kind === "refused" ? answer.reason : answer.effect.proof.kind;
}

describe("what Argo CD reads at a revision other than the served branch is not proved", () => {
  const application = (revision: string) =>
    `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: prod, namespace: argocd}\nspec:\n  source: {repoURL: https://git.example/fleet.git, path: prod, targetRevision: "${revision}"}\n  destination: {namespace: shop}\n`;

  test.each([
    ...["v1.2.3", "1.2.3-rc.1", "363a6a8fe6a7f13e05d34c163b0ef02a777da20a", "refs/tags/prod", "refs/pull/3/head"],
    ...[
      ">=1.0.0 <2.0.0",
      ">1.0.0,<2.0.0",
      "^1",
      "~1.2",
      "~1.4.x",
      "*",
      "1.2.*",
      "1.x || 2.x",
      "1.0 - 2.0",
      "=1.2",
      "!=1.2",
    ],
  ])("%s is refused", async (revision) => {
    expect(await asked({ "apps/prod.yaml": application(revision) }, argo)).toBe("other-source");
  });

  // A branch may be called so.
  test.each(["deadbeef", "363a6a8", "363A6A8FE6A7F13E05D34C163B0EF02A777DA2", "1.x", "1.2", "v1", "1", "1.2.x"])(
    "%s is left to a person",
    async (revision) => {
      expect(await asked({ "apps/prod.yaml": application(revision) }, argo)).toBe("static");
    },
  );

  test.each(["main", "HEAD", "release-1.4", "release/1.x", "refs/heads/main", "env/prod", "added"])(
    "%s is followed",
    async (revision) => {
      expect(await asked({ "apps/prod.yaml": application(revision) }, argo)).toBe("rendered");
    },
  );
});

describe("what Flux reads at a revision other than the served branch is not proved", () => {
  const deployed = { "clusters/prod/apps.yaml": kustomization("prod", "prod") };

  test.each([
    "{tag: v1.2.3}",
    '{tag: "${version}"}',
    '{semver: ">=1.0.0"}',
    "{branch: main, commit: 363a6a8fe6a7f13e05d34c163b0ef02a777da20a}",
    "{name: refs/tags/prod}",
    "{name: refs/pull/3/head}",
  ])("ref: %s is refused", async (ref) => {
    expect(await asked({ ...deployed, "clusters/prod/fleet.yaml": repository(ref) }, flux)).toBe("other-source");
  });

  test.each(["{branch: main}", "{name: refs/heads/main}", '{branch: "${branch}"}'])(
    "ref: %s is followed",
    async (ref) => {
      expect(await asked({ ...deployed, "clusters/prod/fleet.yaml": repository(ref) }, flux)).toBe("rendered");
    },
  );

  const followed = {
    "sources/fleet.yaml": repository("{branch: main}"),
    "sources/kustomization.yaml": "resources: [fleet.yaml]\n",
  };
  const tag = `apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet, namespace: flux-system}\nspec: {ref: {tag: v1.2.3}}\n`;
  const cluster = (name: string) => ({
    [`clusters/${name}/kustomization.yaml`]: "resources: [../../sources, apps.yaml]\npatches: [{path: tag.yaml}]\n",
    [`clusters/${name}/tag.yaml`]: tag,
  });

  test("a tag that a kustomization adds is a tag", async () => {
    expect(await asked({ ...deployed, ...followed, ...cluster("prod") }, flux)).toBe("other-source");
  });

  test("a tag that a component adds is a tag", async () => {
    const component = {
      "clusters/prod/kustomization.yaml": "resources: [../../sources, apps.yaml]\ncomponents: [../../pin]\n",
      "pin/kustomization.yaml":
        'kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\npatches: [{target: {kind: GitRepository}, patch: "[{op: add, path: /spec/ref/tag, value: v1}]"}]\n',
    };
    expect(await asked({ ...deployed, ...followed, ...component }, flux)).toBe("other-source");
  });

  test("a tag that Flux itself adds is a tag", async () => {
    const patch = ', patches: [{target: {kind: GitRepository}, patch: "[{op: add, path: /spec/ref/tag, value: v1}]"}]';
    const root = { "clusters/root.yaml": kustomization("root", "sources", patch) };
    expect(await asked({ ...deployed, ...followed, ...root }, flux)).toBe("other-source");
  });

  test("a tag of another cluster is that one's", async () => {
    const own = { "clusters/prod/kustomization.yaml": "resources: [../../sources, apps.yaml]\n" };
    const other = { "clusters/test/apps.yaml": kustomization("test", "test"), ...cluster("test") };
    const files = { ...deployed, ...followed, ...own, ...other, "test/web.yaml": web };
    expect(await asked(files, flux)).toBe("rendered");
  });

  test("a patch that takes the tag away leaves the branch", async () => {
    const away = {
      "sources/fleet.yaml": repository("{branch: main, tag: v1}"),
      "sources/kustomization.yaml": "resources: [fleet.yaml]\n",
      "clusters/prod/kustomization.yaml":
        'resources: [../../sources, apps.yaml]\npatches: [{target: {kind: GitRepository}, patch: "[{op: remove, path: /spec/ref/tag}]"}]\n',
    };
    expect(await asked({ ...deployed, ...away }, flux)).toBe("rendered");
  });
});
