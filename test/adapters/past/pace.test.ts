import { expect, test } from "vitest";
import { openHistory } from "../../../src/adapters/past/history.ts";
import { pastObjects } from "../../../src/adapters/past/objects.ts";
import { queryPace } from "../../../src/adapters/past/pace.ts";
import { pastCluster } from "../../../src/adapters/past/cluster.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { Refused } from "../../../src/ports/errors.ts";
import type { Metrics } from "../../../src/ports/monitoring.ts";

/** A clock that jumps to whoever sleeps. */
function aClock() {
  let now = 0;
  return {
    now: () => now,
    sleep: async (milliseconds: number) => {
      now = Math.max(now, now + milliseconds);
    },
  };
}

test("no more than so many questions begin in a second, whoever asks", async () => {
  const clock = aClock();
  const pace = queryPace(10, clock);
  const begun: number[] = [];
  for (let index = 0; index < 25; index += 1) await pace.run(async () => void begun.push(clock.now()));
  for (const at of begun)
    expect(begun.filter((other) => other >= at && other < at + 999).length).toBeLessThanOrEqual(10);
  expect(pace.count()).toBe(25);
});

test("without a limit nobody waits", async () => {
  const pace = queryPace(0, { now: () => 0, sleep: () => Promise.reject(new Error("slept")) });
  await expect(Promise.all(Array.from({ length: 50 }, () => pace.run(async () => 1)))).resolves.toHaveLength(50);
});

const answering = (samples: Readonly<Record<string, number>>): Pick<Metrics, "range"> => ({
  range: async (_, __, to) => ({
    notes: [],
    series: Object.entries(samples).map(([name, value]) => ({
      labels: { __name__: name, deployment: "web", namespace: "shop" },
      points: [[to.getTime() / 1000, value] as const],
    })),
  }),
});
const web = { kind: "Deployment", namespace: "shop", name: "web" };
const at = new Date("2026-11-20T03:00:00Z");
const nothing = () => Promise.reject(new Refused("no entry"));

test("what kube-state-metrics did not export is refused, never guessed", async () => {
  const about = { at, lookbackMs: 60_000, desired: nothing };
  await expect(pastCluster({ ...about, metrics: answering({}) }).workload(web)).rejects.toThrow(
    "kube_deployment_spec_replicas",
  );
  const known = await pastCluster({ ...about, metrics: answering({ kube_deployment_spec_replicas: 3 }) }).workload(web);
  expect(known).toMatchObject({ replicas: 3, images: [], labels: {} });
  expect(known).not.toHaveProperty("resources");
  const objects = pastObjects({ metrics: answering({}), at });
  await expect(objects.find("service", { namespace: "shop", name: "web" })).rejects.toThrow(Refused);
  await expect(objects.pods({ namespace: "shop", selector: "app=web" })).rejects.toThrow(Refused);
  const pods = { kube_pod_info: 1 };
  const around = await pastCluster({ ...about, metrics: answering(pods) }).surroundings(web);
  expect(() => around.events).toThrow("not kept");
});

test("the branch of a moment knows nothing of later commits", async () => {
  const commits = [3, 2, 1].map((day) => ({
    ...{ sha: String(day).repeat(40), parent: day === 1 ? undefined : String(day - 1).repeat(40) },
    at: `2026-11-0${day}T00:00:00Z`,
  }));
  const mirror = { commitsSince: async () => commits, at: async (sha: string) => treeOf({ file: sha }) };
  const history = await openHistory(mirror, { extra: "tried" });
  const host = history.at(new Date("2026-11-02T12:00:00Z"));
  const { sha, tree } = await host.head();
  expect([sha[0], new TextDecoder().decode(tree.read("extra"))]).toEqual(["2", "tried"]);
  expect((await host.commitsSince(new Date(0))).map((one) => one.sha[0])).toEqual(["2", "1"]);
  expect(await host.contains("2".repeat(40), "1".repeat(40))).toBe(true);
  expect(await host.contains("2".repeat(40), "3".repeat(40))).toBe(false);
  await expect(history.at(new Date("2026-10-01T00:00:00Z")).head()).rejects.toThrow("no commit");
});
