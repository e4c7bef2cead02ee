import type { Tree } from "../../../domain/kubernetes/tree.ts";
import { homeOf } from "./chart-home.ts";
import type { Numbers } from "../candidates.ts";
import type { ChartBuild, ChartFiles } from "../../../domain/kubernetes/rendered.ts";

/** A value that a template itself writes down, with the text that it gets in an experiment. */
export interface Literal {
  /** The file below the chart, and the same file in the repository. */
  readonly inChart: string;
  readonly path: string;
  /** The charts beside its own through which the release takes the file. */
  readonly parts: readonly string[];
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly token: string;
  readonly as: "value" | "tag";
}

const counted =
  /^([ \t]*(?:- )?(?:replicas|minReplicas|maxReplicas|minReplicaCount|maxReplicaCount)[ \t]*:[ \t]*)(\d+)[ \t]*\r?$/gm;
const sized = /^([ \t]*(?:- )?["']?(?:cpu|memory)["']?[ \t]*:[ \t]*["']?)([0-9.]+[a-zA-Z]*)["']?[ \t]*\r?$/gm;
const pictured = /^([ \t]*(?:- )?image[ \t]*:[^#\n]*:)(\w[\w.-]*)["']?[ \t]*\r?$/gm;

/** The literals of a chart's own templates that stand in the repository. */
export function literalsIn(tree: Tree, directory: string, files: ChartFiles, numbers: Numbers): Literal[] {
  const found: Literal[] = [];
  for (const [inChart, bytes] of files) {
    if (!/^(?:charts\/[^/]+\/)*templates\/.*\.(?:ya?ml|tpl)$/.test(inChart)) continue;
    const home = homeOf(tree, directory, inChart);
    if (home === undefined) continue;
    const text = new TextDecoder().decode(bytes);
    for (const pattern of [counted, sized, pictured]) {
      for (const match of text.matchAll(pattern)) {
        const [, before = "", value = ""] = match;
        const start = match.index + before.length;
        const token = markOf(pattern, value, numbers);
        const as = pattern === pictured ? "tag" : "value";
        found.push({ inChart, ...home, start, end: start + value.length, text: value, token, as });
      }
    }
  }
  return found;
}

function markOf(pattern: RegExp, value: string, numbers: Numbers): string {
  numbers.next += 1;
  if (pattern === counted) return String(numbers.next);
  if (pattern === sized) return `${numbers.next}${/[a-zA-Z]+$/.exec(value)?.[0] ?? ""}`;
  return `${/^v?\d+\.\d+\./.exec(value)?.[0] ?? "x"}${numbers.next}`;
}

/** The build with other texts in place of the literals. */
export function withLiterals(
  build: ChartBuild,
  literals: readonly Pick<Literal, "inChart" | "start" | "end" | "token">[],
): ChartBuild {
  const files = new Map(build.files);
  for (const inChart of new Set(literals.map((one) => one.inChart))) {
    const text = new TextDecoder().decode(build.files.get(inChart));
    const own = literals.filter((one) => one.inChart === inChart).sort((a, b) => b.start - a.start);
    const changed = own.reduce((all, one) => all.slice(0, one.start) + one.token + all.slice(one.end), text);
    files.set(inChart, new TextEncoder().encode(changed));
  }
  return { ...build, files, checked: false };
}
