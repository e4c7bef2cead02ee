import type { RenderedObject } from "../../domain/kubernetes/rendered.ts";
import type { Disturbance, LabFault } from "./simulation/fault-state.ts";
import type { AutoscalerState } from "./objects/autoscaler.ts";
import type { Desired, GitopsEntry } from "./objects/gitops.ts";
import { createKubeStore, type KubeStore } from "./objects/kube-store.ts";
import { createLogStore, type LogStore } from "./servers/loki-api.ts";
import { type Counters, createCounters } from "./metrics/mesh.ts";
import type { Fleet } from "./objects/pods.ts";
import { randomFrom } from "./simulation/random.ts";
import type { ActiveAlert, LabRule } from "./metrics/rules.ts";
import { createSeriesStore, type SeriesStore } from "./metrics/series-store.ts";
import type { Burden, Call, ServiceModel } from "./simulation/service-model.ts";
import type { Flow } from "./simulation/traffic.ts";

/** What an image does to its workload while it runs. */
export interface BadImage {
  readonly workload: string;
  readonly tag: string;
  readonly effect: Partial<Burden>;
}

export interface SimulationSettings {
  readonly desired: () => Promise<Desired>;
  readonly entry: GitopsEntry;
  readonly more?: readonly { readonly desired: () => Promise<Desired>; readonly entry: GitopsEntry }[];
  readonly load: (workload: string, tSeconds: number) => number;
  readonly services: Readonly<Record<string, ServiceModel>>;
  readonly calls: readonly Call[];
  readonly rules: readonly LabRule[];
  readonly badImages: readonly BadImage[];
  readonly noHelp: string | undefined;
  readonly seed: number;
  readonly podStartMs: number | ((workload: string) => number);
  readonly tickMs: number;
  readonly scrapeMs: number;
  /** What the series store keeps. */
  readonly retentionMs: number;
  readonly latencyBoundsMs: readonly number[];
  readonly rulesMs: number;
  readonly syncMs: number;
  readonly autoscaleMs: number;
  readonly scaleDownMs: number;
  readonly historyMs: number;
  /** What goes wrong while what is rendered makes it so. */
  readonly fault: LabFault | undefined;
}

/** Everything that changes while the simulation runs. */
export interface ClusterState {
  readonly settings: SimulationSettings;
  readonly clock: { nowMs: number; startMs: number; live: boolean };
  readonly kube: KubeStore;
  readonly fleet: Fleet;
  readonly series: SeriesStore;
  readonly logs: LogStore;
  readonly counters: Counters;
  readonly autoscaler: AutoscalerState;
  /** Loads set by hand, by workload. */
  readonly loads: Map<string, number>;
  readonly backlogs: Map<string, number>;
  /** Ready replicas of the workload that more replicas do not help, when it was first seen. */
  readonly firstReady: Map<string, number>;
  /** When each periodic job ran last. */
  readonly ranAt: Map<string, number>;
  readonly sync: SyncState;
  /** What the cluster was last told to run, as it was rendered. */
  desired: readonly RenderedObject[];
  readonly disturbance: Disturbance;
  flows: ReadonlyMap<string, Flow>;
  alerts: readonly ActiveAlert[];
}

interface SyncState {
  suspended: boolean;
  applied: string | undefined;
  seen: string | undefined;
  /** The look at Git that is under way. */
  running: Promise<void> | undefined;
}

export function createWorld(settings: SimulationSettings, nowMs: number): ClusterState {
  const clock = { nowMs: nowMs - settings.historyMs, startMs: nowMs, live: false };
  const now = () => clock.nowMs;
  const kube = createKubeStore(now);
  const { podStartMs } = settings;
  const random = randomFrom(settings.seed);
  const fleet: Fleet = {
    ...{ store: kube, random, now, readyAt: new Map() },
    // What runs before the scenario begins has long started.
    podStartMs: (name) => (!clock.live ? 0 : typeof podStartMs === "number" ? podStartMs : podStartMs(name)),
  };
  for (const name of ["node-1", "node-2", "node-3"]) kube.put(nodeObject(name));
  return {
    ...{ settings, clock, kube, fleet, series: createSeriesStore(settings.retentionMs), logs: createLogStore() },
    ...{ counters: createCounters(settings.latencyBoundsMs), autoscaler: { recommended: new Map() } },
    ...{ loads: new Map(), backlogs: new Map(), firstReady: new Map(), ranAt: new Map() },
    sync: { suspended: false, applied: undefined, seen: undefined, running: undefined },
    ...{
      flows: new Map(),
      alerts: [],
      desired: [],
      disturbance: { since: undefined, pods: new Set(), nodes: new Set() },
    },
  };
}

const pressures = ["MemoryPressure", "DiskPressure", "PIDPressure"];

function nodeObject(name: string) {
  const conditions = [...pressures.map((type) => ({ type, status: "False" })), { type: "Ready", status: "True" }];
  const allocatable = { cpu: "8", memory: "32Gi", pods: "110" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name } },
    spec: {},
    status: { conditions, allocatable, capacity: allocatable },
  };
}

/** True when the job is due; then it counts as run. */
export function isDue(world: ClusterState, job: string, everyMs: number): boolean {
  const last = world.ranAt.get(job);
  if (last !== undefined && world.clock.nowMs - last < everyMs) return false;
  world.ranAt.set(job, world.clock.nowMs);
  return true;
}
