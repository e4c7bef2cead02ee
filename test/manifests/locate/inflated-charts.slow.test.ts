import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { WantedChange } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { renderer } from "../../../src/adapters/cli-tools/renderer.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { answerQuestion } from "../../../src/manifests/locate/answer.ts";
import { helm, realCharts } from "../charts/real-helm.ts";

const script = fileURLToPath(new URL("../../tools/build.sh", import.meta.url));
const kustomize = spawnSync("bash", [script, "--where", "kustomize"], { encoding: "utf8" }).stdout.trim();

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: {{ .Values.replicas }}
  template: {spec: {containers: [{name: web, image: "web:1"}]}}
`;
const files = {
  "prod/charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
  "prod/charts/web/values.yaml": "replicas: 2\n",
  "prod/charts/web/templates/web.yaml": deployment,
  "prod/values.yaml": "replicas: 2\n",
};
const inflating = "helmCharts: [{name: web, releaseName: web, valuesFile: values.yaml}]\n";

const patching = (operation: object): string =>
  `patches: [{patch: '${JSON.stringify([operation])}', target: {kind: Deployment}}]\n`;

const replicas: WantedChange = { kind: "replicas", to: 3 };

const proved = (path: string, after: string) => ({
  kind: "edit",
  files: [{ path, after: expect.stringContaining(after) as unknown }],
  effect: { proof: { kind: "rendered", with: expect.stringMatching(/^kustomize/) as unknown } },
});

async function ask(more: Record<string, string>, change = replicas) {
  const { render } = renderer({ helm: helm ?? null, kustomize, kubectl: null });
  const question = {
    workload: { kind: "Deployment", namespace: "shop", name: "web", container: "web" },
    change,
    entry: { tool: "kustomize" as const, path: "prod" },
  };
  return answerQuestion(treeOf({ ...files, ...more }), question, render, realCharts().tools);
}

describe.skipIf(helm === undefined || !existsSync(kustomize))("charts that the real Kustomize inflates", () => {
  test("what Kustomize changes beside the field leaves the proof to Kustomize", async () => {
    const patch = patching({ op: "add", path: "/spec/paused", value: false });
    const answer = await ask({ "prod/kustomization.yaml": inflating + patch });
    expect(answer).toMatchObject({ kind: "edit", files: [{ path: "prod/values.yaml" }], warnings: [] });
    expect(answer).toMatchObject({
      effect: { proof: { kind: "rendered", with: expect.stringMatching(/^kustomize/) as unknown } },
    });
  });

  test.each([
    ["a patch", patching({ op: "replace", path: "/spec/replicas", value: 5 }), '"value":3'],
    ["replicas", "replicas: [{name: web, count: 5}]\n", "count: 3"],
  ])("what overrules the chart is changed in its place: %s", async (_name, overruling, after) => {
    const answer = await ask({ "prod/kustomization.yaml": inflating + overruling });
    expect(answer).toMatchObject(proved("prod/kustomization.yaml", after));
  });

  const shared = {
    ...Object.fromEntries(Object.entries(files).map(([path, text]) => [path.replace("prod/", "base/"), text])),
    "base/kustomization.yaml": inflating,
    "stage/kustomization.yaml": "resources: [../base]\n",
  };
  test.each<[string, WantedChange, string]>([
    ["a count", replicas, "replicas:\n  - name: web\n    count: 3\n"],
    ["a limit that no value moves", { kind: "resources", field: "limits.memory", to: "1Gi" }, "memory: 1Gi"],
    ["a tag that the chart writes down", { kind: "image-tag", to: "9" }, 'images:\n  - name: web\n    newTag: "9"\n'],
  ])("in a base that several take, the overlay says it: %s", async (_name, change, after) => {
    const answer = await ask({ ...shared, "prod/kustomization.yaml": "resources: [../base]\n" }, change);
    expect(answer).toMatchObject(proved("prod/kustomization.yaml", after));
  });

  test("a chart that several take by the same kustomization is no place of one", async () => {
    const both = { "all/kustomization.yaml": "resources: [../prod]\n", "prod/kustomization.yaml": inflating };
    const other = { "other/kustomization.yaml": "resources: [../prod]\n" };
    expect(await ask({ ...both, ...other })).toMatchObject({ kind: "refused", reason: "shared-source" });
  });
});
