import { applyDesired, reportSyncFailure } from "../objects/gitops.ts";
import { numberAt, at } from "../objects/kube-object.ts";
import { oomKill } from "../objects/pods.ts";
import type { ActiveAlert } from "../metrics/rules.ts";
import { step } from "./step.ts";
import { podsOfWorkload, readyPods } from "./workload-pods.ts";
import { writeLine } from "./log-lines.ts";
import { createWorld, isDue, type SimulationSettings, type ClusterState } from "../world.ts";

/** How one workload does at this moment. */
export interface WorkloadView {
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly requestsPerSecond: number;
  readonly utilisation: number;
  readonly p99Ms: number;
  readonly failedShare: number;
  readonly cores: number;
}

type Notify = (alerts: readonly ActiveAlert[], atMs: number) => void;

export type Simulation = ReturnType<typeof createSimulation>;

/** The model behind the APIs. Its clock starts `historyMs` ago and is brought to now by `begin`. */
export function createSimulation(settings: SimulationSettings, notify: Notify) {
  const world = createWorld(settings, Date.now());
  const { clock } = world;
  const tell = () =>
    notify(
      world.alerts.filter((alert) => alert.state === "firing"),
      clock.nowMs,
    );
  return {
    kube: world.kube,
    series: world.series,
    logs: world.logs,
    now: () => clock.nowMs,
    alerts: () => world.alerts,
    controls: controlsOf(world),
    begin: async () => {
      await syncOnce(world);
      while (clock.nowMs < clock.startMs) step(world);
      clock.live = true;
    },
    /** Follows the real clock; the answer stops it, and is done when nothing writes any more. */
    run: () => {
      const timer = setInterval(() => {
        const now = Date.now();
        // A machine that was asleep does not have to live through every missed tick.
        if (now - clock.nowMs > 10_000) clock.nowMs = now - settings.tickMs;
        while (clock.nowMs + settings.tickMs <= now) step(world);
        tell();
        if (isDue(world, "sync", settings.syncMs)) void syncOnce(world);
      }, settings.tickMs);
      return async () => {
        clearInterval(timer);
        await world.sync.running;
      };
    },
    advance: async (ms: number, settle: () => Promise<void>) => {
      const end = clock.nowMs + ms;
      while (clock.nowMs < end) {
        if (isDue(world, "sync", settings.syncMs)) await syncOnce(world);
        step(world);
        tell();
        await settle();
      }
    },
  };
}

/** One look at Git at a time, as source-controller and kustomize-controller take it. */
async function syncOnce(world: ClusterState): Promise<void> {
  const { sync } = world;
  if (sync.running || sync.suspended) return;
  sync.running = lookAtGit(world);
  try {
    await sync.running;
  } finally {
    sync.running = undefined;
  }
}

/** A failure is written into the controller's object. */
async function lookAtGit(world: ClusterState): Promise<void> {
  const { sync, settings, kube } = world;
  try {
    const sources = [{ desired: settings.desired, entry: settings.entry }, ...(settings.more ?? [])];
    const wanted = await Promise.all(sources.map(async ({ desired, entry }) => ({ entry, desired: await desired() })));
    const revision = wanted.map(({ desired }) => desired.revision).join("+");
    sync.seen = revision;
    if (sync.suspended) return;
    for (const { entry, desired } of wanted) applyDesired(kube, entry, desired);
    world.desired = wanted.flatMap(({ desired }) => desired.objects);
    sync.applied = revision;
  } catch (error) {
    reportSyncFailure(kube, settings.entry, error instanceof Error ? error.message : String(error));
    if (!world.clock.live) throw error;
  }
}

function controlsOf(world: ClusterState) {
  const { kube, sync } = world;
  return {
    setLoad: (workload: string, requestsPerSecond: number) => {
      world.loads.set(workload, requestsPerSecond);
    },
    inject: (workload: string, line: string) => {
      const pod = podsOfWorkload(world, workload)[0];
      if (pod) writeLine(world, pod, line);
    },
    stateOf: (workload: string) => viewOf(world, workload),
    suspendSync: (suspended: boolean) => {
      sync.suspended = suspended;
    },
    isSynced: () => sync.applied !== undefined && sync.applied === sync.seen && isRolledOut(world),
    appliedRevision: () => sync.applied,
    oomKill: (workload: string) => {
      for (const pod of podsOfWorkload(world, workload)) oomKill(world.fleet, pod, workload);
    },
    setNodeCondition: (node: string, condition: string, holds: boolean) => {
      const found = kube.get("Node", undefined, node);
      const conditions = at(found, "status", "conditions") as { type: string; status: string }[] | undefined;
      for (const item of conditions ?? []) if (item.type === condition) item.status = holds ? "True" : "False";
    },
  };
}

function isRolledOut({ kube }: ClusterState): boolean {
  return kube.list("Deployment").every((deployment) => {
    const wanted = numberAt(deployment, "spec", "replicas") ?? 1;
    const status = (field: string) => numberAt(deployment, "status", field) ?? 0;
    return status("updatedReplicas") >= wanted && status("readyReplicas") >= wanted;
  });
}

function viewOf(world: ClusterState, workload: string): WorkloadView {
  const flow = world.flows.get(workload);
  const deployment = world.kube.named("Deployment", workload);
  return {
    replicas: numberAt(deployment, "spec", "replicas") ?? (deployment ? 1 : 0),
    readyReplicas: readyPods(world, workload).length,
    requestsPerSecond: flow?.offered ?? 0,
    utilisation: flow?.utilisation ?? 0,
    p99Ms: flow?.latencyMs[Math.floor(flow.latencyMs.length * 0.99)] ?? 0,
    failedShare: flow?.failedShare ?? 0,
    cores: flow?.cores ?? 0,
  };
}
