import { parseQuantity } from "../../../domain/kubernetes/quantity.ts";
import { reconcileAutoscalers } from "../objects/autoscaler.ts";
import { imageTag, reconcileDeployments } from "../objects/deployments.ts";
import { kubeStateSamples } from "../metrics/exporters.ts";
import { at, containersOf, type KubeObject } from "../objects/kube-object.ts";
import { oomKill, ripen } from "../objects/pods.ts";
import { reportQuotas } from "../objects/quota.ts";
import { alertSamples, evaluateRules, recordedSamples } from "../metrics/rules.ts";
import { oncePer } from "../metrics/once-per.ts";
import type { Labels, Sample } from "../metrics/series-store.ts";
import type { Burden, Load } from "./service-model.ts";
import { plainService } from "./shop.ts";
import { readyPods } from "./workload-pods.ts";
import { writeLogs } from "./log-lines.ts";
import { type Flow, runTraffic } from "./traffic.ts";
import { burdenByFault, disturb, faultSamples, loadByFault, memoryByFault, refusalByFault } from "./disturb.ts";
import { isDue, type ClusterState } from "../world.ts";

/** One tick: requests run, controllers act, Prometheus scrapes and evaluates. */
export function step(world: ClusterState): void {
  const { settings, clock, kube, fleet } = world;
  const tickMs = tickOf(world);
  clock.nowMs += tickMs;
  fleet.refuses = (name) => refusalByFault(world, name);
  reconcileDeployments(fleet);
  ripen(fleet);
  disturb(world);
  const deployments = kube.list("Deployment");
  letTrafficRun(world, deployments, tickMs / 1000);
  if (isDue(world, "autoscale", settings.autoscaleMs)) {
    reconcileAutoscalers(kube, world.autoscaler, {
      ...{ nowMs: clock.nowMs, scaleDownMs: settings.scaleDownMs },
      usage: (name) => ({ cores: world.flows.get(name)?.cores ?? 0, ready: readyPods(world, name).length }),
    });
  }
  if (isDue(world, "scrape", settings.scrapeMs)) scrape(world);
  // Before the scenario only its last moments need rules: nothing fires in a quiet shop.
  if (isNearlyLive(world) && isDue(world, "rules", settings.rulesMs)) evaluateAll(world);
}

function isNearlyLive({ clock }: ClusterState): boolean {
  return clock.nowMs > clock.startMs - 15_000;
}

/** The quiet past is only a background: coarse ticks will do. */
function tickOf({ settings, clock }: ClusterState): number {
  return clock.live ? settings.tickMs : Math.max(settings.tickMs, settings.scrapeMs);
}

/** Lets the requests of some seconds run; the counters of every pod grow. */
export function letTrafficRun(world: ClusterState, deployments: readonly KubeObject[], seconds: number): void {
  const { settings, clock, backlogs } = world;
  const byName = new Map(deployments.map((deployment) => [deployment.metadata.name, deployment]));
  const t = (clock.nowMs - clock.startMs) / 1000;
  const noise = () => 1 + (world.fleet.random() - 0.5) * 0.06;
  const external = (name: string) =>
    Math.max(0, loadByFault(world, name, world.loads.get(name) ?? settings.load(name, t)) * noise());
  const graph = { workloads: [...byName.keys()], calls: settings.calls };
  const loadOf = (name: string, offered: number) => loadFor(world, byName.get(name), { name, offered, seconds });
  world.flows = runTraffic(graph, external, loadOf, world.fleet.random);
  for (const [name, flow] of world.flows) {
    backlogs.set(name, flow.backlog);
    const pods = readyPods(world, name);
    const memoryPerPod = memoryByFault(world, name, memoryOf(world, flow, pods.length));
    world.counters.count(flow, pods, { seconds, flows: world.flows, memoryPerPod });
    const limit = parseQuantity(containersOf(pods[0]?.spec)[0]?.limits.memory ?? "");
    if (limit !== undefined && memoryPerPod > limit) for (const pod of pods) oomKill(world.fleet, pod, name);
  }
}

