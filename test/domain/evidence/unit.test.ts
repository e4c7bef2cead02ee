import { expect, test } from "vitest";
import { renderValue, scaleFor, unitOf } from "../../../src/domain/evidence/unit.ts";

test.each([
  ['histogram_quantile(0.99, sum by (le) (rate(response_latency_ms_bucket{a="b"}[5m])))', "ms"],
  ["histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[5m])) by (le))", "s"],
  ["histogram_quantile(0.9, rate(body_bytes_bucket[5m])) / 1024", ""],
  ["rate(http_request_duration_seconds_sum[5m]) / rate(http_request_duration_seconds_count[5m])", "s"],
  ['sum(rate(response_total{class="x"}[3s])) / sum(rate(response_total[3s]))', "share"],
  ["100 * sum(rate(errors_total[5m])) / sum(rate(requests_total[5m]))", "%"],
  ["sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) * 100", "%"],
  ["container_memory_working_set_bytes / container_spec_memory_limit_bytes", "share"],
  ["max(container_memory_working_set_bytes) by (pod)", "bytes"],
  ["sum(rate(container_cpu_usage_seconds_total[5m])) by (pod)", "cores"],
  ["sum(rate(http_requests_total[5m]))", "1/s"],
  ["deployment:cpu_use:ratio", "share"],
  ["queue_depth", ""],
  ["up", ""],
  ["rate(node_network_receive_bytes_total[5m])", ""],
  ["time() - last_success_timestamp_seconds - other_seconds", ""],
  ["predict_linear(deployment:cpu_use:ratio[10s], 20)", ""],
  ["increase(kube_pod_container_status_restarts_total[15m])", ""],
  ["response_ms / 1000", ""],
])("%s is in %j", (query, unit) => {
  expect(unitOf(query)).toBe(unit);
});

test.each([
  [1950, "ms", "1.95 s"],
  [250.4, "ms", "250 ms"],
  [0.0123, "s", "12.3 ms"],
  [1.95, "s", "1.95 s"],
  [300, "s", "5 min"],
  [104_300_000, "bytes", "104 MB"],
  [0.003, "share", "0.3 %"],
  [12.5, "%", "12.5 %"],
  [61.04, "1/s", "61 per second"],
  [0.25, "cores", "0.25 cores"],
  [1, "cores", "1 core"],
  [12_345.6, "", "12346"],
  [0, "ms", "0 ms"],
  [3, "requests", "3 requests"],
])("%d in %j is read as %s", (value, unit, text) => {
  expect(renderValue(value, unit)).toBe(text);
});

test("an axis has one scale for all its values", () => {
  expect(scaleFor(1950, "ms")).toEqual({ name: "s", factor: 0.001 });
});
