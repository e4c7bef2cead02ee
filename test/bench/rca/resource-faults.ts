import type { EvidenceKey, Finding, Series } from "../../../src/domain/evidence/evidence.ts";
import { type Evidence, evidenceOf } from "../../../src/domain/evidence/evidence.ts";
import { type Incident, openIncident } from "../../../src/domain/incident/incident.ts";
import type { Workload } from "../../../src/domain/kubernetes/workload.ts";
import { type Random, randomFrom } from "./random.ts";

/**
 * Made-up applications whose resources alone are measured: CPU, memory, the share of throttled periods. Every seed has
 * its own size, resolution, noise, normal period and stretch of the incident, which lies after a hole (another day) or
 * follows the normal period at once. Seeds below 100 may be looked at while the ranker is changed; from 100 on they
 * are for measuring only.
 */
export interface FaultCase {
  readonly seed: number;
  readonly kind: FaultKind;
  /** Where in the stretch the fault begins, 0 to 1; 0 = it is older than all of it. */
  readonly begin: number;
  /** Whether the alert's start says when it began, or only that it lasts until now. */
  readonly known: boolean;
}

export type FaultKind = "cpu" | "memory" | "throttling" | "none";

/** One incident as the diagnosis sees it. */
interface FaultIncident {
  readonly incident: Incident;
  readonly evidence: readonly Evidence[];
  /** The service whose fault it is; undefined = nothing is wrong. */
  readonly culprit: string | undefined;
}

interface Service {
  readonly name: string;
  readonly callers: readonly number[];
  readonly cpu: number;
  readonly memory: number;
  readonly noise: number;
  readonly keeps: number;
  readonly spikes: number;
  readonly memoryNoise: number;
  /** Growth of the memory for each point until it is collected. */
  readonly growth: number;
  readonly throttled: number;
}

interface Application {
  readonly services: readonly Service[];
  readonly step: number;
  readonly normal: number;
  readonly stretch: number;
  readonly isApart: boolean;
  readonly graph: boolean;
  /** How far the levels of two days differ, as a standard deviation of the logarithm. */
  readonly day: number;
  /** Over so many points a rate is taken, and so many points hold one value. */
  readonly window: number;
  readonly stairs: number;
}

interface Fault {
  readonly service: number;
  readonly kind: FaultKind;
  /** Index in the stretch; below 0 = before it. */
  readonly from: number;
  readonly size: number;
  readonly isPlateau: boolean;
}

type Metric = "cpu" | "memory" | "throttled";
const metrics: readonly Metric[] = ["cpu", "memory", "throttled"];
const keys: Readonly<Record<Metric, EvidenceKey>> = {
  ...{ cpu: "cpu-used", memory: "memory-used", throttled: "cpu-throttled" },
};
const namespace = "made-up";
const longAgo = 86_400;

/** Makes the incident of one fault; the same case gives the same incident. */
export function incidentOfFault(faultCase: FaultCase): FaultIncident {
  const app = applicationOf(randomFrom(faultCase.seed), faultCase.begin === 0);
  const random = randomFrom(faultCase.seed * 7919 + Math.round(faultCase.begin * 100) * 31 + faultCase.kind.length);
  const fault = faultOf(faultCase, app, random);
  const { normal, stretch, step } = app;
  const gap = app.isApart ? longAgo : step;
  const end = 1_800_000_000;
  const times = Array.from({ length: normal + stretch }, (_, at) =>
    at < normal
      ? end - gap - (stretch - 1) * step - (normal - 1 - at) * step
      : end - (normal + stretch - 1 - at) * step,
  );
  const measured = new Map<EvidenceKey, Series[]>(metrics.map((metric) => [keys[metric], []]));
  app.services.forEach((service, index) => {
    const values = valuesOf(service, index, { app, fault, random });
    const labels = { namespace, deployment: service.name };
    for (const metric of metrics) {
      const points = times.map((time, at) => [time, values[metric][at] ?? 0] as const);
      measured.get(keys[metric])?.push({ labels, points });
    }
  });
  if (app.graph) measured.set("calls", callsIn(app, end));
  const began = times[normal + Math.max(0, fault?.from ?? 0)] ?? end;
  const older = fault !== undefined && fault.from < 0 ? -fault.from * step : 0;
  const startsAt = faultCase.known ? Math.min(end, began - older + 2 * step) : end;
  const culprit = fault && app.services[fault.service]?.name;
  return { ...incidentOf(app, startsAt, measured), culprit };
}

