import { expect, test } from "vitest";
import { ackLoad } from "./ack-load.ts";
import { freshDatabase } from "../postgres.ts";

test("what is acknowledged is stored, once, and starts one workflow per workload", async () => {
  const load = { alertsPerSecond: 400, groupSize: 20, workloads: 10, seconds: 1 };
  const result = await ackLoad({ ...load, url: await freshDatabase() });
  expect(result).toMatchObject({ posts: 20, accepted: 400, stored: 400, refused: 0, started: 11 });
});
