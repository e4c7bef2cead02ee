import { z } from "zod";
import type { Cause, CauseKind } from "../root-cause/cause.ts";
import type { Incident } from "../incident/incident.ts";
import type { Remedy } from "./remedy.ts";

/** What people have written down for an alert. It is tried before anything else; guardrails hold for it as well. */
export interface Runbook {
  /** The file it was read from: `runbooks/HighRequestLatency.md`. */
  readonly path: string;
  readonly alert: string;
  readonly match: RunbookMatch;
  readonly remedy: RunbookRemedy;
  /** The text below the front matter, for people. */
  readonly body: string;
}

/** All that is stated must hold; an absent condition holds. */
interface RunbookMatch {
  readonly namespaces?: readonly string[] | undefined;
  readonly workloads?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** One of these must be among the causes that the signals show. */
  readonly causes?: readonly CauseKind[] | undefined;
}

/** The wanted remedy. Sizes come from measurement, never from the runbook: it may say which utilisation to aim at. */
type RunbookRemedy =
  | { readonly kind: "scale"; readonly targetUtilisation?: number | undefined }
  | {
      readonly kind: "resources";
      readonly field: "requests.cpu" | "requests.memory" | "limits.cpu" | "limits.memory";
      readonly headroom?: number | undefined;
    }
  | { readonly kind: "image-rollback" | "revert-commit" | "none" };

export type RunbookReading =
  | { readonly kind: "runbook"; readonly runbook: Runbook }
  | { readonly kind: "invalid"; readonly path: string; readonly problems: readonly string[] };

const names = z.array(z.string().min(1).max(253)).min(1).max(100);
const causeKinds = [
  "saturated",
  "saturation-predicted",
  "cpu-throttled",
  "out-of-memory",
  "bad-change",
  "quota-exhausted",
  "downstream",
  "autoscaler-at-max",
  "cluster-condition",
] as const satisfies readonly CauseKind[];

const Remedy = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("scale"), targetUtilisation: z.number().gt(0).max(1).optional() }),
  z.strictObject({
    kind: z.literal("resources"),
    field: z.enum(["requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]),
    headroom: z.number().gt(0).max(2).optional(),
  }),
  z.strictObject({ kind: z.enum(["image-rollback", "revert-commit", "none"]) }),
  // What the remedy was called before it could revert a whole commit.
  z.strictObject({ kind: z.literal("revert").transform(() => "revert-commit" as const) }),
]);

/** Closed: a condition that is misspelt must not hold by being ignored. */
const FrontMatter = z.strictObject({
  alert: z.string().min(1).max(253),
  match: z
    .strictObject({
      namespaces: names.optional(),
      workloads: names.optional(),
      labels: z.record(z.string(), z.string()).optional(),
      causes: z.array(z.enum(causeKinds)).min(1).optional(),
    })
    .default({}),
  remedy: Remedy,
});

/** Splits `---`, YAML, `---` from the text below; undefined when the text does not begin so. */
export function splitFrontMatter(text: string): { readonly yaml: string; readonly body: string } | undefined {
  const match = /^\uFEFF?---[ \t]*\r?\n(?:([\s\S]*?)\r?\n)?---[ \t]*(?:\r?\n([\s\S]*))?$/.exec(text);
  return match ? { yaml: match[1] ?? "", body: (match[2] ?? "").trim() } : undefined;
}

/** Checks a runbook whose front matter was parsed. Problems name the field. */
export function readRunbook(path: string, frontMatter: unknown, body: string): RunbookReading {
  const read = FrontMatter.safeParse(frontMatter);
  if (!read.success) {
    const problems = read.error.issues.map((issue) => `${issue.path.join(".") || "front matter"}: ${issue.message}`);
    return { kind: "invalid", path, problems };
  }
  return { kind: "runbook", runbook: { path, body, ...read.data } };
}

/** The runbook that fits: of several the one with the most conditions, then the first by path. */
export function runbookFor(
  runbooks: readonly Runbook[],
  incident: Incident,
  causes: readonly CauseKind[],
): Runbook | undefined {
  return runbooks
    .filter((runbook) => fits(runbook, incident, causes))
    .sort((a, b) => conditionsOf(b) - conditionsOf(a) || (a.path < b.path ? -1 : 1))[0];
}

function fits({ alert, match }: Runbook, incident: Incident, causes: readonly CauseKind[]): boolean {
  const { workload } = incident;
  const { labels } = incident.alert;
  return (
    alert === incident.alert.name &&
    (match.namespaces?.includes(workload.namespace) ?? true) &&
    (match.workloads?.includes(workload.name) ?? true) &&
    (match.causes?.some((cause) => causes.includes(cause)) ?? true) &&
    Object.entries(match.labels ?? {}).every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value)
  );
}

function conditionsOf({ match }: Runbook): number {
  const { labels, ...rest } = match;
  return Object.values(rest).filter((value) => value !== undefined).length + Object.keys(labels ?? {}).length;
}

/** A cause with the remedy that was computed for it. */
interface Answer {
  readonly cause: Cause;
  readonly remedy: Remedy;
}

/** The best cause whose remedy is the one that the runbook asks for; undefined when none is: then the ranking decides. */
export function followRunbook({ path, remedy }: Runbook, answers: readonly Answer[]): Answer | undefined {
  const [first] = answers;
  if (remedy.kind === "none")
    return first && { cause: first.cause, remedy: { kind: "none", because: `${path} leaves this to people` } };
  for (const { cause, remedy: computed } of answers) {
    if (computed.kind !== "change" || computed.remediation.kind !== remedy.kind) continue;
    const sizing = [...computed.remediation.sizing, `asked for by ${path}`];
    return { cause, remedy: { ...computed, remediation: { ...computed.remediation, sizing } } };
  }
  return undefined;
}