function incidentOf({ services }: Application, startsAt: number, measured: ReadonlyMap<EvidenceKey, Series[]>) {
  const at = new Date(startsAt * 1000).toISOString();
  const home: Workload = { kind: "Deployment", namespace, name: services[0]?.name ?? "" };
  const incident = openIncident("made-up", home, {
    ...{ fingerprint: "made-up", name: "Symptom", status: "firing", annotations: {}, startsAt: at, generatorUrl: "" },
    labels: { severity: "critical", namespace, deployment: home.name },
  });
  const alert: Finding = { kind: "facts", facts: { alertname: "Symptom", startsAt: at }, notes: [] };
  const series = [...measured].map(([key, all]): [EvidenceKey, Finding] => [
    key,
    { kind: "series", unit: "", series: all, notes: [] },
  ]);
  const items: readonly [EvidenceKey, Finding][] = [["alert", alert], ...series];
  const evidence = items.map(([key, finding], index) =>
    evidenceOf(`E${index + 1}`, { source: "prometheus", key, title: key, query: key, from: at, to: at, finding }),
  );
  return { incident, evidence };
}

function callsIn({ services }: Application, end: number): Series[] {
  return services.flatMap(({ name, callers }) =>
    callers.map((caller) => ({
      labels: { namespace, deployment: services[caller]?.name ?? "", dst_deployment: name },
      points: [[end, 1]] as const,
    })),
  );
}

function applicationOf({ uniform, between, pick }: Random, isOld: boolean): Application {
  const services = Array.from({ length: Math.floor(between(5, 21)) }, (_, index): Service => {
    const callers = index === 0 ? [] : [Math.floor(uniform() ** 1.5 * index), ...(uniform() < 0.2 ? [0] : [])];
    return {
      ...{ name: `part-${index}`, callers: [...new Set(callers)] },
      ...{ cpu: 0.003 * Math.exp(between(0, 4.5)), memory: 2e7 * Math.exp(between(0, 3.5)) },
      ...{ noise: between(0.03, 0.35), keeps: between(0, 0.85), spikes: uniform() < 0.3 ? 0.02 : 0.002 },
      ...{ memoryNoise: between(0.0003, 0.015), growth: uniform() < 0.4 ? between(0.0003, 0.003) : 0 },
      throttled: uniform() < 0.3 ? between(0.005, 0.08) : 0,
    };
  });
  const normal = Math.floor(90 * Math.exp(between(0, 2.4)));
  const stretch = Math.floor(Math.min(6 * Math.exp(between(0, 3.9)), 1.5 * normal));
  const isApart = uniform() < 0.7;
  return {
    ...{ services, normal, stretch, isApart: isApart || isOld, step: pick([1, 5, 15, 30, 60, 60]) },
    ...{ graph: uniform() < 0.5, day: between(0.01, 0.12), window: pick([1, 1, 2, 4]), stairs: pick([1, 1, 1, 5]) },
  };
}

function faultOf(
  { kind, begin }: FaultCase,
  { services, stretch }: Application,
  { uniform, between }: Random,
): Fault | undefined {
  const service = Math.floor(uniform() * services.length);
  const size = between(0, 1);
  const isPlateau = uniform() < 0.5;
  const from = begin === 0 ? -Math.ceil(stretch * between(0.1, 2)) : Math.round(begin * stretch);
  return kind === "none" ? undefined : { service, kind, from: Math.min(from, stretch - 3), size, isPlateau };
}

