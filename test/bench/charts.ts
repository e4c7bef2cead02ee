import { execFileSync, type ExecFileSyncOptions } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { chartTools } from "../../src/adapters/cli-tools/charts.ts";
import { publishedCharts } from "../../src/adapters/cli-tools/published-charts.ts";
import { renderer } from "../../src/adapters/cli-tools/renderer.ts";
import { treeOf } from "../../src/domain/kubernetes/tree.ts";
import { ask, emptyTally, questionsOf, summary, toolPaths } from "./survey-asking.ts";
import { documentsOf, type Plain, renderUnit, type Unit } from "./survey-judge.ts";

/**
 * Asks a HelmRelease of each chart below some directories what Rectify can change. The charts are packed and served by
 * a chart repository on loopback, as they are published; the repository holds the release alone.
 */
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    most: { type: "string", default: "30" },
    workloads: { type: "string", default: "2" },
    only: { type: "string", default: "" },
    seconds: { type: "string", default: "0" },
    verbose: { type: "boolean", short: "v" },
  },
});
if (positionals.length === 0)
  throw new Error("usage: bench:charts -- [--most N] [--workloads N] [--seconds N] [--only REGEX] [-v] DIR…");

const tools = toolPaths();
const scratch = mkdtempSync(join(tmpdir(), "rectify-charts-"));

interface Chart {
  readonly name: string;
  readonly version: string;
  readonly directory: string;
  readonly dependencies: readonly string[];
}

/** Every chart below the directories; of one name the first. */
function chartsBelow(roots: readonly string[]): Map<string, Chart> {
  const found = new Map<string, Chart>();
  for (const root of roots)
    for (const file of readdirSync(root, { recursive: true, withFileTypes: true })) {
      if (file.name !== "Chart.yaml" || /(^|\/)testdata(\/|$)/.test(relative(root, file.parentPath))) continue;
      const [chart] = documentsOf(readFileSync(join(file.parentPath, file.name), "utf8")) as Plain[];
      if (typeof chart?.name !== "string" || chart.version === undefined || found.has(chart.name)) continue;
      const dependencies = (Array.isArray(chart.dependencies) ? (chart.dependencies as Plain[]) : []).map((one) =>
        String(one.name),
      );
      const version = String(chart.version);
      found.set(chart.name, { name: chart.name, version, directory: file.parentPath, dependencies });
    }
  return found;
}

/** A copy of a chart with its dependencies beside it; undefined when one of them is not here. */
function complete(chart: Chart, all: ReadonlyMap<string, Chart>, into: string, depth = 0): boolean {
  cpSync(chart.directory, into, { recursive: true });
  for (const name of chart.dependencies) {
    const place = join(into, "charts", name);
    const has =
      existsSync(join(into, "charts")) && readdirSync(join(into, "charts")).some((one) => one.startsWith(name));
    if (has) continue;
    const dependency = all.get(name);
    if (!dependency || depth > 3 || !complete(dependency, all, place, depth + 1)) return false;
  }
  return true;
}

const quiet: ExecFileSyncOptions = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 60_000 };

async function served(directory: string): Promise<{ readonly server: Server; readonly host: string }> {
  const server = createServer((request, response) => {
    const path = join(directory, basename(request.url ?? ""));
    if (existsSync(path)) response.end(readFileSync(path));
    else response.writeHead(404).end();
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const releaseOf = ({ name, version }: Chart, host: string): string => `apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata:
  name: published
  namespace: apps
spec:
  url: http://${host}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: ${name}
  namespace: apps
spec:
  chart:
    spec:
      chart: ${name}
      version: ${JSON.stringify(version)}
      sourceRef:
        kind: HelmRepository
        name: published
  values: {}
`;

const repository = join(scratch, "repository");
mkdirSync(repository);
const { server, host } = await served(repository);
const fetch = publishedCharts({ hosts: [host], cache: join(scratch, "cache"), plainHttp: true });
const charts = chartTools({ helm: tools.helm, limits: { timeLimitMs: 20_000, scratch }, fetch });
const entries = renderer({ kustomize: tools.kustomize, kubectl: null, helm: tools.helm });
const asking = { charts, render: entries.render.bind(entries), verbose: options.verbose === true };
const tally = emptyTally();
const asked: string[] = [];
const left: string[] = [];

async function askChart(chart: Chart, all: ReadonlyMap<string, Chart>): Promise<void> {
  const root = join(scratch, "work", chart.name);
  const directory = join(root, "chart");
  if (!complete(chart, all, directory)) return void left.push(`${chart.name}: a dependency is not here`);
  try {
    execFileSync(tools.helm, ["package", directory, "--destination", repository], quiet);
    execFileSync(tools.helm, ["repo", "index", repository], quiet);
  } catch {
    return void left.push(`${chart.name}: cannot be packed`);
  }
  const text = releaseOf(chart, host);
  mkdirSync(join(root, "apps"));
  writeFileSync(join(root, "apps/release.yaml"), text);
  const unit: Unit = {
    ...{ kind: "chart", directory: "chart", release: chart.name, namespace: "apps", valueFiles: ["chart/values.yaml"] },
    said: { kind: "HelmRelease", name: chart.name, file: "apps/release.yaml" },
    published: true,
  };
  const objects = renderUnit(root, unit, tools);
  if (objects === undefined) return void left.push(`${chart.name}: needs values to render`);
  const questions = [...objects.values()].map((one) => questionsOf(one, objects)).filter((some) => some.length > 0);
  if (questions.length === 0) return void left.push(`${chart.name}: makes no workload`);
  asked.push(`${chart.name} ${chart.version}`);
  tally.releases += 1;
  const tree = treeOf({ "apps/release.yaml": text, "apps/kustomization.yaml": "resources: [release.yaml]\n" });
  const world = { root, unit, objects, readers: [], tree, tools, entry: { tool: "flux", path: "apps" } as const };
  for (const question of questions.slice(0, Number(options.workloads)).flat())
    await ask(world, question, { tally, asking });
}

try {
  const all = chartsBelow(positionals);
  const wanted = [...all.values()].filter(({ directory }) => new RegExp(options.only).test(directory));
  const isInner = ({ directory }: Chart) =>
    wanted.some((one) => relative(one.directory, dirname(directory)) === "charts");
  const step = Math.max(1, Math.floor(wanted.length / Number(options.most)));
  const order = wanted.map((_, n) => n).sort((a, b) => (a % step) - (b % step) || a - b);
  const until = Number(options.seconds) > 0 ? Date.now() + Number(options.seconds) * 1000 : Infinity;
  for (const n of order) {
    if (Date.now() > until) break;
    const chart = wanted[n];
    if (asked.length >= Number(options.most)) break;
    if (chart && !isInner(chart)) await askChart(chart, all);
  }
} finally {
  server.close();
  rmSync(scratch, { recursive: true, force: true });
}
console.log(JSON.stringify({ ...summary(tally), charts: asked, left }));
process.exitCode = tally.harmful.length > 0 ? 1 : 0;
