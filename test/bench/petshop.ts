import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { MetricKind, NodeMetric } from "../../src/domain/root-cause/ranking/node-metric.ts";
import type { NodeRole, ServiceGraph } from "../../src/domain/root-cause/service-graph.ts";

/** One file of metrics: series by node, then by `metric statistic`; NaN = empty cell. */
export type Table = ReadonlyMap<string, ReadonlyMap<string, Float64Array>>;

export interface Issue {
  readonly name: string;
  readonly node: string;
  readonly metric: string;
  readonly statistic: string;
  readonly rootCause: string;
  readonly abnormal: Table;
}

export interface Scenario {
  readonly name: string;
  readonly graph: ServiceGraph;
  readonly normal: Table;
  readonly issues: readonly Issue[];
}

/** Reads a folder in PetShop's format: one folder per scenario, each with graph, normal period and issues. */
export function readScenarios(folder: string): Scenario[] {
  return foldersIn(folder)
    .filter((name) => existsSync(join(folder, name, "graph.csv")))
    .map((name) => ({
      name,
      graph: readGraph(join(folder, name, "graph.csv")),
      normal: readTable(join(folder, name, "noissue", "metrics.csv")),
      issues: ["train", "test"]
        .filter((part) => existsSync(join(folder, name, part)))
        .flatMap((part) =>
          foldersIn(join(folder, name, part)).map((issue) => readIssue(join(folder, name, part), issue)),
        ),
    }));
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

function readIssue(folder: string, name: string): Issue {
  const { target, root_cause } = JSON.parse(readFileSync(join(folder, name, "target.json"), "utf8"));
  return {
    name,
    node: target.node,
    metric: target.metric,
    statistic: target.agg,
    rootCause: root_cause.node,
    abnormal: readTable(join(folder, name, "metrics.csv")),
  };
}

function rowsOf(path: string): string[][] {
  return readFileSync(path, "utf8")
    .split(/\r?\n/)
    .filter((line) => line !== "")
    .map((line) => line.split(","));
}

/** Adjacency: the row calls the column. */
function readGraph(path: string): ServiceGraph {
  const [head = [], ...rows] = rowsOf(path);
  const calls = rows.flatMap(([caller = "", ...cells]) =>
    cells.flatMap((cell, index) => (Number(cell) > 0 ? [{ caller, callee: head[index + 1] ?? "" }] : [])),
  );
  const roles = Object.fromEntries(head.slice(1).map((node) => [node, roleOfName(node)]));
  return { calls, roles };
}

/** X-Ray ends the name of a node with its type; `remote` = called, but not traced itself. */
function roleOfName(node: string): NodeRole {
  if (/\.elb\.|_client$/.test(node)) return "proxy";
  return node.endsWith("_remote") ? "external" : "service";
}

function readTable(path: string): Table {
  const [nodes = [], metrics = [], statistics = [], ...rest] = rowsOf(path);
  const rows = rest.filter((row) => row[0] !== "unix_timestamp");
  const table = new Map<string, Map<string, Float64Array>>();
  for (let column = 1; column < nodes.length; column += 1) {
    const node = nodes[column] ?? "";
    const series = Float64Array.from(rows, (row) => (row[column] ? Number(row[column]) : Number.NaN));
    const ofNode = table.get(node) ?? new Map<string, Float64Array>();
    table.set(node, ofNode.set(`${metrics[column]} ${statistics[column]}`, series));
  }
  return table;
}

/** The metrics of all nodes in our words: availability as a share, latency by the symptom's own statistic. */
export function metricsOf(normal: Table, abnormal: Table, latency: string): Map<string, readonly NodeMetric[]> {
  const columns: [MetricKind, string, number][] = [
    ["latency", `latency ${latency}`, 1],
    ["availability", "availability Average", 0.01],
    ["requests", "requests Sum", 1],
  ];
  const nodes = new Set([...normal.keys(), ...abnormal.keys()]);
  return new Map(
    [...nodes].map((node) => [
      node,
      columns.flatMap(([kind, column, unit]) => {
        const seen = abnormal.get(node)?.get(column);
        const usual = normal.get(node)?.get(column) ?? new Float64Array();
        return seen ? [{ kind, normal: usual.map((v) => v * unit), abnormal: seen.map((v) => v * unit) }] : [];
      }),
    ]),
  );
}

/** The normal period cut in two: the later part plays the incident. */
export function splitOf(table: Table, share: number): { readonly early: Table; readonly late: Table } {
  const part = (from: number, to: number): Table =>
    new Map(
      [...table].map(([node, columns]) => [
        node,
        new Map(
          [...columns].map(([column, values]) => [
            column,
            values.slice(Math.floor(from * values.length), Math.floor(to * values.length)),
          ]),
        ),
      ]),
    );
  return { early: part(0, share), late: part(share, 1) };
}
