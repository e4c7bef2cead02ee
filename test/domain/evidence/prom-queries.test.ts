import { expect, test } from "vitest";
import { dialectSeries, promQuestions } from "../../../src/domain/evidence/prom-queries.ts";
import { web } from "../incident/incident-fixture.ts";

const seen = promQuestions(web, "5m").find(({ metric }) => metric === "latency-seen");

test("the latency is asked for from both ends of a call, and nobody misses the callers' end", () => {
  expect(seen).toMatchObject({ key: "node-metrics", optional: true });
  const [linkerd, istio, openTelemetry] = (seen?.dialects ?? []).map(({ query }) => query);
  expect(linkerd).toContain('direction="outbound"');
  expect(istio).toContain('reporter="source"');
  expect(istio).toContain("by (destination_workload_namespace, destination_workload, le)");
  expect(openTelemetry).toContain("request_client_seconds_bucket");
});

test("what callers see belongs to the workload that they call", () => {
  const labels = { dst_namespace: "shop", dst_deployment: "catalog" };
  const [linkerd] = seen?.dialects ?? [];
  const [series] = linkerd ? dialectSeries([{ labels, points: [[1, 2]] }], linkerd) : [];
  expect(series?.labels).toEqual({ namespace: "shop", deployment: "catalog" });
});