interface Lived {
  readonly app: Application;
  readonly fault: Fault | undefined;
  readonly random: Random;
}

function valuesOf(service: Service, index: number, { app, fault, random }: Lived): Record<Metric, number[]> {
  const { gauss, uniform } = random;
  const { normal, stretch } = app;
  const spread = app.isApart ? app.day : 0;
  const days = { cpu: Math.exp(spread * gauss()), memory: Math.exp(spread * gauss()) };
  const isCaller = fault !== undefined && app.services[fault.service]?.callers.includes(index) === true;
  const restart = fault === undefined && uniform() < 0.2 ? normal + Math.floor(uniform() * stretch) : undefined;
  const found: Record<Metric, number[]> = { cpu: [], memory: [], throttled: [] };
  let walk = 0;
  let grown = 0;
  for (let at = 0; at < normal + stretch; at += 1) {
    walk = service.keeps * walk + service.noise * gauss() * Math.sqrt(1 - service.keeps ** 2);
    grown = uniform() < 0.02 || grown > 0.2 ? 0 : grown + service.growth;
    const since = fault === undefined ? -1 : at - normal - fault.from;
    const isOn = at >= normal && since >= 0;
    const extra = fault && isOn && fault.service === index ? extraOf(fault, since, app) : nothingMore;
    const day = at < normal ? { cpu: 1, memory: 1 } : days;
    const load = (1 + 0.15 * Math.sin(at / 90)) * (isOn && isCaller ? 0.8 : 1);
    const spike = uniform() < service.spikes ? 1 + 3 * uniform() : 1;
    const fresh = restart !== undefined && at >= restart ? 1 - 0.5 * Math.exp(-(at - restart) / 20) : 1;
    found.cpu.push(service.cpu * (day.cpu * load * Math.exp(walk * extra.calm) * spike + extra.cpu * wobble(random)));
    const held = day.memory * fresh * (1 + grown + service.memoryNoise * gauss()) + extra.memory;
    found.memory.push(Math.round(service.memory * held));
    const share = service.throttled * uniform() + extra.throttled * wobble(random);
    found.throttled.push(Math.min(1, share));
  }
  return {
    cpu: stairs(averaged(found.cpu, app.window), app.stairs),
    memory: stairs(found.memory, app.stairs),
    throttled: stairs(averaged(found.throttled, app.window), app.stairs),
  };
}

const nothingMore = { cpu: 0, memory: 0, throttled: 0, calm: 1 };

/** What the fault adds, `since` points after its begin: CPU and memory in usual amounts. */
function extraOf({ kind, size, isPlateau }: Fault, since: number, { stretch }: Application): typeof nothingMore {
  if (kind === "cpu") return { ...nothingMore, cpu: 1.5 + 15 * size ** 2 };
  if (kind === "throttling") return { cpu: 0.4 + size, memory: 0, throttled: 0.3 + 0.5 * size, calm: 0.3 };
  // Growth goes on until the end, or stops at what the program wants.
  const end = (0.6 + 3 * size) * (isPlateau ? 1 : 1 + since / stretch);
  return { ...nothingMore, memory: end * Math.min(1, (since + 1) / Math.max(3, 0.3 * stretch)) };
}

function wobble({ uniform }: Random): number {
  return 0.9 + 0.2 * uniform();
}

/** As a rate over a window of so many points shows it. */
function averaged(values: readonly number[], window: number): number[] {
  return values.map((_, at) => {
    const part = values.slice(Math.max(0, at - window + 1), at + 1);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

/** As a source shows it that is asked more often than it measures. */
function stairs(values: readonly number[], width: number): number[] {
  return values.map((value, at) => values[at - (at % width)] ?? value);
}
