import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Rendered } from "../../../src/domain/kubernetes/rendered.ts";
import { overlaid, treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { entriesOf } from "../../../src/manifests/gitops/entries.ts";
import { render } from "../../../src/manifests/render/render.ts";
import { kustomizeCase } from "../kustomize-cases.ts";

type Files = Readonly<Record<string, string>>;

const deployment = (name: string, spec = "  replicas: 2\n") =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n${spec}`;
const base: Files = {
  "base/kustomization.yaml": "resources: [web.yaml]\n",
  "base/web.yaml": deployment("web"),
};
const overlay = (more: string): Files => ({ ...base, "over/kustomization.yaml": `resources: [../base]\n${more}` });
const at = (files: Files, path = "over"): Rendered => render(treeOf(files), { tool: "kustomize", path });

function objectsOf(rendered: Rendered) {
  if (rendered.kind === "unsupported") throw new Error(rendered.because);
  return rendered.objects;
}

const only = (files: Files, path = "over") => {
  const objects = objectsOf(at(files, path));
  expect(objects).toHaveLength(1);
  return objects[0];
};

describe("an overlay over a base", () => {
  test.each<[string, string, object]>([
    ["sets the namespace", "namespace: prod\n", { metadata: { name: "web", namespace: "prod" } }],
    ["sets prefix and suffix", "namePrefix: a-\nnameSuffix: -b\n", { metadata: { name: "a-web-b" } }],
    ["sets replicas", "replicas: [{name: web, count: 7}]\n", { spec: { replicas: 7 } }],
    [
      "adds annotations to templates too",
      "commonAnnotations: {a: b}\n",
      { metadata: { annotations: { a: "b" } }, spec: { template: { metadata: { annotations: { a: "b" } } } } },
    ],
    [
      "adds labels to metadata only",
      "labels: [{pairs: {a: b}}]\n",
      { metadata: { labels: { a: "b" } }, spec: { replicas: 2 } },
    ],
    ["adds common labels to selectors", "commonLabels: {a: b}\n", { spec: { selector: { matchLabels: { a: "b" } } } }],
    [
      "merges an inline patch",
      "patches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 4}}'}]\n",
      { spec: { replicas: 4 } },
    ],
    [
      "applies a JSON patch to a target",
      'patches: [{target: {kind: Deploy.*}, patch: \'[{"op": "replace", "path": "/spec/replicas", "value": 5}]\'}]\n',
      { spec: { replicas: 5 } },
    ],
  ])("%s", (_name, more, expected) => {
    expect(only(overlay(more))).toMatchObject(expected);
  });

  test("removes a field with null and an object with $patch: delete", () => {
    const patch = (body: string) =>
      `patches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, ${body}}'}]\n`;
    expect(only(overlay(patch("spec: {replicas: null, paused: true}")))?.spec).toEqual({ paused: true });
    expect(objectsOf(at(overlay(patch("$patch: delete"))))).toEqual([]);
  });

  test("merges containers by name, keeps the others and puts patched ones first", () => {
    const spec = "  template: {spec: {containers: [{name: a, image: x:1}, {name: b, env: [{name: E, value: '1'}]}]}}\n";
    const patch = "{name: b, env: [{name: F, value: '2'}]}, {name: a, $patch: delete}";
    const files = {
      ...overlay(`patches: [{path: patch.yaml}]\n`),
      "base/web.yaml": deployment("web", spec),
      "over/patch.yaml": deployment("web", `  template: {spec: {containers: [${patch}]}}\n`),
    };
    const env = [
      { name: "F", value: "2" },
      { name: "E", value: "1" },
    ];
    expect(only(files)?.spec).toEqual({ template: { spec: { containers: [{ name: "b", env }] } } });
  });

  test("replaces lists of kinds that nobody knows", () => {
    const widget = (items: string) => `{apiVersion: example.org/v1, kind: W, metadata: {name: w}, items: ${items}}\n`;
    const files = {
      "base/kustomization.yaml": "resources: [w.yaml]\n",
      "base/w.yaml": widget("[{name: a}, {name: b}]"),
      "over/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
      "over/p.yaml": widget("[{name: c}]"),
    };
    expect(only(files)?.items).toEqual([{ name: "c" }]);
  });

  test.each<[string, string, string]>([
    ["the tag", "{name: ghcr.io/o/web, newTag: '2'}", "ghcr.io/o/web:2"],
    ["the name", "{name: ghcr.io/o/web, newName: mirror/web}", "mirror/web:1"],
    ["tag by digest", "{name: ghcr.io/o/web, digest: 'sha256:ab'}", "ghcr.io/o/web@sha256:ab"],
    ["nothing of another image", "{name: ghcr.io/o/we, newTag: '2'}", "ghcr.io/o/web:1"],
  ])("replaces of an image %s", (_name, image, expected) => {
    const files = {
      ...overlay(`images: [${image}]\n`),
      "base/web.yaml": deployment("web", "  template: {spec: {containers: [{name: a, image: 'ghcr.io/o/web:1'}]}}\n"),
    };
    expect(only(files)).toMatchObject({ spec: { template: { spec: { containers: [{ image: expected }] } } } });
  });

  test("names a generated map by its content, and lets its users follow", () => {
    const files = {
      ...overlay("configMapGenerator: [{name: settings, literals: [mode=fast]}]\n"),
      "base/web.yaml": deployment("web", "  template: {spec: {volumes: [{name: v, configMap: {name: settings}}]}}\n"),
    };
    const [web, settings] = objectsOf(at(files));
    const name = settings?.metadata.name ?? "";
    // The suffix is what kubectl 1.32 gives for the same text.
    expect(name).toBe("settings-t82mkhg8fd");
    expect(web).toMatchObject({ spec: { template: { spec: { volumes: [{ configMap: { name } }] } } } });
  });

  test("lets components change what is there", () => {
    const files = {
      ...overlay("components: [../comp]\n"),
      "comp/kustomization.yaml":
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nreplicas: [{name: web, count: 9}]\n",
    };
    expect(only(files)).toMatchObject({ spec: { replicas: 9 } });
  });
});

