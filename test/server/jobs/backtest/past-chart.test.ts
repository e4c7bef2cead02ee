import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pastTroubles } from "../../../../src/lab/scenarios/backtest/past-troubles.ts";
import { openPastWorld } from "../../../../src/lab/scenarios/backtest/past-world.ts";
import { runPastWorld } from "../../../../src/lab/scenarios/backtest/run-past.ts";
import { helm, realCharts } from "../../../manifests/charts/real-helm.ts";

/** The values of the chart are what people commit to: `apps/web.yaml`. */
const chart = {
  "apps/kustomization.yaml": "resources: [catalog.yaml, ledger.yaml]\n",
  "clusters/production/web.yaml": `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: web, namespace: argocd }
spec:
  destination: { namespace: shop, server: https://kubernetes.default.svc }
  source: { repoURL: https://git.example/gitops.git, path: charts/web, helm: { valueFiles: [../../apps/web.yaml] } }
`,
  "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
  "charts/web/templates/web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: {{ .Values.spec.replicas }}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: {{ (index .Values.spec.template.spec.containers 0).image }}
          resources: {{ toJson (index .Values.spec.template.spec.containers 0).resources }}
`,
};

describe.skipIf(helm === undefined)("a past with a chart", () => {
  test("is rendered as it was then: the values are what would have been edited, and what people edited", async () => {
    const directory = mkdtempSync(join(tmpdir(), "rectify-past-"));
    const troubles = pastTroubles.filter(({ workload, day }) => workload === "web" && day < 4);
    const guardrails = "namespaces: [shop]\n";
    const world = await openPastWorld({ directory, days: 4, troubles, guardrails, files: chart });
    try {
      const charts = realCharts().tools;
      const { records } = await runPastWorld(world, { directory, helm: { path: helm ?? "", charts } });
      expect(records.map(({ verdict, would }) => [verdict.kind, would.kind, verdict.ours, verdict.theirs])).toEqual([
        ["earlier", "proposed", "4", "4"],
        ["healed-by-itself", "proposed", undefined, undefined],
      ]);
    } finally {
      await world.close();
      rmSync(directory, { recursive: true, force: true });
    }
  }, 120_000);
});
