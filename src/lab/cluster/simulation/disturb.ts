import { parseQuantity } from "../../../domain/kubernetes/quantity.ts";
import { setsOf } from "../objects/deployments.ts";
import { at, containersOf, type KubeObject } from "../objects/kube-object.ts";
import { podsOf, type Fleet } from "../objects/pods.ts";
import type { Sample } from "../metrics/series-store.ts";
import type { Burden } from "./service-model.ts";
import { writeLine } from "./log-lines.ts";
import { type ClusterState, isDue } from "../world.ts";
import type { FaultEffect } from "./fault-effect.ts";

/** Lets the fault do its harm while what is rendered makes it active, and ends all of it once that is over. */
export function disturb(world: ClusterState): void {
  const { fault } = world.settings;
  if (fault === undefined || !world.clock.live) return;
  const { disturbance } = world;
  const active = fault.holds(world.desired);
  if (!active) {
    if (disturbance.since !== undefined) calm(world);
    return;
  }
  disturbance.since ??= world.clock.nowMs;
  const speaks = isDue(world, "fault events", 1_000);
  for (const effect of fault.effects) {
    const name = effect.workload?.name ?? fault.workload.name;
    const deployment = world.kube.named("Deployment", name);
    if (deployment === undefined) continue;
    const pods = suffering(world.fleet, deployment, effect);
    if (effect.pods !== undefined) for (const pod of pods) makeSuffer(world, pod, effect.pods);
    if (effect.node !== undefined) markNode(world, pods, effect.node);
    if (speaks) speak(world, { deployment, pods, effect });
  }
}

type Pods = NonNullable<FaultEffect["pods"]>;

function suffering(fleet: Fleet, deployment: KubeObject, { pods }: FaultEffect): KubeObject[] {
  const sets = setsOf(fleet, deployment);
  const revision = (set: KubeObject) => Number(set.metadata.annotations?.["deployment.kubernetes.io/revision"] ?? 0);
  const newest = Math.max(...sets.map(revision));
  const meant = pods?.which === "all" ? sets : sets.filter((set) => revision(set) === newest);
  return meant.flatMap((set) => podsOf(fleet.store, set));
}

function makeSuffer({ kube, fleet, disturbance, clock }: ClusterState, pod: KubeObject, pods: Pods): void {
  if (pods.which === "none") return;
  disturbance.pods.add(pod.metadata.name);
  const minutes = (clock.nowMs - (disturbance.since ?? clock.nowMs)) / 60_000;
  const restarts = pods.restarts === undefined ? 0 : Math.max(1, Math.floor(minutes * pods.restarts));
  if (!pods.ready) fleet.readyAt.set(pod.metadata.name, Number.POSITIVE_INFINITY);
  const status = statusOf(pod, pods, { restarts, now: kube.nowIso() });
  if (JSON.stringify(status) === JSON.stringify(pod.status)) return;
  pod.status = status;
  kube.put(pod);
}

function statusOf(pod: KubeObject, pods: Pods, { restarts, now }: { restarts: number; now: string }) {
  const held = pods.unschedulable !== undefined && pods.unschedulable !== false;
  const since = String(at(pod, "status", "startTime") ?? now);
  const ready = { type: "Ready", status: pods.ready ? "True" : "False", lastTransitionTime: since };
  const scheduled = held
    ? {
        type: "PodScheduled",
        status: "False",
        reason: "Unschedulable",
        message: wordsOf(pods.unschedulable, "0/3 nodes are available"),
        lastTransitionTime: since,
      }
    : { type: "PodScheduled", status: "True", lastTransitionTime: since };
  const last =
    pods.terminated === undefined ? {} : { terminated: { ...pods.terminated, startedAt: since, finishedAt: now } };
  const state = pods.waiting === undefined ? { running: { startedAt: since } } : { waiting: pods.waiting };
  const containers = containersOf(pod.spec);
  const one = ({ name, image }: { name: string; image: string }, index: number) => {
    const meant = pods.container === undefined ? index === 0 : name === pods.container;
    const own = meant
      ? { ready: pods.ready, state, lastState: last, restartCount: restarts }
      : { ready: pods.ready, state: { running: { startedAt: since } }, lastState: {}, restartCount: 0 };
    return { name, image, started: pods.ready, ...own };
  };
  const inits = containersOf({ containers: at(pod.spec, "initContainers") ?? [{ name: "init", image: "init" }] });
  const waitsForInit = {
    ready: false,
    state: { waiting: { reason: "PodInitializing" } },
    lastState: {},
    restartCount: 0,
    started: false,
  };
  const evicted =
    pods.evicted === undefined || pods.evicted === false
      ? {}
      : { reason: "Evicted", message: wordsOf(pods.evicted, "The node was low on resource: memory.") };
  return {
    phase: pods.phase ?? (held || pods.waiting !== undefined ? "Pending" : "Running"),
    startTime: since,
    ...evicted,
    conditions: [scheduled, { ...ready, type: "ContainersReady" }, ready],
    ...(held
      ? {}
      : {
          containerStatuses:
            pods.init === true
              ? containers.map(({ name, image }) => ({ name, image, ...waitsForInit }))
              : containers.map(one),
        }),
    ...(pods.init === true && !held ? { initContainerStatuses: inits.map(one) } : {}),
  };
}

