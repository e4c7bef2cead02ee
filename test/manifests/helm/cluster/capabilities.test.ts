import { expect, test } from "vitest";
import { otherwise } from "../../../../src/manifests/helm/cluster/capabilities.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const asked = (template: string, values: readonly string[] = []) =>
  otherwise(
    {
      files: new Map([["templates/web.yaml", bytes(template)]]),
      release: "web",
      namespace: "shop",
      values,
      sets: [],
      checked: true,
    },
    () => undefined,
  );
const textIn = (files: ReadonlyMap<string, Uint8Array> | undefined) =>
  new TextDecoder().decode(files?.get("templates/web.yaml"));

test("a chart that asks nothing is made for every cluster", () => {
  expect(asked("apiVersion: apps/v1\nreplicas: {{ .Values.count }}\n").builds).toEqual([]);
});

test("one that asks for the version is made for an older and for a newer one", () => {
  const { builds } = asked('{{ if semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version }}a{{ end }}');
  expect(builds.map((one) => one.builds.map(({ kubeVersion }) => kubeVersion))).toEqual([
    ["1.40.0"],
    ["1.25.0", "1.29.0"],
  ]);
});

test("one that asks for APIs is made with all that it names, and without those that not every cluster has", () => {
  const text =
    '{{ if .Capabilities.APIVersions.Has "keda.sh/v1alpha1" }}a{{ else if .Capabilities.APIVersions.Has `apps/v1` }}b{{ end }}';
  const [more, less] = asked(text, ['api: "example.com/v1/Thing"']).builds;
  expect(more?.builds.map(({ apiVersions }) => apiVersions)).toEqual([
    ["keda.sh/v1alpha1", "apps/v1", "example.com/v1/Thing"],
  ]);
  expect(textIn(less?.builds[0]?.files)).toBe(text.replace("keda.sh/v1alpha1", "none.invalid/v1"));
});

test.each([
  [`(printf "%s/v1" .Values.group)`, ""],
  ['(print (index .Values.groups "a)") "/v1")', " | not"],
  ['(include "api" (dict "kind" "Route"))', ") (not $x"],
])("%s, a name that a chart makes, is there and is not there", (name, after) => {
  const text = (one: string) => `{{ if (.Capabilities.APIVersions.Has ${one}${after}) }}a{{ end }}{{ $b.Has ${one} }}`;
  const { builds, odd } = asked(text(name));
  expect(odd).toBeUndefined();
  expect(builds.map((one) => one.builds.map(({ files }) => textIn(files)))).toEqual([
    [text('"v1"')],
    [text('"none.invalid/v1"')],
  ]);
});

test.each([
  '{{ if printf "%s/v1" .Values.group | .Capabilities.APIVersions.Has }}a{{ end }}',
  "{{ range .Capabilities.APIVersions }}a{{ end }}",
  '{{ if has "a/v1" .Capabilities.APIVersions }}a{{ end }}',
  "{{ toYaml .Capabilities.APIVersions }}",
])("%s names nothing that could be tried", (text) => {
  expect(asked(text).odd).toBe("templates/web.yaml");
});

test.each([
  "{{ $apis := .Capabilities.APIVersions }}",
  "{{ if or (has .version $providedAPIVersions) (.Capabilities.APIVersions.Has .version) }}",
  '{{ if .Capabilities.APIVersions.Has $api }}"a.b/v1"{{ end }}',
])("%s can be followed", (text) => {
  expect(asked(text).odd).toBeUndefined();
});

test("one that names more APIs than are tried is made for no other cluster, and says so", () => {
  const names = Array.from({ length: 600 }, (_, n) => `thing${n}.example.com/v1`).join("\n");
  const { builds, many } = asked('{{ if .Capabilities.APIVersions.Has "keda.sh/v1alpha1" }}a{{ end }}', [names]);
  expect([builds, many]).toEqual([[], 601]);
});
