import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
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

async function ask(more: Record<string, string>) {
  const { render } = renderer({ helm: helm ?? null, kustomize, kubectl: null });
  const question = {
    workload: { kind: "Deployment", namespace: "shop", name: "web" },
    change: { kind: "replicas" as const, to: 3 },
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

  test("a value that a patch overrules is refused", async () => {
    const patch = patching({ op: "replace", path: "/spec/replicas", value: 5 });
    expect(await ask({ "prod/kustomization.yaml": inflating + patch })).toMatchObject({ kind: "refused" });
  });
});
