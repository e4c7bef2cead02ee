import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { helmTemplate, type Templating } from "../../../../src/adapters/cli-tools/helm/helm-template.ts";
import { templatedTogether } from "../../../../src/adapters/cli-tools/helm/together.ts";
import { helm } from "../../../manifests/charts/real-helm.ts";

const web = `apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }}-{{ .Chart.Name }} }
spec:
  replicas: {{ .Values.web.replicas }}
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: api }
spec:
  replicas: {{ .Values.api.replicas | default .Values.web.replicas }}
`;
const chart = {
  "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
  "values.yaml": "web: {replicas: 1}\napi: {}\n",
};

let scratch = "";
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "rectify-test-"));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** Real Helm, with a line in a file for each run. */
function counted() {
  const [log, program] = [join(scratch, "runs"), join(scratch, "helm")];
  writeFileSync(log, "");
  writeFileSync(program, `#!/bin/sh\necho run >> ${log}\nexec ${helm} "$@"\n`);
  chmodSync(program, 0o755);
  const options = { helm: program, limits: { timeLimitMs: 60_000, scratch } };
  return { options, runs: () => readFileSync(log, "utf8").split("\n").length - 1 };
}

function asked(files: Record<string, string>, values: readonly string[], more: Partial<Templating> = {}): Templating {
  const bytes = Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)] as const);
  const rest = { release: "eu", namespace: "shop", sets: [], checked: true, crds: false };
  return { files: new Map(bytes), values, ...rest, ...more };
}

/** What each rendering says alone, and what all say when they are asked at once after the first. */
async function both(all: readonly [Templating, ...Templating[]]) {
  const { options, runs } = counted();
  const alone = await Promise.all(all.map(helmTemplate(options)));
  const before = runs();
  const together = templatedTogether(options);
  const [first, ...others] = all;
  const made = [await together(first), ...(await Promise.all(others.map(together)))];
  return { alone, made, runs: runs() - before };
}

describe.skipIf(helm === undefined)("several renderings by one run of Helm", () => {
  const twoParts = {
    ...chart,
    "templates/web.yaml": web.replace(".Values.api.replicas | default .Values.web.replicas", 'include "api" .'),
    "templates/_api.tpl": '{{ define "api" }}{{ .Values.web.replicas }}{{ end }}\n',
  };
  const other = '{{ define "api" }}1{{ end }}\n';

  // Each hides in a copy, and only there, that the value moves the other part, too.
  test.each<[string, Record<string, string>]>([
    ["a template that Helm passes over in a directory", { "templates/.api.tpl": other }],
    ["a template that the chart has it ignore", { ".helmignore": "/templates/A*\n", "templates/A.tpl": other }],
    ["a directory with a backslash", { "a\\templates/api.tpl": other }],
    [
      "a chart that asks whether it is the first one",
      {
        "templates/_api.tpl":
          '{{ define "api" }}{{ if .Chart.IsRoot }}{{ .Values.web.replicas }}{{ else }}1{{ end }}{{ end }}\n',
      },
    ],
    [
      "a chart that asks where it stands",
      {
        "templates/_api.tpl":
          '{{ define "api" }}{{ if hasPrefix "shop/" .Template.BasePath }}{{ .Values.web.replicas }}{{ else }}1{{ end }}{{ end }}\n',
      },
    ],
    [
      "a chart that writes to what its copies share",
      {
        "templates/_api.tpl":
          '{{ define "api" }}{{ $_ := set .Release "n" (.Release.n | default .Values.web.replicas) }}{{ .Release.n }}{{ end }}\n',
      },
    ],
  ])("%s is rendered alone", async (_, more) => {
    const files = { ...twoParts, ...more };
    const first = asked(files, ["web: {replicas: 1}\n"]);
    const others = [2, 3, 1].map((n) => asked(files, [`web: {replicas: ${n}}\n`, "x: 1\n"]));
    const { alone, made } = await both([first, ...others]);
    expect(made).toEqual(alone);
  });

  test("each set of values is rendered by itself, whatever hides it in another", async () => {
    const files = { ...chart, "templates/web.yaml": web };
    const own = { ...files, "values.yaml": "web: {replicas: 6}\napi: {}\n" };
    const { alone, made, runs } = await both([
      asked(files, []),
      asked(files, ["web: {replicas: 2}\n"]),
      asked(files, ["# for the evening\n---\nweb:\n  replicas: 3\n", '{"api":{"replicas":4}}']),
      asked(files, [], { sets: [{ name: "api.replicas", value: "5", isString: false }] }),
      asked(own, []),
    ]);
    expect(made).toEqual(alone);
    expect(runs).toBe(2);
    const moved = made[1]?.ok === true ? made[1].output.match(/replicas: 2/g) : undefined;
    expect(moved).toHaveLength(2);
  });

  test("a set of values that fails says so for itself", async () => {
    const broken = '{{ if gt (int .Values.web.replicas) 8 }}{{ fail "too many" }}{{ end }}';
    const files = { ...chart, "templates/web.yaml": web, "templates/check.yaml": broken };
    const values = [2, 3, 9, 4, 5].map((replicas) => asked(files, [JSON.stringify({ web: { replicas } })]));
    const { alone, made, runs } = await both([asked(files, []), ...values]);
    expect(made).toEqual(alone);
    expect(made.map(({ ok }) => ok)).toEqual([true, true, true, false, true, true]);
    expect(runs).toBeLessThan(9);
  });

  test.each([
    ["knows that it is not alone", "path: {{ .Template.Name }}\nroot: {{ .Chart.IsRoot }}"],
    ["hashes all its values", "sum: {{ toYaml .Values | sha256sum }}"],
  ])("a chart that %s is rendered alone", async (_, data) => {
    const files = {
      ...chart,
      "templates/a.yaml": `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  ${data.replace("\n", "\n  ")}\n`,
    };
    const { alone, made } = await both([
      asked(files, []),
      ...[2, 3, 4].map((n) => asked(files, [`web: {replicas: ${n}}`])),
    ]);
    expect(made).toEqual(alone);
  });

  test("a chart that draws by chance is never compared with itself", async () => {
    const drawn = 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {word: "{{ randAlphaNum 20 }}"}\n';
    const files = { ...chart, "templates/a.yaml": drawn };
    const { made, runs } = await both([
      asked(files, []),
      ...[2, 3].map((n) => asked(files, [`web: {replicas: ${n}}`])),
    ]);
    expect(made.every(({ ok }) => ok)).toBe(true);
    expect(runs).toBe(4);
  });

  test("a schema that forbids more is kept, alone", async () => {
    const schema =
      '{"type":"object","additionalProperties":false,"properties":{"web":{"type":"object"},"api":{"type":"object"}}}';
    const files = { ...chart, "templates/web.yaml": web, "values.schema.json": schema };
    const { alone, made } = await both([
      asked(files, []),
      ...["web: {replicas: 2}", "odd: 1"].map((text) => asked(files, [text])),
    ]);
    expect(made).toEqual(alone);
    expect(made.map(({ ok }) => ok)).toEqual([true, true, false]);
  });
});
