import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chartTools } from "../../../../src/adapters/cli-tools/charts.ts";
import { runningCharts } from "../../../../src/adapters/cli-tools/helm/running-charts.ts";
import { treeOf } from "../../../../src/domain/kubernetes/tree.ts";
import { answerQuestion } from "../../../../src/manifests/locate/answer.ts";
import { render } from "../../../../src/manifests/render/render.ts";
import { archiveOf, digestOf, shopChart } from "./chart-archives.ts";
import { helm } from "../../../manifests/charts/real-helm.ts";

const release = (chart: string) => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  releaseName: web
  ${chart}
  values:
    web: {size: 3}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: shop}
spec: {url: "https://charts.example.com"}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: platform, namespace: shop}
spec: {url: "https://git.example.com/platform/charts.git"}
`;
const from = (version: string, kind = "HelmRepository", name = "charts", path = "shop") =>
  `chart: {spec: {chart: ${path}, ${version}sourceRef: {kind: ${kind}, name: ${name}}}}`;

const scratch = mkdtempSync(join(tmpdir(), "rectify-test-"));
const archive = archiveOf(shopChart("1.2.3"));
const server = createServer((_, response) => response.end(archive));
beforeAll(() => new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready)));
afterAll(() => {
  server.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** One more replica of what the release makes, with the stand-in for the source-controller on loopback. */
async function asked(chart: string, digest = digestOf(archive)) {
  const url = "http://source-controller.flux-system.svc.cluster.local./helmchart/shop/shop-web/shop.tgz";
  const running = runningCharts({
    cluster: { artifactOf: async () => ({ url, digest, revision: "1.2.3" }), sourcePort: async () => 80 },
    controller: { namespace: "flux-system", name: "source-controller" },
    cache: join(scratch, digest.slice(-8)),
    reachedAt: `127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  const tools = chartTools({ helm: helm ?? "", limits: { timeLimitMs: 60_000, scratch: tmpdir() }, running });
  const tree = treeOf({ "apps/web.yaml": release(chart), "apps/kustomization.yaml": "resources: [web.yaml]\n" });
  const question = {
    entry: { tool: "kustomize" as const, path: "apps" },
    workload: { kind: "Deployment", namespace: "shop", name: "web", replicas: 3 },
    change: { kind: "replicas" as const, to: 4 },
  };
  return answerQuestion(tree, question, async (at, entry) => render(at, entry), tools);
}

describe.skipIf(helm === undefined)("a chart as Flux runs it", () => {
  test.each([
    ["a range of versions", from('version: "1.x", ')],
    ["no version", from("")],
    ["the version that runs", from("version: 1.2.3, ")],
    ["a chart of another Git repository", from("", "GitRepository", "platform", "./charts/shop")],
  ])("shows and proves the key, although no host of charts is allowed: %s", async (_, chart) => {
    const answer = await asked(chart);
    expect(answer).toMatchObject({ kind: "edit", effect: { proof: { kind: "rendered", with: "helm template" } } });
    if (answer.kind !== "edit") throw new Error(answer.because);
    expect(answer.files[0]?.after).toContain("web: {size: 4}");
    expect(answer.effect.changes).toMatchObject([{ field: ["spec", "replicas"], from: 3, to: 4 }]);
  });

  test.each([
    ["another version", from("version: 1.3.0, "), undefined, "it is at 1.2.3, and Git names 1.3.0 already"],
    [
      "another chart",
      from('version: "1.x", ', "HelmRepository", "charts", "till"),
      undefined,
      "holds the chart shop, not till",
    ],
    [
      "another digest",
      from('version: "1.x", '),
      digestOf(Buffer.from("x")),
      "the digest of its archive is not sha256:",
    ],
  ])("is not taken where it is not what Git means, and the reason is told: %s", async (_, chart, digest, why) => {
    const answer = await asked(chart, digest);
    const said = answer.kind === "edit" ? answer.warnings.join(" ") : answer.because;
    expect(answer.kind === "edit" ? answer.effect.proof.kind : "refused").not.toBe("rendered");
    expect(said).toContain(why);
  });
});