function wordsOf(value: string | boolean | undefined, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function markNode(
  world: ClusterState,
  pods: readonly KubeObject[],
  { name, condition }: NonNullable<FaultEffect["node"]>,
): void {
  const node = name ?? String(at(pods[0], "spec", "nodeName") ?? "node-1");
  world.disturbance.nodes.add(`${node} ${condition}`);
  setCondition(world, node, condition, true);
}

function setCondition({ kube }: ClusterState, node: string, condition: string, holds: boolean): void {
  const conditions = at(kube.get("Node", undefined, node), "status", "conditions");
  for (const item of (conditions ?? []) as { type: string; status: string }[]) {
    if (item.type === condition) item.status = holds === (condition === "Ready") ? "False" : "True";
  }
}

interface Speaking {
  readonly deployment: KubeObject;
  readonly pods: readonly KubeObject[];
  readonly effect: FaultEffect;
}

function speak(world: ClusterState, { deployment, pods, effect }: Speaking): void {
  const { kube } = world;
  const set = setsOf(world.fleet, deployment).at(-1);
  const hpa = kube
    .list("HorizontalPodAutoscaler")
    .find((item) => at(item, "spec", "scaleTargetRef", "name") === deployment.metadata.name);
  const about = { pod: pods[0], replicaset: set, workload: deployment, deployment, hpa };
  for (const { on, type, reason, message } of effect.events) {
    kube.note(about[on] ?? deployment, {
      type,
      reason,
      message: message.replaceAll("{pod}", pods[0]?.metadata.name ?? ""),
    });
  }
  const writer = pods[0] ?? set;
  for (const { line, every } of effect.logs) {
    if (writer !== undefined && isDue(world, `fault log ${line}`, every * 1_000)) writeLine(world, writer, line);
  }
}

/** Everything that the fault held is let go: pods start as they would. */
function calm(world: ClusterState): void {
  const { disturbance, fleet, clock, kube } = world;
  disturbance.since = undefined;
  for (const pod of kube.list("Pod")) {
    if (!disturbance.pods.has(pod.metadata.name)) continue;
    const owner = String(pod.metadata.labels?.app ?? pod.metadata.name);
    fleet.readyAt.set(pod.metadata.name, clock.nowMs + fleet.podStartMs(owner));
  }
  for (const mark of disturbance.nodes) {
    const [node = "", condition = ""] = mark.split(" ");
    setCondition(world, node, condition, condition === "Ready");
  }
  disturbance.pods.clear();
  disturbance.nodes.clear();
}

function effectsOn({ settings, disturbance }: ClusterState, name: string): readonly FaultEffect[] {
  const { fault } = settings;
  if (fault === undefined || disturbance.since === undefined) return [];
  return fault.effects.filter((effect) => (effect.workload?.name ?? fault.workload.name) === name);
}

/** What the fault adds to how a workload serves. */
export function burdenByFault(world: ClusterState, name: string, burden: Burden): Burden {
  return effectsOn(world, name).reduce(
    (so, { traffic, resources }) => ({
      capacityFactor: so.capacityFactor * (traffic?.capacityFactor ?? 1),
      extraMs: so.extraMs + (traffic?.latencyMs ?? 0),
      extraErrorShare: Math.min(1, so.extraErrorShare + (traffic?.errorShare ?? 0)),
      cpuFactor: so.cpuFactor * (resources?.cpuFactor ?? 1),
    }),
    burden,
  );
}

/** Requests from outside while the fault is active. */
export function loadByFault(world: ClusterState, name: string, usual: number): number {
  return effectsOn(world, name).reduce((load, { traffic }) => (traffic?.load ?? load) * (traffic?.share ?? 1), usual);
}

/** Bytes of one replica while the fault is active. */
export function memoryByFault(world: ClusterState, name: string, usual: number): number {
  const seconds = (world.clock.nowMs - (world.disturbance.since ?? world.clock.nowMs)) / 1000;
  return effectsOn(world, name).reduce((bytes, { resources }) => {
    const level = resources?.memory === undefined ? bytes : (parseQuantity(resources.memory) ?? bytes);
    return level + (parseQuantity(resources?.memoryGrowth ?? "0") ?? 0) * seconds;
  }, usual);
}

/** The series by which an alert without an expression of its own knows the fault. */
export function faultSamples({ settings, disturbance }: ClusterState): Sample[] {
  const { fault } = settings;
  if (fault === undefined) return [];
  const { kind, namespace, name } = fault.workload;
  const labels = { namespace, [kind.toLowerCase()]: name };
  return [{ name: "lab_fault", labels, value: disturbance.since === undefined ? 0 : 1 }];
}

/** Why the fault lets no new pod of this workload be created; undefined = it does. */
export function refusalByFault({ settings, clock, desired }: ClusterState, name: string): string | undefined {
  const { fault } = settings;
  // Asked before the tick that notices the fault: the first pod is refused already.
  if (fault === undefined || !clock.live || !fault.holds(desired)) return undefined;
  const mine = fault.effects.filter((effect) => (effect.workload?.name ?? fault.workload.name) === name);
  return mine.find(({ pods }) => pods?.refused !== undefined)?.pods?.refused;
}
