import { expect, test } from "vitest";
import { inflationOf } from "../../../src/manifests/render/inflation.ts";

const files = (texts: Readonly<Record<string, string>>) =>
  new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));
const chart = { "app/charts/web/Chart.yaml": "name: web\nversion: 1.0.0\n", "app/prod.yaml": "replicas: 3\n" };
const generator = "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: web}\nname: web\n";
const ask = (kustomization: string, more: Readonly<Record<string, string>> = {}) =>
  inflationOf(files({ ...chart, ...more, "app/kustomization.yaml": kustomization }));

test("without charts helm is not named", () => {
  expect(ask("resources: [web.yaml]\n")).toEqual({ kind: "none" });
});

test.each([
  "helmCharts: [{name: web, valuesFile: prod.yaml, namespace: shop}]\n",
  "helmGlobals: {chartHome: charts}\nhelmCharts: [{name: web, additionalValuesFiles: [prod.yaml]}]\n",
  "generators: [web.yaml]\n",
  `generators:\n  - |\n${generator.replace(/^/gm, "    ")}`,
])("a chart among the files may be inflated: %j", (kustomization) => {
  const named: Record<string, string> = kustomization.includes("web.yaml") ? { "app/web.yaml": generator } : {};
  expect(ask(kustomization, named)).toEqual({ kind: "local" });
});

// Beside a chart that is well: without one helm would not be named at all.
test.each([
  ["helmGlobals: {configHome: charts/web}", /helmGlobals.configHome is not followed/],
  ["HelmGlobals: {configHome: charts/web}", /HelmGlobals is not followed/],
  ["helmChartInflationGenerator: [{chartName: x, helmHome: charts/web}]", /helmChartInflationGenerator is not/],
  ["generators: [other.yaml]", /another spelling/],
  ["Generators: [web.yaml]", /Generators is not followed/],
  ["generators: [nowhere]", /the generator nowhere cannot be read/],
  [
    `generators: ['${JSON.stringify({ kind: "List", items: [{ apiVersion: "builtin", kind: "HelmChartInflationGenerator", name: "web" }] })}']`,
    /a generator inside another object/,
  ],
  ["generatorſ: [web.yaml]", /is not followed/],
])("%s is not followed", (line, because) => {
  const more = { "app/web.yaml": generator, "app/other.yaml": generator.replace("kind:", "Kind:") };
  const kept = line.startsWith("generators: [other") ? more : { "app/web.yaml": generator };
  expect(ask(`helmCharts: [{name: web}]\n${line}\n`, kept)).toEqual({
    kind: "refused",
    because: expect.stringMatching(because),
  });
});

test.each([
  ["name: x, repo: 'evil:foo'", /would have to be fetched/],
  ["name: x", /the chart charts\/x is not in the repository/],
  ["name: web, Repo: 'evil:foo'", /Repo of a chart is not followed/],
  ["name: web, valuesFile: /root/.kube/config", /the values \/root/],
  ["name: web, additionalValuesFiles: ['http://127.0.0.1:80/x']", /the values http/],
  ["name: web, additionalValuesFiles: [../../../etc/passwd]", /the values \.\./],
  ["name: web, chartHome: /", /is not in the repository/],
  ["name: web, debug: true", /debug of a chart is not followed/],
  ["name: web, releaseName: --post-renderer=/bin/sh", /a chart with the word "--post-renderer=\/bin\/sh"/],
  ["name: web, releaseName: [--output-dir=/etc]", /a chart with the word/],
  ["name: web, namespace: --output-dir=/etc", /a chart with the word/],
  ["name: web, apiVersions: [apps/v1, --set-file=a=/etc/passwd]", /a chart with the word/],
])("a chart with %s is not left to helm", (said, because) => {
  expect(ask(`helmCharts: [{name: web}, {${said}}]\n`)).toEqual({
    kind: "refused",
    because: expect.stringMatching(because),
  });
});

test("a generator behind an escaped letter is found, too", () => {
  const hidden = generator.replace("kind: HelmChart", 'kind: "HelmCh\\u0061rt').replace("Generator\n", 'Generator"\n');
  expect(ask("helmCharts: [{name: web}]\ntransformers: [configs]\n", { "app/configs/x.yaml": hidden })).toMatchObject({
    because: expect.stringContaining("app/configs/x.yaml inflates a chart"),
  });
});
