import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import type { Lease } from "../../../src/domain/proposal/lease.ts";
import { reconcileLeases, type LeaseKeeping } from "../../../src/server/jobs/leases.ts";
import { aLease, begun } from "../../lease.ts";
import { migratedDatabase } from "../../postgres.ts";

let store: Store;
beforeEach(async () => {
  store = await openStore(await migratedDatabase());
  await store.recordIncident(aLease().incident);
});
afterEach(() => store.close());

const lease = aLease();
const { uid } = lease.incident;
const later = (minutes: number) => new Date(begun.getTime() + minutes * 60_000);
const renewal = {
  ...{ termSince: later(60).toISOString(), expires: later(120).toISOString() },
  ...{ because: "the metric came too near", latestPull: 9, renewals: 1 },
};

test("a lease is due when its time is up, renewed with the reason, and over once", async () => {
  await store.leases.begin(lease);
  await store.leases.begin({ ...lease, pull: 99 });
  expect(await store.dueLeases(later(59))).toEqual([]);
  expect(await store.dueLeases(later(60))).toEqual([{ lease, workflow: undefined }]);

  await store.leases.renew(uid, renewal);
  await store.leases.renew(uid, renewal);
  expect(await store.leases.running()).toEqual([{ ...lease, ...renewal }]);
  expect(await store.dueLeases(later(60))).toEqual([]);

  await store.leases.end(uid, "reverted");
  await store.leases.end(uid, "again");
  expect(await store.leaseOf(uid)).toEqual({ lease: { ...lease, ...renewal }, ended: "reverted" });
  expect(await store.leases.running()).toEqual([]);
  expect(await store.dueLeases(later(999))).toEqual([]);
  expect(await store.leaseOf("unknown")).toBeUndefined();
});

test("the workflow that looks at a lease hears its pull requests and the alerts of its workload", async () => {
  await store.leases.begin(lease);
  await store.recordPull(8, uid);
  expect(await store.leaseWorkflowOf("shop-production/Deployment/web")).toBeUndefined();
  await store.giveLease(uid, `${uid}/lease/0`);
  expect(await store.workflowOfPull(8)).toBe(`${uid}/lease/0`);
  expect(await store.leaseWorkflowOf("shop-production/Deployment/web")).toBe(`${uid}/lease/0`);
  expect(await store.leaseWorkflowOf("shop-production/Deployment/other")).toBeUndefined();
});

test("what merged changes reserve is counted by namespace until people decide otherwise", async () => {
  const { incident, remediation } = lease;
  const reserved = { cpuCores: 0.75, memoryBytes: 1024 };
  const change = { pull: 7, incident: incident.uid, workload: remediation.workload, reserved };
  const mergedAt = begun.toISOString();
  await store.changes.record({ ...change, mergedAt });
  await store.changes.record({ ...change, mergedAt });
  await store.changes.record({ ...change, pull: 8, incident: "other", reserved: undefined, mergedAt });
  expect(await store.changes.reservedIn("shop-production")).toEqual([reserved, undefined]);
  expect(await store.changes.reservedIn("shop")).toEqual([]);
  await store.changes.settle(incident.uid);
  expect(await store.changes.reservedIn("shop-production")).toEqual([undefined]);
});

/** An engine that knows these workflows, and what it was told. */
function engine(states: Readonly<Record<string, "running" | "ended" | "stranded">>) {
  const done: string[] = [];
  const keeping: LeaseKeeping = {
    store,
    durable: {
      stateOf: async (workflow) => states[workflow] ?? "absent",
      cancel: async (workflow) => void done.push(`cancel ${workflow}`),
      startLease: async (workflow, { renewals }: Lease) => void done.push(`start ${workflow} at ${renewals}`),
    },
    clock: { now: () => later(61) },
    telemetry: { log: (_incident, _verb, text) => void done.push(text) },
    workflowVersion: "7",
  };
  return { keeping, done };
}

test.each<[string, Parameters<typeof engine>[0], (string | RegExp)[]]>([
  ["is started", {}, [`start ${uid}/lease/0 at 0`]],
  ["is left to the workflow that looks at it", { [`${uid}/lease/0`]: "running" }, []],
  [
    "is given to a new workflow when a release stranded the old one",
    { [`${uid}/lease/0`]: "stranded" },
    [`cancel ${uid}/lease/0`, `start ${uid}/lease/0/v7 at 0`],
  ],
  [
    "is renewed for a while when its workflow was stopped",
    { [`${uid}/lease/0`]: "ended" },
    [expect.stringMatching(/^renewed until .*: its workflow stopped/)],
  ],
])("a lease whose time is up %s", async (_, states, done) => {
  await store.leases.begin(lease);
  const world = engine(states);
  await reconcileLeases(world.keeping);
  expect(world.done).toEqual(done);
});

test("after a restart the workflow of a lease is not started twice", async () => {
  await store.leases.begin(lease);
  await reconcileLeases(engine({}).keeping);
  const again = engine({ [`${uid}/lease/0`]: "running" });
  await reconcileLeases(again.keeping);
  expect(again.done).toEqual([]);
});

test("what was merged and reverted is known by workload, whoever asks", async () => {
  const { incident, remediation } = lease;
  const at = (minutes: number) => later(minutes).toISOString();
  const change = { incident: incident.uid, workload: remediation.workload, reserved: undefined };
  const remedy = { kind: "scale", title: "scale web from 2 to 4 replicas", effect: "e" };
  await store.changes.record({ ...change, pull: 7, mergedAt: at(0), remedy });
  expect(await store.changes.revertedChanges("shop-production/Deployment/web", at(-60))).toEqual([]);
  const back = { ...remedy, kind: "revert", effect: "b", takesBack: 7 };
  await store.changes.record({ ...change, pull: 8, mergedAt: at(20), remedy: back });
  // What an older release merged says nothing.
  await store.changes.record({ ...change, pull: 9, mergedAt: at(30) });
  expect(await store.changes.revertedChanges("shop-production/Deployment/web", at(-60))).toEqual([
    { remedy, pull: 7, mergedAt: at(0), back: 8, backAt: at(20) },
  ]);
  expect(await store.changes.revertedChanges("shop-production/Deployment/web", at(25))).toEqual([]);
  expect(await store.changes.revertedChanges("shop-production/Deployment/other", at(-60))).toEqual([]);
});