const noBurden: Burden = { capacityFactor: 1, extraMs: 0, extraErrorShare: 0, cpuFactor: 1 };

function loadFor(
  world: ClusterState,
  deployment: KubeObject | undefined,
  { name, offered, seconds }: { readonly name: string; readonly offered: number; readonly seconds: number },
): Load {
  const { settings, firstReady } = world;
  const ready = readyPods(world, name);
  const limit = containersOf(at(deployment, "spec", "template", "spec"))[0]?.limits.cpu;
  if (!firstReady.has(name) && ready.length > 0) firstReady.set(name, ready.length);
  const first = firstReady.get(name) ?? ready.length;
  // Behind a lock more replicas only wait for each other, and a little more so.
  const usefulReplicas =
    settings.noHelp === name
      ? Math.min(ready.length, first) / (1 + 0.05 * Math.max(0, ready.length - first))
      : ready.length;
  return {
    ...{
      model: settings.services[name] ?? plainService,
      burden: burdenByFault(world, name, burdenOf(world, name, ready)),
    },
    ...{ readyReplicas: ready.length, usefulReplicas, offered, seconds },
    cpuLimit: limit === undefined ? undefined : parseQuantity(limit),
    backlog: world.backlogs.get(name) ?? 0,
  };
}

/** The effect of bad images in the share of the ready pods that run them. */
function burdenOf({ settings }: ClusterState, name: string, ready: readonly KubeObject[]): Burden {
  const bad = settings.badImages.filter((image) => image.workload === name);
  return bad.reduce<Burden>((burden, { tag, effect }) => {
    const running = ready.filter((pod) => imageTag({ ...pod, spec: { template: { spec: pod.spec } } }) === tag).length;
    if (running === 0) return burden;
    const share = running / ready.length;
    const mixed = (one: number, other: number) => one + (other - one) * share;
    return {
      capacityFactor: burden.capacityFactor * mixed(1, effect.capacityFactor ?? 1),
      extraMs: burden.extraMs + mixed(0, effect.extraMs ?? 0),
      extraErrorShare: Math.min(1, burden.extraErrorShare + mixed(0, effect.extraErrorShare ?? 0)),
      cpuFactor: burden.cpuFactor * mixed(1, effect.cpuFactor ?? 1),
    };
  }, noBurden);
}

function memoryOf({ settings }: ClusterState, flow: Flow, pods: number): number {
  const model = settings.services[flow.name] ?? plainService;
  return model.memoryBytes + (model.memoryPerRequest * flow.backlog) / Math.max(1, pods);
}

function scrape(world: ClusterState): void {
  const { kube, clock, series, counters } = world;
  const pods = kube.list("Pod");
  const alive = new Set(pods.map((pod) => pod.metadata.name));
  const up = pods.map((pod): Sample => ({ name: "up", labels: proxyOf(pod), value: 1 }));
  reportQuotas(kube);
  series.append("scrape", clock.nowMs, [
    ...up,
    ...kubeStateSamples(kube),
    ...counters.samples(alive),
    ...faultSamples(world),
  ]);
  if (isNearlyLive(world)) series.append("record", clock.nowMs, recordedSamples(series, clock.nowMs));
  if (isDue(world, "logs", 1_000)) writeLogs(world);
}

/** One object for each pod, as for every label set that comes with each scrape. */
const proxyOf = oncePer(({ metadata: { namespace = "", name } }: KubeObject): Labels => {
  return { job: "linkerd-proxy", namespace, pod: name };
});

function evaluateAll(world: ClusterState): void {
  const { series, clock, settings } = world;
  world.alerts = evaluateRules(settings.rules, world.alerts, { store: series, atMs: clock.nowMs });
  series.append("alerts", clock.nowMs, alertSamples(world.alerts));
}
