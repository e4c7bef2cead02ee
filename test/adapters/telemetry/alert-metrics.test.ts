import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listen } from "../../../src/adapters/http/listener.ts";
import { openMeter } from "../../../src/adapters/telemetry/metrics.ts";
import type { Store } from "../../../src/adapters/postgres/store.ts";
import { openFaults } from "../../../src/server/observability/faults.ts";
import { healthFront } from "../../../src/server/several/front.ts";
import type { Part } from "../../../src/server/several/part.ts";
import { openUnserved } from "../../../src/server/several/unserved.ts";
import { type Expression, parsePromql, type Selector } from "../../../src/lab/cluster/metrics/promql/parse.ts";
import { parseYamlDocuments } from "../../../src/manifests/yaml/yaml.ts";

interface Rule {
  readonly name: string;
  readonly expr: string;
  readonly recorded: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** Metric names with their labels and the values that these had. */
type Exposed = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

const files = readdirSync("manifests", { recursive: true, encoding: "utf8" })
  // Templates are no YAML yet: what they render is compared with the base.
  .filter((path) => /\.(ya?ml|json)$/.test(path) && !path.startsWith(join("chart", "templates")))
  .map((path) => ({ path, text: readFileSync(join("manifests", path), "utf8") }));
const objects = files.flatMap(({ path, text }) => {
  const read = parseYamlDocuments(text);
  if (!read.ok) throw new Error(`${path}: ${read.problem}`);
  return read.value as Record<string, unknown>[];
});
const rules = objects.filter((object) => object?.kind === "PrometheusRule").flatMap(rulesOf);
const recorded = new Set(rules.filter((rule) => rule.recorded).map(({ name }) => name));

function rulesOf(object: Record<string, unknown>): Rule[] {
  type Written = { alert?: string; record?: string; expr: string; labels?: Record<string, string> };
  const { groups } = object.spec as { groups: { rules: Written[] }[] };
  return groups.flatMap((group) =>
    group.rules.map(({ alert, record, expr, labels = {} }) => ({
      ...{ name: alert ?? record ?? "", expr: String(expr), recorded: record !== undefined, labels },
    })),
  );
}

// The steps of the workflows, as the flow names them.
const steps = readdirSync("src/flow", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) =>
    [...readFileSync(join("src/flow", file), "utf8").matchAll(/\bstep\("([^"]+)"/g)].map((match) => match[1] ?? ""),
  );

let exposed: Exposed;
let scraped: string;
let close: () => Promise<void>;
beforeAll(async () => {
  const meter = openMeter();
  const listener = await listen([meter.route], { host: "127.0.0.1", port: 0 });
  close = listener.close;
  await anHourOfWork(meter);
  scraped = `${await (await fetch(`http://127.0.0.1:${listener.port}/metrics`)).text()}\n${await ofSeveral()}`;
  exposed = readExposition(scraped);
});
afterAll(() => close());

/** What is added where several repositories are served. */
async function ofSeveral(): Promise<string> {
  const part: Part = {
    ...{ repository: "acme/shop", begun: Promise.resolve(undefined), ports: () => undefined, pid: () => undefined },
    ...{ trouble: () => "it starts", close: async () => undefined },
  };
  const unserved = openUnserved({ log: () => undefined });
  const front = healthFront({ parts: [part], webhookSecret: "", alertsToken: "", unserved });
  const listener = await listen(front, { host: "127.0.0.1", port: 0 });
  const text = await (await fetch(`http://127.0.0.1:${listener.port}/metrics`)).text();
  await listener.close();
  return text;
}

/** Everything that the meter counts happens once, in each way in which it can. */
async function anHourOfWork(meter: ReturnType<typeof openMeter>): Promise<void> {
  const answers: Partial<Store> = {
    waitingCount: async () => 0,
    accept: async () => true,
    beat: async () => new Date(),
    parkedCount: async () => 0,
    recordIncident: async () => true,
    endIncident: async () => undefined,
  };
  const store = meter.watchStore(answers as Store);
  await store.accept("alerts", {}, Buffer.from("{}"));
  for (const ending of ["recovered", "parked"] as const)
    await store.endIncident("uid", { ending, because: "seen", outcome: undefined });
  const telemetry = meter.watchSteps({ log: () => undefined });
  for (const step of steps) for (const phase of ["begin", "end"] as const) telemetry.step?.("uid", step, phase);
  for (const status of [200, 304, 404, 502, undefined])
    meter.githubCall({ method: "GET", status, durationMs: 10, date: "Tue, 24 Nov 2026 03:00:00 GMT" });
  for (const ok of [true, false]) meter.modelCall({ ok, durationMs: 10 });
  meter.watchFaults(openFaults(telemetry).counts);
}

function readExposition(text: string): Exposed {
  const series = new Map<string, Map<string, Set<string>>>();
  for (const line of text.split("\n")) {
    const [, name, labels = ""] = /^([a-z_]+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const known = series.get(name) ?? new Map<string, Set<string>>();
    series.set(name, known);
    for (const [, label = "", value = ""] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      known.set(label, (known.get(label) ?? new Set()).add(value));
    }
  }
  return series;
}

/** Why a rule can never say what it means, each problem with the rule's name; metrics of others are theirs to keep. */
function problemsOf({ name, expr }: Pick<Rule, "name" | "expr">): string[] {
  const found = walk(parsePromql(expr), []);
  return [...new Set(found.flatMap(({ selector, groupedBy }) => problemsOfSelector(selector, groupedBy)))].map(
    (problem) => `${name}: ${problem}`,
  );
}

function problemsOfSelector({ matchers }: Selector, groupedBy: readonly string[]): string[] {
  const metric = matchers.find(({ label }) => label === "__name__")?.value ?? "";
  if (metric.includes(":")) return recorded.has(metric) ? [] : [`no rule records ${metric}`];
  if (!metric.startsWith("rectify_")) return [];
  const labels = exposed.get(metric);
  if (labels === undefined) return [`there is no metric ${metric}`];
  const asked = [...matchers.map(({ label }) => label).filter((label) => label !== "__name__"), ...groupedBy];
  const unknown = asked.filter((label) => !labels.has(label)).map((label) => `${metric} has no label ${label}`);
  const never = matchers.flatMap(({ label, operator, value }) =>
    (operator === "=~" ? value.split("|") : operator === "=" ? [value] : [])
      .filter((wanted) => labels.has(label) && ![...(labels.get(label) ?? [])].some((it) => matches(it, wanted)))
      .map((wanted) => `${metric} never has ${label}="${wanted}"`),
  );
  return [...unknown, ...never];
}

const matches = (value: string, pattern: string) => new RegExp(`^(?:${pattern})$`).test(value);

interface Asked {
  readonly selector: Selector;
  readonly groupedBy: readonly string[];
}

function walk(expression: Expression, groupedBy: readonly string[]): Asked[] {
  switch (expression.kind) {
    case "selector":
      return [{ selector: expression, groupedBy }];
    case "call":
      return expression.args.flatMap((argument) => walk(argument, groupedBy));
    case "aggregation":
      return walk(expression.of, expression.grouping.mode === "by" ? expression.grouping.labels : []);
    case "binary":
      return [expression.left, expression.right].flatMap((side) => walk(side, groupedBy));
    case "subquery":
    case "negate":
      return walk(expression.of, groupedBy);
    case "number":
    case "string":
      return [];
  }
}

test("there are rules about Rectify and about the workloads", () => {
  const names = rules.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["RectifyDown", "RectifyWatchtower", "PredictiveSaturation"]));
  expect(rules.filter(({ expr }) => expr.includes("rectify_")).length).toBeGreaterThan(4);
});

