import { describe, expect, test } from "vitest";
import type { Entry } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { overlaid, treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { filesBelow } from "../../../src/manifests/gitops/links.ts";
import { answerQuestion } from "../../../src/manifests/locate/answer.ts";
import { render } from "../../../src/manifests/render/render.ts";

const deployment = (name = "web", replicas = 2) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  replicas: ${replicas}
  template: {spec: {containers: [{name: web, image: web:1}]}}
`;
const application = (path: string, more = "") =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: ${path.replaceAll("/", "-")}, namespace: argocd}\nspec: {source: {path: ${path}${more}}, destination: {server: "https://${path.replaceAll("/", "-")}.example", namespace: shop}}\n`;
const kustomization = (path: string) =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: ${path}, namespace: flux-system}\nspec: {path: ./${path}, sourceRef: {kind: GitRepository, name: flux-system}}\n`;

type Files = Readonly<Record<string, string>>;

const argo = (path: string): Entry => ({
  tool: "argocd",
  path,
  object: `Application argocd/${path.replaceAll("/", "-")}`,
});
const flux = (path: string): Entry => ({ tool: "flux", path, object: `Kustomization flux-system/${path}` });

const ask = (files: Files, links: Files, entry: Entry = { tool: "kustomize", path: "prod" }) =>
  answerQuestion(
    treeOf(files, links),
    {
      workload: { kind: "Deployment", namespace: "shop", name: "web" },
      change: { kind: "replicas", to: 5 },
      entry,
    },
    async (tree, asked) => render(tree, asked),
  );

const twoApps = { "apps/prod.yaml": application("prod"), "apps/staging.yaml": application("staging") };
const web = { "prod/web.yaml": deployment() };
const kustomized = { "prod/kustomization.yaml": "resources: [web.yaml]\n", ...web };

describe("who reads a file behind a symbolic link reads it", () => {
  test.each<[string, Files, Files, Entry]>([
    ["a plain directory", { ...twoApps, ...web }, { "staging/web.yaml": "../prod/web.yaml" }, argo("prod")],
    ["asked from the link", { ...twoApps, ...web }, { "staging/web.yaml": "../prod/web.yaml" }, argo("staging")],
    [
      "a chain of links",
      { ...twoApps, ...web },
      {
        "staging/web.yaml": "../shared/web.yaml",
        "shared/web.yaml": "../shared/one",
        "shared/one": "../prod/web.yaml",
      },
      argo("prod"),
    ],
    [
      "a file behind a linked directory",
      { ...twoApps, ...web, "staging/kustomization.yaml": "resources: [all/web.yaml]\n" },
      { "staging/all": "../prod" },
      argo("prod"),
    ],
    ["a directory", { ...twoApps, ...kustomized }, { staging: "prod" }, argo("prod")],
    [
      "a kustomization through a linked base",
      { ...twoApps, ...kustomized, "staging/kustomization.yaml": "resources: [base]\n" },
      { "staging/base": "../prod" },
      argo("prod"),
    ],
    [
      "a linked directory above the file",
      {
        ...twoApps,
        "prod/kustomization.yaml": "resources: [../common/base]\n",
        "staging/kustomization.yaml": "resources: [../linked/base]\n",
        "common/base/kustomization.yaml": "resources: [web.yaml]\n",
        "common/base/web.yaml": deployment(),
      },
      { linked: "common" },
      argo("prod"),
    ],
    ["nobody says who deploys", web, { "staging/web.yaml": "../prod/web.yaml" }, { tool: "plain", path: "prod" }],
    ["nobody says who deploys a directory", kustomized, { staging: "prod" }, { tool: "kustomize", path: "prod" }],
  ])("%s", async (_name, files, links, entry) => {
    const answer = await ask(files, links, entry);
    // An overlay of its own is an answer as well, as long as the other environment stays.
    if (answer.kind === "edit") expect(answer.files.map(({ path }) => path)).not.toContain("prod/web.yaml");
    else expect(answer.because).toMatch(/staging|linked|also/);
  });

  test("a link that nobody deploys leaves the answer", async () => {
    const files = { "apps/prod.yaml": application("prod"), ...web };
    const answer = await ask(files, { "docs/example.yaml": "../prod/web.yaml" }, argo("prod"));
    expect(answer).toMatchObject({ kind: "edit", effect: { proof: { kind: "rendered" } } });
  });
});

describe("an edit through a link", () => {
  test("is one of the file itself", async () => {
    const files = { "apps/prod.yaml": application("prod"), "shared/web.yaml": deployment() };
    const answer = await ask(files, { "prod/web.yaml": "../shared/web.yaml" }, argo("prod"));
    expect(answer).toMatchObject({
      kind: "edit",
      files: [{ path: "shared/web.yaml", after: deployment("web", 5) }],
      effect: { proof: { kind: "rendered" } },
    });
  });

  test("is one of the file itself below a linked directory", async () => {
    const files = { "apps/prod.yaml": application("prod"), ...{ "eu/prod/web.yaml": deployment() } };
    const kustomization = { "prod/kustomization.yaml": "resources: [here/web.yaml]\n" };
    const one = await ask({ ...files, ...kustomization }, { "prod/here": "../eu/prod" }, argo("prod"));
    // Kustomize reads no file above the directory, also not through a link: nothing there is proved.
    expect(one).toMatchObject({
      kind: "edit",
      files: [{ path: "eu/prod/web.yaml" }],
      effect: { proof: { kind: "static" } },
    });
  });

  test("a new text behind a link is read under each name", () => {
    const tree = overlaid(treeOf({ "a/x": "1" }, { "b/x": "../a/x", c: "a" }), { "c/x": "2", "c/new": "3" });
    const text = (path: string) => new TextDecoder().decode(tree.read(path));
    expect(["a/x", "b/x", "c/x", "a/new", "c/new"].map(text)).toEqual(["2", "2", "2", "3", "3"]);
    expect([...tree.paths()].sort()).toEqual(["a/new", "a/x"]);
  });
});

describe("what leads nowhere fails closed", () => {
  test.each<[string, Files, RegExp]>([
    ["out of the repository", { "prod/more.yaml": "../../other/web.yaml" }, /Argo CD reads nothing of it/],
    ["to a place of the machine", { "docs/more": "/etc" }, /Argo CD reads nothing of it/],
    ["to nothing", { "prod/more.yaml": "gone.yaml" }, /leads nowhere/],
    ["in a circle", { "prod/more.yaml": "more.yaml" }, /leads nowhere/],
    ["nobody knows where", { "docs/caf\ufffd": "/" }, /whose name is no UTF-8.*rename it$/],
  ])("%s", async (_name, links, because) => {
    const answer = await ask({ "apps/prod.yaml": application("prod"), ...web }, links, argo("prod"));
    expect(answer).toMatchObject({ kind: "edit", effect: { proof: { kind: "static" } } });
    if (answer.kind === "edit" && answer.effect.proof.kind === "static")
      expect(answer.effect.proof.because).toMatch(because);
  });

  test("a link to a directory above is not followed for ever", async () => {
    const files = { "apps/prod.yaml": application("prod", ", directory: {recurse: true}"), ...web };
    const answer = await ask(files, { "prod/again": "../prod", "prod/up": "..", "prod/up2": ".." }, argo("prod"));
    expect(answer.kind).toBe("edit");
  });

  test("links that multiply end", async () => {
    const links = Object.fromEntries(
      Array.from({ length: 24 }, (_, n) => ["a", "b"].map((name) => [`d${n}/${name}`, `../d${n + 1}`] as const)).flat(),
    );
    const files = {
      "apps/prod.yaml": application("prod"),
      "prod/kustomization.yaml": "resources: [web.yaml, ../d0]\n",
      ...web,
      "d24/x.yaml": "a: 1\n",
    };
    expect((await ask(files, links, argo("prod"))).kind).toBeDefined();
  });

  test("a file with more names than are looked for is left to a person, with that reason", async () => {
    const names = Object.fromEntries(Array.from({ length: 1_100 }, (_, n) => [`docs/n${n}.yaml`, "../prod/web.yaml"]));
    const answer = await ask({ "apps/prod.yaml": application("prod"), ...web }, names, argo("prod"));
    expect(answer).toMatchObject({ kind: "edit", effect: { proof: { kind: "static" } } });
    expect(JSON.stringify(answer)).toContain("1000 names or more");
  });

  test("more links than are followed are told as that", () => {
    const all = Array.from({ length: 12 }, (_, n) =>
      ["a", "b"].map((name) => [`d${n}/${name}`, `../d${n + 1}`] as const),
    );
    const tree = treeOf({ "d12/x.yaml": "a: 1\n", ...web }, Object.fromEntries(all.flat()));
    const files = { "prod/kustomization.yaml": "resources: [web.yaml, ../d0]\n" };
    const rendered = render(overlaid(tree, files), { tool: "kustomize", path: "prod" });
    expect(filesBelow(tree, "d0").broken?.because).toMatch(/one of more than 2000 symbolic links on the way$/);
    expect(rendered.kind).toBe("unsupported");
  });

  test("another entry that reads the file and cannot be rendered for a link is a refusal", async () => {
    const files = {
      ...kustomized,
      "apps/prod.yaml": application("prod"),
      "apps/all.yaml": application("all"),
      "all/kustomization.yaml": "resources: [../prod, lost.yaml]\n",
    };
    expect((await ask(files, { "all/lost.yaml": "gone" }, argo("prod"))).kind).toBe("refused");
  });
});

describe("Flux leaves links out of what it reads", () => {
  const files = { "clusters/prod.yaml": kustomization("prod"), ...web };

  test("an entry that needs one is no proof", async () => {
    const kustomization = { "prod/kustomization.yaml": "resources: [web.yaml, more.yaml]\n" };
    const more = { "shared/more.yaml": deployment("more") };
    const answer = await ask(
      { ...files, ...more, ...kustomization },
      { "prod/more.yaml": "../shared/more.yaml" },
      flux("prod"),
    );
    expect(answer).toMatchObject({ kind: "edit", effect: { proof: { kind: "static" } } });
  });

  test("one that has a link beside what it reads is proved without it", async () => {
    const more = { "shared/more.yaml": deployment("more") };
    const tree = treeOf({ ...files, ...more }, { "prod/more.yaml": "../shared/more.yaml" });
    const rendered = render(tree, flux("prod"));
    expect(rendered.kind === "rendered" && rendered.objects.map(({ metadata }) => metadata.name)).toEqual(["web"]);
  });
});

describe("Kustomize goes on from where a link leads", () => {
  const files = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": deployment(),
    "envs/prod/eu/kustomization.yaml": "resources: [../../../base]\nreplicas: [{name: web, count: 3}]\n",
  };

  test("relative names of a linked directory are its own", () => {
    const rendered = render(treeOf(files, { live: "envs/prod/eu" }), { tool: "kustomize", path: "live" });
    expect(rendered).toMatchObject({ kind: "rendered", objects: [{ spec: { replicas: 3 } }] });
  });

  test("a file behind a link outside of the directory is not read", () => {
    const over = { ...files, "over/kustomization.yaml": "resources: [web.yaml]\n" };
    const rendered = render(treeOf(over, { "over/web.yaml": "../base/web.yaml" }), { tool: "kustomize", path: "over" });
    expect(rendered.kind).toBe("unsupported");
  });

  test("a linked kustomization that another directory holds is not read", () => {
    const over = { ...files, "over/web.yaml": deployment() };
    const tree = treeOf(over, { "over/kustomization.yaml": "../base/kustomization.yaml" });
    expect(render(tree, { tool: "kustomize", path: "over" }).kind).toBe("unsupported");
  });
});
