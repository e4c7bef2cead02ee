import { describe, expect, test } from "vitest";
import { asksCluster } from "../../../../src/manifests/helm/cluster/asks-cluster.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const ask = (files: Readonly<Record<string, string>>, values: readonly string[] = []) => {
  const packed = Object.entries({ "Chart.yaml": "name: web\n", ...files }).map(
    ([path, text]) => [path, bytes(text)] as const,
  );
  return asksCluster(new Map(packed), values, (archive) => {
    const text = new TextDecoder().decode(archive);
    return text === "broken" ? undefined : new Map([["templates/packed.yaml", bytes(text)]]);
  });
};
const secret = '{{ $old := lookup "v1" "Secret" .Release.Namespace "web" }}\nkind: Secret\n';
const web = "kind: Deployment\nspec: {replicas: {{ .Values.count }}}\n";

describe("a chart asks nothing", () => {
  test.each<[string, Record<string, string>]>([
    ["without the word", { "templates/web.yaml": web }],
    ["in a comment", { "templates/web.yaml": `{{- /* lookup "v1" */ -}}\n# lookup\n${web}` }],
    [
      "in a string, a field or a variable",
      { "templates/web.yaml": `{{ "lookup" }}{{ .Values.lookup }}{{ $lookup := 1 }}${web}` },
    ],
    [
      "of other fields of the release, and where it is handed on",
      { "templates/web.yaml": '{{ .Release.Name }}{{ include "x" (dict "Release" .Release) }}{{ .Values.Revisions }}' },
    ],
    [
      "in a comment of the values that it runs as templates",
      {
        "templates/web.yaml": `${web}{{ tpl .Values.text . }}`,
        "values.yaml": "# may depend on .Release or lookup, as {{ .Release.Name }}\ntext: '{{ .Release.Name }}'\n",
      },
    ],
    ["in plain text", { "templates/web.yaml": `${web}# see lookup "v1"\n`, "README.md": "{{ nothing }} lookup" }],
    [
      "in a helper that nothing includes",
      { "templates/_helpers.tpl": '{{ define "old" }}{{ lookup "v1" }}{{ end }}', "templates/web.yaml": web },
    ],
  ])("%s", (_name, files) => expect(ask(files)).toEqual({ kind: "nothing" }));
});

describe("only these templates ask", () => {
  const gone = (files: Record<string, string>, values: readonly string[] = []) => {
    const found = ask(files, values);
    if (found.kind !== "some") throw new Error(found.kind);
    return Object.keys(files).filter((path) => !found.rest.has(path));
  };
  test.each<[string, Record<string, string>, string[]]>([
    ["the secret alone", { "templates/secret.yaml": secret, "templates/web.yaml": web }, ["templates/secret.yaml"]],
    [
      "without blanks",
      { "templates/a.yaml": '{{(lookup "v1" "Secret" "a" "b").data}}', "templates/web.yaml": web },
      ["templates/a.yaml"],
    ],
    [
      "in a pipe over lines",
      { "templates/a.yaml": '{{- $x := dict\n  | default (lookup\n "v1" "Secret" "a" "b") -}}' },
      ["templates/a.yaml"],
    ],
    [
      "through helpers",
      {
        "templates/_a.tpl":
          '{{ define "one" }}{{ include "two" . }}{{ end }}{{ define "two" }}{{ if true }}{{ end }}{{ lookup "v1" }}{{ end }}',
        "charts/common/templates/_b.tpl": '{{ define "three" }}{{ template "one" . }}{{ end }}',
        "templates/secret.yaml": '{{ include "three" . }}',
        "templates/web.yaml": web,
      },
      ["templates/secret.yaml"],
    ],
    [
      "through a name that nobody can tell",
      { "templates/secret.yaml": secret, "templates/web.yaml": '{{ include (printf "%s" .Values.x) . }}' },
      ["templates/secret.yaml", "templates/web.yaml"],
    ],
    [
      "through a file",
      {
        "templates/secret.yaml": secret,
        "templates/web.yaml": '{{ include (print $.Template.BasePath "/secret.yaml") . | b64enc }}',
      },
      ["templates/secret.yaml", "templates/web.yaml"],
    ],
    [
      "but not through a checksum",
      {
        "templates/secret.yaml": secret,
        "templates/web.yaml": 'sum: {{ include (print $.Template.BasePath "/secret.yaml") . | sha256sum }}',
      },
      ["templates/secret.yaml"],
    ],
    ["in a block", { "templates/a.yaml": '{{ block "b" . }}{{ lookup "v1" }}{{ end }}' }, ["templates/a.yaml"]],
    [
      "for the revision of the release",
      { "templates/a.yaml": "{{ .Release.Revision }}", "templates/web.yaml": web },
      ["templates/a.yaml"],
    ],
    ["for it by a string", { "templates/a.yaml": '{{ index .Release "Revision" }}' }, ["templates/a.yaml"]],
    ["for all of the release", { "templates/a.yaml": "{{ toYaml .Release }}" }, ["templates/a.yaml"]],
    [
      "in a string that is run",
      { "templates/a.yaml": '{{ tpl "{{ lookup `v1` }}" . }}', "templates/web.yaml": web },
      ["templates/a.yaml"],
    ],
  ])("%s", (_name, files, expected) => expect(gone(files)).toEqual(expected));

  test("values that are run as templates may ask", () => {
    const files = { "templates/web.yaml": "{{ tpl .Values.text . }}", "templates/other.yaml": web };
    expect(ask(files, ["text: plain"])).toEqual({ kind: "nothing" });
    expect(gone(files, ['text: "{{ lookup `v1` }}"'])).toEqual(["templates/web.yaml"]);
  });

  test("a packed subchart is looked into", () => {
    const found = ask({ "charts/db-1.0.0.tgz": secret, "templates/web.yaml": web });
    expect(found).toMatchObject({ kind: "some", where: "charts/db-1.0.0/templates/packed.yaml" });
  });
});

describe("anything may come of it", () => {
  test.each<[string, Record<string, string>]>([
    [
      "where the answer is written into the values",
      { "templates/a.yaml": '{{ $_ := set .Values "count" (lookup "v1") }}', "templates/web.yaml": web },
    ],
    [
      "where a helper does so",
      {
        "templates/_a.tpl": '{{ define "keep" }}{{ $_ := set . "x" 1 }}{{ end }}',
        "templates/a.yaml": `{{ include "keep" . }}${secret}`,
      },
    ],
    [
      "where a helper does so of which only a hash is taken",
      {
        "templates/_a.tpl": '{{ define "keep" }}{{ $_ := set .Values "x" (lookup "v1") }}{{ end }}',
        "templates/web.yaml": `# {{ include "keep" . | sha256sum }}\n${web}`,
      },
    ],
    ["where a packed subchart cannot be read", { "charts/db-1.0.0.tgz": "broken" }],
  ])("%s", (_name, files) => expect(ask(files).kind).toBe("anything"));
});