/** The queries of the dashboards, by their panel. */
const panels = files
  .filter(({ path }) => path.startsWith("grafana") && path.endsWith(".json"))
  .flatMap(({ text }) => (JSON.parse(text) as Dashboard).panels)
  .flatMap(({ title, targets }) => targets.map(({ expr }) => ({ name: title, expr })));
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

test.each(panels)('the panel "$name" asks for what is measured', (panel) => {
  expect(problemsOf(panel)).toEqual([]);
});

test("the dashboard shows every metric of ours", () => {
  const asked = panels.map(({ expr }) => expr).join(" ");
  // A dashboard of one repository is empty of what only several have; an alert asks for it.
  const kept = ["rectify_memory_faiss", "rectify_repository_up", "rectify_unserved_deliveries_total"];
  const ours = [...exposed.keys()]
    .filter((name) => name.startsWith("rectify_"))
    .map((name) => name.replace(/_(?:bucket|sum|count)$/, ""));
  expect([...new Set(ours)].filter((name) => !asked.includes(name) && !kept.includes(name))).toEqual([]);
});

test("what is counted from its first time on has a series of 0 before it: a rate sees nothing else of it", async () => {
  const listener = await listen([openMeter().route], { host: "127.0.0.1", port: 0 });
  const fresh = readExposition(await (await fetch(`http://127.0.0.1:${listener.port}/metrics`)).text());
  await listener.close();
  const values = (metric: string, label: string) => [...(fresh.get(metric)?.get(label) ?? [])];
  const steps = ["collect", "diagnose", "plan", "gate", "propose"];
  expect(values("rectify_step_duration_seconds_bucket", "step")).toEqual(expect.arrayContaining(steps));
  expect(values("rectify_model_call_duration_seconds_count", "outcome")).toEqual(["answered", "failed"]);
  expect(values("rectify_github_call_duration_seconds_count", "answer")).toEqual(["2xx", "5xx", "none"]);
});