describe("what an entry takes in", () => {
  const list = `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: a}}\n- {apiVersion: v1, kind: Service, metadata: {name: b}}\n`;

  test("Flux takes every manifest below a plain directory, Argo CD only those in it", () => {
    const files = { "apps/a.yaml": deployment("a"), "apps/deep/list.yaml": list, "apps/readme.md": "# no" };
    const names = (rendered: Rendered) =>
      objectsOf(rendered)
        .map((object) => object.metadata.name)
        .sort();
    expect(names(render(treeOf(files), { tool: "flux", path: "./apps" }))).toEqual(["a", "a", "b"]);
    expect(render(treeOf(files), { tool: "argocd", path: "apps" }).kind).toBe("unsupported");
    expect(names(render(treeOf({ "apps/a.yaml": deployment("a") }), { tool: "argocd", path: "apps" }))).toEqual(["a"]);
  });

  test.each([
    ["nothing else can set it", "", "web:1.0", 2],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a Flux variable
    ["the cluster may set it", ", substituteFrom: [{kind: Secret, name: s}]", "web:${TAG:=1.0}", "${count:-2}"],
  ])("a variable has what its text says where %s", (_name, from, image, replicas) => {
    const flux = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./base
  sourceRef: {kind: GitRepository, name: repo}
  postBuild: {substitute: {other: "6"}${from}}
`;
    const web = deployment("web", `  replicas: \${count:-2}\n  image: web:\${TAG:=1.0}\n`);
    const tree = treeOf({ ...base, "base/web.yaml": web, "clusters/live/apps.yaml": flux });
    const entry = { tool: "flux", path: "base", object: "Kustomization flux-system/apps" } as const;
    expect(objectsOf(render(tree, entry))).toMatchObject([{ spec: { replicas, image } }]);
  });

  test("a Flux Kustomization adds namespace, patches, images and variables of its own", () => {
    const flux = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./base
  sourceRef: {kind: GitRepository, name: repo}
  targetNamespace: prod
  patches: [{patch: '[{"op": "add", "path": "/spec/paused", "value": true}]', target: {kind: Deployment}}]
  postBuild: {substitute: {count: "6"}, substituteFrom: [{kind: Secret, name: s}]}
`;
    const files = {
      ...base,
      "base/web.yaml": deployment("web", `  replicas: \${count}\n  x: \${secret}\n`),
      "clusters/live/apps.yaml": flux,
    };
    const tree = treeOf(files);
    const entry = entriesOf(tree).find(({ tool }) => tool === "flux");
    expect(entry).toMatchObject({ path: "base", cluster: "live", object: "Kustomization flux-system/apps" });
    if (entry === undefined) throw new Error("no entry");
    expect(objectsOf(render(tree, entry))).toMatchObject([
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a Flux variable
      { metadata: { namespace: "prod" }, spec: { paused: true, replicas: 6, x: "${secret}" } },
    ]);
    const live = {
      tool: "flux",
      path: "base",
      cluster: "other-name",
      object: "Kustomization flux-system/apps",
    } as const;
    expect(render(tree, live)).toEqual(render(tree, entry));
    expect(render(tree, { ...live, object: "Kustomization flux-system/unknown" }).kind).toBe("unsupported");
  });

  test("every entry of this project's own shop is rendered, and production asks for two replicas of web", () => {
    const files: Record<string, Uint8Array> = {};
    for (const name of readdirSync("manifests", { recursive: true, encoding: "utf8" })) {
      if (name.endsWith(".yaml")) files[`manifests/${name}`] = readFileSync(join("manifests", name));
    }
    const tree = treeOf(files);
    const shop = entriesOf(tree).filter((entry) => /^manifests\/(shop|monitoring)/.test(entry.path ?? ""));
    expect(shop.map((entry) => entry.object)).toEqual([
      "Kustomization flux-system/monitoring",
      "Kustomization flux-system/monitoring",
      "Kustomization flux-system/shop",
      "Application argocd/shop-production",
      "Kustomization flux-system/shop",
    ]);
    const rendered = shop.map((entry) => objectsOf(render(tree, entry)));
    expect(rendered[2]).toContainEqual(
      expect.objectContaining({
        kind: "Deployment",
        metadata: expect.objectContaining({ name: "web", namespace: "shop-production" }),
        spec: expect.objectContaining({ replicas: 2 }),
      }),
    );
  });
});

