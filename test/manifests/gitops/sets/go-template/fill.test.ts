import { expect, test } from "vitest";
import { filledIn } from "../../../../../src/manifests/gitops/sets/go-template/fill.ts";

/** The values that every template here sees; what is wanted is what Go with sprig and Argo CD's functions prints. */
const data = {
  name: "web",
  empty: "",
  on: true,
  off: false,
  count: 3,
  large: 1000000,
  half: 0.5,
  none: null,
  labels: { b: "2", a: "yes" },
  items: ["x", "y"],
  files: [{ path: "a.yaml" }, { path: "b.yaml" }],
  path: { path: "apps/web", basename: "web", segments: ["apps", "web"] },
  values: new Map([["app", "shop"]]),
};

const made = (template: string, isStrict = false) => filledIn(template, { data, isStrict }).text;

test.each([
  ["plain {{ .name }} and {{.path.basename}}", "plain web and web"],
  ["{{ .count }} {{ .half }} {{ .on }} {{ .values.app }}", "3 0.5 true shop"],
  ["a\n  {{- /* said */ -}}\n  b", "ab"],
  ["a {{/* said */}} b", "a  b"],
  ["a\n{{- if .on }}\n  on: {{ .on }}\n{{- end }}\nb", "a\n  on: true\nb"],
  ["{{ if .off }}1{{ else if .empty }}2{{ else if .name }}3{{ else }}4{{ end }}", "3"],
  ["{{ if and .on (not .off) (or .empty .items) }}yes{{ end }}", "yes"],
  ["{{ if .missing }}yes{{ else }}no{{ end }}", "no"],
  ['{{ if hasKey . "labels" }}{{ .labels.a }}{{ end }}{{ if hasKey . "nothing" }}{{ .labels.b }}{{ end }}', "yes"],
  ["{{ range .items }}[{{ . }}]{{ end }}", "[x][y]"],
  ["{{ range $n, $file := .files }}{{ $n }}={{ $file.path }} {{ $.name }};{{ end }}", "0=a.yaml web;1=b.yaml web;"],
  ["{{ range $key, $value := .labels }}{{ $key }}:{{ $value }} {{ end }}", "a:yes b:2 "],
  ["{{ range .none }}x{{ else }}nothing{{ end }}", "nothing"],
  ["{{ with .path }}{{ .basename }}{{ end }}{{ with .empty }}x{{ else }}{{ .name }}{{ end }}", "webweb"],
  ["{{ $all := .name }}{{ if .on }}{{ $all = .values.app }}{{ end }}{{ $all }}", "shop"],
  ["{{ if .on }}{{ $name := .values.app }}{{ $name }}{{ end }}", "shop"],
  ['{{ .missing | default "none" }} {{ default "x" .empty }} {{ .name | default "y" }}', "none x web"],
  ['{{ index .path.segments 1 }} {{ index .labels "a" }} {{ (index .files 0).path }}', "web yes a.yaml"],
  ['{{ .name | upper | trimPrefix "W" | quote }} {{ squote .count }}', `"EB" '3'`],
  ['{{ printf "%s-%s" .name .values.app }} {{ print "a" "b" }}', "web-shop ab"],
  ['{{ join "," .items }} {{ (splitList "/" .path.path) | first }}', "x,y apps"],
  ['{{ replace "/" "-" .path.path }} {{ contains "eb" .name }} {{ hasPrefix "we" .name }}', "apps-web true true"],
  ['{{ ternary "a" "b" .on }} {{ eq .name "shop" "web" }} {{ ne .name "web" }}', "a true false"],
  ["a:{{ .labels | toYaml | nindent 2 }}", "a:\n  b: '2'\n  a: 'yes'"],
  ["{{ .labels | toJson }}", '{"a":"yes","b":"2"}'],
  ['{{ `raw {{ }}` }}{{ "a\\n\\"b" }}', 'raw {{ }}a\n"b'],
  ['{{ normalize "My_App." }} {{ trim " a " }} {{ len .items }}', "my-app a 2"],
])("%s", (template, wanted) => {
  expect(made(template)).toBe(wanted);
});

test.each([
  ["a value that is not there", "{{ .missing }}"],
  ["a value of what is not there", "{{ if .missing.deeper }}x{{ end }}"],
  ["a null", "{{ .none }}"],
  ["a list", "{{ .items }}"],
  ["a number that Go writes with an exponent", "{{ .large }}"],
  ["numbers that Go compares by their kinds", "{{ eq .count 3 }}"],
  ["a comparison with nothing", "{{ eq .name }}"],
  ["a number of JSON for a width", "{{ nindent .count .name }}"],
  ["an unknown function", "{{ .name | shuffle }}"],
  ["a template of its own", '{{ define "a" }}x{{ end }}'],
  ["a texts-only map where a dictionary is wanted", '{{ hasKey .values "app" }}'],
  ["an index out of range", "{{ index .items 2 }}"],
  ["an end too many", "{{ end }}"],
  ["an end that is missing", "{{ if .on }}x"],
  ["an action that is not closed", "{{ .name"],
  ["a variable that is not there", "{{ $other }}"],
  ["a value that is called", "{{ .name .on }}"],
  ["a dot beside a number", "{{ .5 }}"],
  ["an octal number", "{{ nindent 010 .name }}"],
  ["a control character in a text", '{{ "a\u0001b" }}'],
  ["parentheses without a bottom", `{{ ${"(".repeat(200_000)}.name${")".repeat(200_000)} }}`],
  ["a text that doubles itself", `{{ $a := .name }}${"{{ $a = print $a $a }}".repeat(60)}{{ len $a }}`],
  ["a list that doubles itself", `{{ $a := list .name }}${"{{ $a = list $a $a }}".repeat(60)}{{ toJson $a }}`],
])("%s is not made up", (_, template) => {
  expect(made(template)).toBeUndefined();
});

test("where keys must be there a missing one is an error, and one without a value is not", () => {
  expect(made("{{ if .missing }}x{{ end }}y", true)).toBeUndefined();
  expect(made("{{ if .none }}x{{ end }}y", true)).toBe("y");
  expect(made('{{ if hasKey . "missing" }}x{{ end }}y', true)).toBe("y");
});
