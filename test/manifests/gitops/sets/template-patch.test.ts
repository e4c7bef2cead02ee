import { expect, test } from "vitest";
import { treeOf } from "../../../../src/domain/kubernetes/tree.ts";
import { controllerObjects } from "../../../../src/manifests/gitops/controllers.ts";
import { withPatch } from "../../../../src/manifests/gitops/sets/template-patch.ts";

const application = {
  metadata: { name: "web", labels: { team: "a" } },
  spec: {
    project: "p",
    source: {
      path: "apps/web",
      helm: { valueFiles: ["a.yaml"], valuesObject: { replicas: 1, image: { tag: "1" } }, values: "x: 1" },
    },
  },
};
const patched = (patch: string) => withPatch(application, patch)?.spec;
const helmOf = (spec: unknown) => (spec as typeof application.spec | undefined)?.source.helm;

test.each<[string, string, unknown]>([
  ["mappings are merged", "spec: {source: {path: apps/shop}}", { ...application.spec.source, path: "apps/shop" }],
  ["JSON is YAML", '{"spec": {"source": {"path": "a"}}}', { ...application.spec.source, path: "a" }],
  ["a null takes away", "spec: {source: {helm: null}}", { path: "apps/web" }],
  ["an empty key takes away", "spec:\n  source:\n    helm:\n", { path: "apps/web" }],
  ["an empty patch changes nothing", "# nothing\n", application.spec.source],
])("%s", (_, patch, source) => {
  expect(patched(patch)?.source).toEqual(source);
});

test("lists are replaced, and inner values come beside those that are there", () => {
  expect(helmOf(patched("spec: {source: {helm: {valueFiles: [b.yaml]}}}"))?.valueFiles).toEqual(["b.yaml"]);
  expect(helmOf(patched("spec: {source: {helm: {valuesObject: {replicas: 2, a: {b: 1}}}}}"))?.valuesObject).toEqual({
    replicas: 2,
    image: { tag: "1" },
    a: { b: 1 },
  });
});

test.each([
  ["inner values that Argo CD cannot merge", "spec: {source: {helm: {valuesObject: {image: {tag: '2'}}}}}"],
  ["a directive", "spec: {source: {helm: {$patch: replace}}}"],
  ["a number for a text", "spec: {source: {targetRevision: 1.5}}"],
  ["no YAML", "spec: {source: [}"],
  ["two documents", "spec: {}\n---\nspec: {}\n"],
  ["a list", "- spec"],
])("what nobody can tell is left to the cluster: %s", (_, patch) => {
  expect(patched(patch)).toBeUndefined();
});

const set = (patch: string, more = "  goTemplate: true\n  goTemplateOptions: [missingkey=error]\n") =>
  treeOf({
    "sets/apps.yaml": `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: apps, namespace: argocd}
spec:
${more}  generators:
    - git:
        files: [{path: 'apps/*/app.yaml'}, {path: apps/off/app.yaml, exclude: true}]
        values: {name: '{{ .path.basename }}'}
      selector: {matchLabels: {enabled: "true"}}
  template:
    metadata: {name: '{{ .values.name }}'}
    spec: {destination: {namespace: '{{ .namespace }}'}}
  templatePatch: |
${patch.replaceAll(/^/gm, "    ")}
`,
    "apps/web/app.yaml": '- {enabled: "true", namespace: shop, folder: main}\n- {enabled: "false", namespace: shop}\n',
    "apps/web/main/kustomization.yaml": "resources: []\n",
    "apps/db/app.yaml": 'enabled: "true"\nnamespace: data\nplugin: {env: [{name: A, value: b}]}\n',
    "apps/off/app.yaml": 'enabled: "true"\nnamespace: shop\n',
    "apps/off/kustomization.yaml": "resources: []\n",
    "apps/db/kustomization.yaml": "resources: []\n",
  });
const patch = `{{- if hasKey . "folder" }}
metadata:
  name: '{{ .values.name }}-{{ .folder }}'
{{- end }}
spec:
  source:
    repoURL: https://git.example.com/apps.git
    path: '{{ .path.path }}{{ if hasKey . "folder" }}/{{ .folder }}{{ end }}'
    {{- if hasKey . "plugin" }}
    plugin:
      {{- .plugin | toYaml | nindent 6 }}
    {{- end }}`;

test("the Applications of a set are those that its patch makes of them", () => {
  const repoURL = "https://git.example.com/apps.git";
  expect(controllerObjects(set(patch)).map(({ entry, spec }) => [entry.object, entry.path, spec])).toEqual([
    [
      "Application argocd/db",
      "apps/db",
      {
        destination: { namespace: "data" },
        source: { repoURL, path: "apps/db", plugin: { env: [{ name: "A", value: "b" }] } },
      },
    ],
    [
      "Application argocd/web-main",
      "apps/web/main",
      { destination: { namespace: "shop" }, source: { repoURL, path: "apps/web/main" } },
    ],
  ]);
});

test.each([
  ["what Go makes an error of", patch.replace("{{ .path.path }}", "{{ .nowhere }}/{{ .path.path }}"), undefined],
  ["what is not understood", patch.replace("{{ .path.path }}", "{{ .path.path | shuffle }}"), undefined],
  ["other templates", patch, ""],
])("a patch that cannot be filled in here makes nothing: %s", (_, written, more) => {
  expect(controllerObjects(set(written, more))).toEqual([]);
});
