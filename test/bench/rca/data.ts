import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";

/**
 * A folder of incidents, in the format of PetShop's data set:
 *
 * - `graph.csv`: adjacency with a header row and column; a cell above 0 = the row calls the column.
 * - `noissue/metrics.csv`: the normal period.
 * - any folder below with `target.json` and `metrics.csv`: one incident. `target.json` has `target.node` (where it
 *   hurts), optional `target.metric` and `target.agg` (which statistic of the latency), and `root_cause.node`,
 *   optional `root_cause.metric` (the kind of fault; else the folder's name after `issue_N_` tells it).
 * - `metrics.csv`: three header rows (service, metric, statistic), then one row for each point in time, with the unix
 *   time in the first cell; an empty cell = no value. Metrics are known by their words: see `evidence.ts`.
 * - a sibling folder of the same name without `-callers`: the same incidents, latency as the services see themselves.
 */
export interface Scenario {
  readonly name: string;
  readonly calls: readonly { readonly caller: string; readonly callee: string }[];
  readonly nodes: readonly string[];
  readonly normal: Table;
  readonly issues: readonly Issue[];
  /** The same from the other end of the calls. */
  readonly own?: Scenario | undefined;
}

export interface Issue {
  readonly name: string;
  readonly kind: string;
  readonly node: string;
  readonly metric: string;
  readonly statistic: string;
  readonly rootCause: string;
  readonly abnormal: Table;
}

/** One file of metrics: columns with their values, NaN = empty cell. */
export interface Table {
  /** Unix seconds. */
  readonly times: readonly number[];
  readonly columns: readonly Column[];
}

export interface Column {
  readonly node: string;
  readonly metric: string;
  readonly statistic: string;
  readonly values: Float64Array;
}

/** Every scenario at or below a folder. */
export function readScenarios(asked: string): Scenario[] {
  // With a slash at its end a folder would not find its sibling.
  const folder = resolve(asked);
  return foldersBelow(folder)
    .filter((path) => existsSync(join(path, "graph.csv")) && existsSync(join(path, "noissue", "metrics.csv")))
    .map((path) => {
      const own = path.endsWith("-callers") ? path.slice(0, -"-callers".length) : undefined;
      const paired = own !== undefined && existsSync(join(own, "graph.csv")) ? readScenario(own, own) : undefined;
      return { ...readScenario(path, folder), own: paired };
    });
}

function readScenario(path: string, root: string): Scenario {
  const rows = rowsOf(join(path, "graph.csv"));
  const head = (rows[0] ?? []).slice(1);
  const calls = rows
    .slice(1)
    .flatMap(([caller = "", ...cells]) =>
      cells.flatMap((cell, index) => (Number(cell) > 0 ? [{ caller, callee: head[index] ?? "" }] : [])),
    );
  return {
    ...{ name: relative(root, path) || basename(path), calls, nodes: head },
    normal: readTable(join(path, "noissue", "metrics.csv")),
    issues: foldersBelow(path)
      .filter((issue) => existsSync(join(issue, "target.json")))
      .map(readIssue),
  };
}

function foldersBelow(folder: string, depth = 4): string[] {
  if (depth === 0) return [folder];
  const below = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name))
    .sort();
  return [folder, ...below.flatMap((path) => foldersBelow(path, depth - 1))];
}

function readIssue(path: string): Issue {
  const { target, root_cause } = JSON.parse(readFileSync(join(path, "target.json"), "utf8"));
  const name = join(basename(dirname(path)), basename(path));
  const metric = String(target.metric ?? "latency");
  return {
    ...{ name, node: target.node, metric, statistic: String(target.agg ?? "Average"), rootCause: root_cause.node },
    kind: String(root_cause.metric ?? /^issue_\d+_(.+)$/.exec(basename(path))?.[1] ?? metric),
    abnormal: readTable(join(path, "metrics.csv")),
  };
}

function rowsOf(path: string): string[][] {
  return readFileSync(path, "utf8")
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .map((line) => line.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1")));
}

function readTable(path: string): Table {
  const [nodes = [], metrics = [], statistics = [], ...rest] = rowsOf(path);
  const rows = rest.filter(([time]) => time !== "" && Number.isFinite(Number(time)));
  const columns = nodes.slice(1).map((node, index) => ({
    ...{ node, metric: metrics[index + 1] ?? "", statistic: statistics[index + 1] ?? "" },
    values: Float64Array.from(rows, (row) => (row[index + 1] ? Number(row[index + 1]) : Number.NaN)),
  }));
  return { times: rows.map(([time]) => Number(time)), columns };
}

/** The normal period cut in two: the later part stands for the incident. */
export function splitOf(table: Table, share: number): { readonly early: Table; readonly late: Table } {
  const cut = Math.floor(share * table.times.length);
  const part = (from: number, to?: number): Table => ({
    times: table.times.slice(from, to),
    columns: table.columns.map((column) => ({ ...column, values: column.values.slice(from, to) })),
  });
  return { early: part(0, cut), late: part(cut) };
}