describe("refused with the reason", () => {
  test.each<[string, Files, string]>([
    [
      "a remote base",
      { "over/kustomization.yaml": "resources: ['https://github.com/a/b//c?ref=v1']\n" },
      "remote base",
    ],
    [
      "a path out of the repository",
      { "over/kustomization.yaml": "resources: [../../etc]\n" },
      "leaves the repository",
    ],
    ["an absolute path", { "over/kustomization.yaml": "resources: [/etc/passwd]\n" }, "not a relative path"],
    [
      "a file above the directory",
      { "over/kustomization.yaml": "resources: [../a.yaml]\n", "a.yaml": deployment("a") },
      "not below",
    ],
    ["a missing file", { "over/kustomization.yaml": "resources: [a.yaml]\n" }, "no kustomization in over/a.yaml"],
    ["an unknown field", overlay("vars: []\n"), "vars"],
    [
      "a JSON patch that is no JSON",
      overlay("patches: [{target: {name: web}, patch: '[{op: remove, path: /spec}]'}]\n"),
      "no JSON",
    ],
    ["a plugin", overlay("transformers: [x.yaml]\n"), "transformers"],
    [
      "a cycle",
      { "over/kustomization.yaml": "resources: [../a]\n", "a/kustomization.yaml": "resources: [../over]\n" },
      "includes itself",
    ],
    [
      "two objects of one name",
      {
        ...overlay(""),
        "over/kustomization.yaml": "resources: [../base, web.yaml]\n",
        "over/web.yaml": deployment("web"),
      },
      "two objects",
    ],
    [
      "a patch that meets nothing",
      overlay("patches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: other}}'}]\n"),
      "meets 0 objects",
    ],
    [
      "a pattern that could be slow",
      overlay('patches: [{target: {name: \'(a+)+b\'}, patch: \'[{"op": "remove", "path": "/spec"}]\'}]\n'),
      "pattern",
    ],
    ["a file that is not UTF-8", { "over/kustomization.yaml": "resources: [a.yaml]\n", "over/a.yaml": "" }, ""],
  ])("%s", (_name, files, because) => {
    const broken =
      because === "" ? treeOf({ ...files, "over/a.yaml": new Uint8Array([0xff, 0xfe, 0x00]) }) : treeOf(files);
    const rendered = render(broken, { tool: "kustomize", path: "over" });
    expect(rendered).toMatchObject({ kind: "unsupported", because: expect.stringContaining(because || "not UTF-8") });
  });

  test("twenty megabytes, anchors that multiply and bases that double", () => {
    const huge = treeOf({
      "over/kustomization.yaml": "resources: [a.yaml]\n",
      "over/a.yaml": new Uint8Array(20_000_000).fill(32),
    });
    expect(render(huge, { tool: "kustomize", path: "over" })).toMatchObject({
      because: expect.stringContaining("longer than"),
    });
    const laughs = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
    for (let level = 1; level < 9; level += 1) laughs.push(`a${level}: &a${level} [${`*a${level - 1},`.repeat(10)}]`);
    expect(at({ "over/kustomization.yaml": "resources: [a.yaml]\n", "over/a.yaml": laughs.join("\n") }).kind).toBe(
      "unsupported",
    );
    const doubling: Record<string, string> = {
      "l0/kustomization.yaml": "resources: [a.yaml]\n",
      "l0/a.yaml": deployment("a"),
    };
    for (let level = 1; level < 24; level += 1) {
      for (const side of ["x", "y"]) {
        doubling[`${side}${level}/kustomization.yaml`] = `namePrefix: ${side}-\nresources: [../l${level - 1}]\n`;
      }
      doubling[`l${level}/kustomization.yaml`] = `resources: [../x${level}, ../y${level}]\n`;
    }
    expect(at(doubling, "l23")).toMatchObject({ kind: "unsupported", because: expect.stringContaining("too many") });
  });
});

test("a rendering hangs on nothing but the files: order and comments do not matter", () => {
  for (let seed = 1; seed <= 25; seed += 1) {
    const files = kustomizeCase(seed);
    const tree = treeOf(files);
    const turned = treeOf(Object.fromEntries(Object.entries(files).reverse()));
    const commented = overlaid(tree, {
      "overlay/kustomization.yaml": `# a note\n${files["overlay/kustomization.yaml"]}`,
    });
    const entry = { tool: "kustomize", path: "overlay" } as const;
    expect(render(turned, entry)).toEqual(render(tree, entry));
    expect(render(commented, entry)).toEqual(render(tree, entry));
  }
});
