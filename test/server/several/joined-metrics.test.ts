import { expect, test } from "vitest";
import { joinedMetrics } from "../../../src/server/several/joined-metrics.ts";

const text = (count: number) => `# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{method="GET",answer="a} b"} ${count}
calls_total ${count}

# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{le="1"} ${count}
took_seconds_sum ${count}
`;

test("families stand once and together, and each sample has its repository", () => {
  const joined = joinedMetrics([
    { repository: "acme/shop", text: text(1) },
    { repository: "acme/bank", text: text(2) },
  ]);
  expect(joined).toBe(`# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{repository="acme/shop",method="GET",answer="a} b"} 1
calls_total{repository="acme/shop"} 1
calls_total{repository="acme/bank",method="GET",answer="a} b"} 2
calls_total{repository="acme/bank"} 2
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{repository="acme/shop",le="1"} 1
took_seconds_sum{repository="acme/shop"} 1
took_seconds_bucket{repository="acme/bank",le="1"} 2
took_seconds_sum{repository="acme/bank"} 2
`);
});
