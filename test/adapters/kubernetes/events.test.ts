import { afterAll, beforeAll, expect, test } from "vitest";
import { eventLines } from "../../../src/adapters/kubernetes/facts.ts";
import { kubernetes } from "../../../src/adapters/kubernetes/kubernetes.ts";
import { sourceOf } from "../monitoring/sources.ts";

const about = {
  involvedObject: { kind: "Pod", name: "web-66fbf78f6b-x7k2l", namespace: "shop" },
  ...{ type: "Normal", source: {}, metadata: { name: "e", creationTimestamp: "2026-01-01T00:00:00Z" } },
};
// As a real API server lists them: the scheduler writes a time with microseconds and leaves the older fields null.
const byScheduler = {
  ...{ ...about, reason: "Scheduled", message: "assigned to node-1", eventTime: "2026-01-01T00:00:02.123456Z" },
  ...{ firstTimestamp: null, lastTimestamp: null, reportingComponent: "default-scheduler", action: "Binding" },
};
const byKubelet = {
  ...{ ...about, reason: "Started", message: "container web", eventTime: null, count: 2 },
  ...{ firstTimestamp: "2026-01-01T00:00:01Z", lastTimestamp: "2026-01-01T00:00:03Z" },
};

let source: Awaited<ReturnType<typeof sourceOf>>;
beforeAll(async () => {
  source = await sourceOf({ status: 200, body: { metadata: {}, items: [byKubelet, byScheduler] } });
});
afterAll(() => source.close());

test("a pod that is gone waits for no node any more", () => {
  const failed = (name: string, reason = "FailedScheduling") => ({
    ...{ type: "Warning", reason, message: "0/3 nodes are available", metadata: {} },
    involvedObject: { kind: "Pod", name },
  });
  const [gone, there] = ["web-66fbf78f6b-x7k2l", "web-7d9f5c4b8-aaaaa"];
  const web = { kind: "Deployment", namespace: "shop", name: "web" };
  const events = [failed(gone), failed(gone, "Preempted"), failed(there)];
  const said = (pods?: ReadonlySet<string>) => eventLines(events, web, pods).map((line) => line.split(":")[0]);
  expect(said(new Set([there]))).toEqual([`Warning Preempted ${gone}`, `Warning FailedScheduling ${there}`]);
  // Where nobody could read the pods, nothing is left out.
  expect(said(undefined)).toHaveLength(3);
});

test("events of both generations are put in the order of their times", async () => {
  const cluster = kubernetes({ url: source.url, token: "t", cluster: "lab" });
  const { events } = await cluster.surroundings({ kind: "Deployment", namespace: "shop", name: "web" });
  expect(events).toEqual([
    "Normal Scheduled web-66fbf78f6b-x7k2l: assigned to node-1",
    "Normal Started web-66fbf78f6b-x7k2l: container web (2 times)",
  ]);
});