test.each(rules)("$name asks for what is measured", (rule) => {
  expect(problemsOf(rule)).toEqual([]);
});

test("no rule about Rectify names a workload: it would take itself for an incident to remedy", () => {
  const own = rules.filter(({ name }) => name.startsWith("Rectify"));
  for (const { name, expr, labels } of own) {
    expect(name + JSON.stringify(labels) + expr).not.toMatch(/\b(deployment|statefulset|workload)\b/);
  }
});

test("nothing in the manifests, a dashboard neither, names a metric of ours that does not exist", () => {
  for (const { path, text } of files) {
    const named = [...text.matchAll(/\brectify_[a-z_]+/g)].map(([name]) => name);
    for (const name of named) expect([path, name, exposed.has(name)]).toEqual([path, name, true]);
  }
});

test("RectifyDown asks for the target that the ServiceMonitor makes", () => {
  const of = (kind: string) => objects.filter((object) => object?.kind === kind);
  const monitor = of("ServiceMonitor").find(({ metadata }) => (metadata as { name?: string })?.name === "rectify");
  const { selector, endpoints } = monitor?.spec as {
    selector: { matchLabels: Record<string, string> };
    endpoints: { port: string }[];
  };
  type Service = { metadata: { name: string; labels?: Record<string, string> }; spec: { ports: { name: string }[] } };
  const watched = (of("Service") as unknown as Service[]).filter(({ metadata }) =>
    Object.entries(selector.matchLabels).every(([key, value]) => metadata.labels?.[key] === value),
  );
  expect(watched.map(({ metadata }) => metadata.name)).toEqual(["rectify"]);
  expect(watched[0]?.spec.ports.map(({ name }) => name)).toEqual(endpoints.map(({ port }) => port));
  expect(rules.find(({ name }) => name === "RectifyDown")?.expr).toContain('service="rectify"');
});

test("whatever the meter can count is counted by somebody", () => {
  const { route: _route, ...counters } = openMeter();
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith("adapters/metrics.ts"))
    .map((path) => readFileSync(join("src", path), "utf8"))
    .join("");
  for (const name of Object.keys(counters)) expect(sources.includes(`meter.${name}`), name).toBe(true);
});

describe("a rule that could never fire is named:", () => {
  test.each([
    ["rectify_gone > 0", "there is no metric rectify_gone"],
    ["sum(rate(rectify_step_duration_seconds[5m]))", "there is no metric rectify_step_duration_seconds"],
    [
      'rectify_model_call_duration_seconds_count{result="failed"}',
      "rectify_model_call_duration_seconds_count has no label result",
    ],
    ["sum by (pod) (rectify_watchtower)", "rectify_watchtower has no label pod"],
    [
      'rate(rectify_step_duration_seconds_bucket{step=~"collect|guess"}[1h])',
      'rectify_step_duration_seconds_bucket never has step="guess"',
    ],
    ["deployment:gone:ratio > 1", "no rule records deployment:gone:ratio"],
  ])("%s", (expr, problem) => {
    expect(problemsOf({ name: "Broken", expr })).toEqual([`Broken: ${problem}`]);
  });
});
