import type { Evidence, Finding } from "../../domain/evidence/evidence.ts";
import { type Workload, workloadKey, workloadOfKey } from "../../domain/kubernetes/workload.ts";
import { patternLine, strikingPatterns } from "../../domain/root-cause/log-patterns.ts";
import { callsOf } from "../../domain/evidence/calls.ts";
import type { Ports } from "../../ports/ports.ts";
import type { SourceQuestion, Span } from "./questions.ts";

/** Each is a query of its own, after all others. */
const mostCallees = 3;
const keyed = { key: "log-patterns", source: "loki" } as const;

/** What was seen of a workload so far. */
export interface Seen {
  readonly home: Workload;
  readonly items: readonly Pick<Evidence, "key" | "finding">[];
  readonly span: Span;
  /** When the alert's condition began to hold, unix seconds: without it nothing is new. */
  readonly began: number | undefined;
}

/** The striking lines of the workload's own log, as far as it was read. */
export function ownPatterns(seen: Seen): readonly Omit<Evidence, "id" | "hash" | "from" | "to">[] {
  const { home, items } = seen;
  return items.flatMap(({ key, finding }) => {
    if (key !== "logs" || finding.kind !== "text") return [];
    const found = findingOf(home, finding.lines, seen);
    return found.lines.length === 0 ? [] : [{ ...keyed, ...titleOf(home), finding: found }];
  });
}

/** Asks the logs of what the workload calls, those that it calls most. */
export function calleePatterns(seen: Seen, { logs }: Pick<Ports, "logs">): readonly SourceQuestion[] {
  if (logs === undefined || seen.began === undefined) return [];
  const { from, to } = seen.span;
  return calleesOf(seen).map((callee) => ({
    ...{ ...keyed, ...titleOf(callee), optional: true },
    ask: async () => {
      const { lines, notes } = await logs.around(callee, from, to);
      const found = findingOf(callee, lines, seen);
      return found.lines.length === 0 ? found : { ...found, notes: [...notes] };
    },
  }));
}

function titleOf(workload: Workload) {
  return {
    title: `new and suddenly frequent log lines of ${workload.name}`,
    query: `logs of ${workload.namespace}/${workload.name}`,
  };
}

function findingOf(
  workload: Workload,
  lines: readonly string[],
  { span, began }: Seen,
): Extract<Finding, { kind: "text" }> {
  const { name } = workload;
  const patterns = began === undefined ? [] : strikingPatterns({ lines, name, began, to: span.to.getTime() / 1000 });
  return { kind: "text", lines: patterns.map((pattern) => patternLine(workloadKey(workload), pattern)), notes: [] };
}

/** Of each pair the highest rate at the end counts; declared calls have one that says nothing. */
function calleesOf({ home, items }: Seen): readonly Workload[] {
  const rates = new Map<string, number>();
  for (const { key, finding } of items) {
    if (key !== "calls" || finding.kind !== "series") continue;
    for (const series of finding.series) {
      const [call] = callsOf([series], home);
      if (call?.caller !== workloadKey(home) || call.callee === call.caller) continue;
      rates.set(call.callee, Math.max(rates.get(call.callee) ?? 0, series.points.at(-1)?.[1] ?? 0));
    }
  }
  const most = [...rates].sort(([a, rate], [b, other]) => other - rate || (a < b ? -1 : 1)).slice(0, mostCallees);
  return most.map(([node]) => workloadOfKey(node));
}
