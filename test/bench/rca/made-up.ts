import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Random, randomFrom } from "./random.ts";

/**
 * Writes made-up applications in the format of `data.ts`: CPU and memory of each service and nothing else, every one
 * with its own size, calls, noise, resolution, length of normal period and of faults. `tsx test/bench/rca/made-up.ts DIR
 * SEED…` writes `DIR/app-SEED` (one CPU or memory fault each) and `DIR/app-SEED-quiet` (another day without any).
 * Seeds from 100 on are for measuring only: no constant of the ranker was chosen while looking at them.
 */
const [root = "", ...seeds] = process.argv.slice(2);
const mostIssues = 24;
for (const seed of seeds.map(Number)) writeApplication(seed);

interface Service {
  readonly name: string;
  readonly callers: readonly number[];
  readonly cpu: number;
  readonly memory: number;
  /** Of the logarithm of the CPU, and how much of it the next point keeps. */
  readonly noise: number;
  readonly keeps: number;
  readonly spikes: number;
  readonly memoryNoise: number;
  /** Growth of the memory for each point until it is collected. */
  readonly growth: number;
  readonly quantum: number;
}

interface Application {
  readonly services: readonly Service[];
  readonly step: number;
  readonly normal: number;
  readonly window: number;
  readonly graph: boolean;
  /** How far the levels of two days differ, as a standard deviation of the logarithm. */
  readonly day: number;
  readonly wave: number;
  readonly random: Random;
}

interface Fault {
  readonly service: number;
  readonly kind: "cpu" | "memory";
  readonly factor: number;
  readonly from: number;
  readonly to: number;
}

function writeApplication(seed: number): void {
  const app = applicationOf(seed);
  const { services, window, random } = app;
  const normal = seriesOf(app, app.normal, 0);
  const kinds = ["cpu", "memory"] as const;
  const all = services.flatMap((_, service) => kinds.map((kind) => ({ service, kind })));
  const chosen = all.sort(() => random.uniform() - 0.5).slice(0, mostIssues);
  const faults = chosen.map((each): Fault => {
    const from = Math.floor(window * random.pick([0, 0, 0, 0.25, 0.5]));
    const length = Math.max(3, Math.round((window - from) * random.pick([1, 1, 1, 0.7])));
    return { ...each, factor: random.between(3, 12), from, to: Math.min(window, from + length) };
  });
  writeFolder(app, `app-${seed}`, normal, faults);
  writeFolder(app, `app-${seed}-quiet`, normal, Array.from({ length: 12 }));
}

function applicationOf(seed: number): Application {
  const random = randomFrom(seed);
  const { uniform, between, pick } = random;
  const count = Math.floor(between(6, 22));
  const services = Array.from({ length: count }, (_, index): Service => {
    const callers = index === 0 ? [] : [Math.floor(uniform() ** 1.5 * index), ...(uniform() < 0.2 ? [0] : [])];
    return {
      ...{ name: `part-${index}`, callers: [...new Set(callers)] },
      ...{ cpu: 0.004 * Math.exp(between(0, 4)), memory: 2e7 * Math.exp(between(0, 3)) },
      ...{ noise: between(0.03, 0.35), keeps: between(0, 0.85), spikes: uniform() < 0.3 ? 0.02 : 0.002 },
      ...{ memoryNoise: between(0.0005, 0.015), growth: uniform() < 0.4 ? between(0.0005, 0.004) : 0 },
      quantum: uniform() < 0.3 ? 0.001 : 0,
    };
  });
  return {
    ...{ services, random, step: pick([5, 15, 30, 60, 60]), normal: Math.floor(between(180, 1200)) },
    ...{ window: Math.floor(between(8, 40)), graph: uniform() < 0.7 },
    ...{ day: between(0.01, 0.12), wave: between(30, 400) },
  };
}

/** CPU and memory of every service at `length` points; `day` = how much of the day's difference counts. */
function seriesOf(app: Application, length: number, day: number, fault?: Fault): number[][] {
  const { gauss } = app.random;
  const load = Array.from({ length }, (_, at) => 1 + 0.15 * Math.sin(at / app.wave) + 0.05 * gauss());
  return app.services.flatMap((service, index) => {
    const [cpuDay, memoryDay] = [Math.exp(day * app.day * gauss()), Math.exp(day * app.day * gauss())];
    const isCaller = fault !== undefined && app.services[fault.service]?.callers.includes(index) === true;
    const cpu: number[] = [];
    const memory: number[] = [];
    let walk = 0;
    let grown = 0;
    for (let at = 0; at < length; at += 1) {
      walk = service.keeps * walk + service.noise * gauss() * Math.sqrt(1 - service.keeps ** 2);
      const spike = app.random.uniform() < service.spikes ? 1 + 3 * app.random.uniform() : 1;
      grown = app.random.uniform() < 0.02 ? 0 : grown + service.growth;
      const isOn = fault !== undefined && at >= fault.from && at < fault.to;
      const here = isOn && fault.service === index;
      const waiting = isOn && isCaller ? 0.85 : 1;
      const extra =
        here && fault.kind === "cpu" ? service.cpu * (fault.factor - 1) * (0.9 + 0.2 * app.random.uniform()) : 0;
      const leak = here && fault.kind === "memory" ? 0.1 * fault.factor * Math.min(1, (at - fault.from + 1) / 4) : 0;
      const used = service.cpu * cpuDay * (load[at] ?? 1) * Math.exp(walk) * spike * waiting + extra;
      cpu.push(service.quantum > 0 ? Math.round(used / service.quantum) * service.quantum : used);
      memory.push(Math.round(service.memory * memoryDay * (1 + leak + grown + service.memoryNoise * gauss())));
    }
    return [cpu, memory];
  });
}

function writeFolder(app: Application, name: string, normal: number[][], faults: readonly (Fault | undefined)[]): void {
  const folder = join(root, name);
  rmSync(folder, { recursive: true, force: true });
  const names = app.services.map((service) => service.name);
  const row = ({ name: caller }: Service, index: number) => [
    caller,
    ...app.services.map(({ callers }) => (app.graph && callers.includes(index) ? "1" : "0")),
  ];
  write(folder, "graph.csv", [["", ...names], ...app.services.map(row)]);
  write(join(folder, "noissue"), "metrics.csv", tableOf(app, normal, 1_700_000_000));
  faults.forEach((fault, index) => {
    const issue = join(folder, "test", `issue_${String(index).padStart(2, "0")}_${fault?.kind ?? "none"}`);
    const at = 1_800_000_000 + index * 100_000;
    write(issue, "metrics.csv", tableOf(app, seriesOf(app, app.window, 1, fault), at));
    const cause = { node: fault ? (names[fault.service] ?? "") : "nobody", metric: fault?.kind ?? "none" };
    const target = { node: names[0] ?? "", metric: "latency", agg: "Average" };
    writeFileSync(join(issue, "target.json"), JSON.stringify({ target, root_cause: cause }));
  });
}

function tableOf({ services, step }: Application, series: number[][], from: number): string[][] {
  const columns = services.flatMap(({ name }) => [
    [name, "cpu", "Average"],
    [name, "memory", "Average"],
  ]);
  const head = ["service", "metric", "statistic"].map((title, place) => [
    title,
    ...columns.map((each) => each[place] ?? ""),
  ]);
  const rows = (series[0] ?? []).map((_, at) => [
    String(from + at * step),
    ...series.map((values) => (values[at] ?? 0).toPrecision(7)),
  ]);
  return [...head, ...rows];
}

function write(folder: string, name: string, rows: readonly (readonly string[])[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `${rows.map((row) => row.join(",")).join("\n")}\n`);
}
