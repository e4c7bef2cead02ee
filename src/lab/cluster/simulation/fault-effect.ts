import { z } from "zod";

/** One of them, or a list. */
export const one = <T extends z.ZodType>(item: T) =>
  z.union([item, z.array(item)]).transform((value) => (Array.isArray(value) ? value : [value]) as z.output<T>[]);
/** Seconds. */
export const duration = z
  .union([z.number().nonnegative(), z.string().regex(/^\d+(?:\.\d+)?\s*(?:ms|s|m|h)?$/)])
  .transform((value) => secondsOf(String(value)));
/** A number or a quantity. */
export const amount = z.union([z.number(), z.string()]).transform(String);

export const WorkloadName = z
  .union([z.string(), z.object({ kind: z.string().optional(), namespace: z.string().optional(), name: z.string() })])
  .transform((value) => (typeof value === "string" ? named(value) : value))
  .describe("`web`, `Deployment/web`, or an object with kind, namespace and name.");

const State = z.object({ reason: z.string().default("Error"), message: z.string().default("") });

const Pods = z.object({
  which: z
    .enum(["new", "all", "none"])
    .default("new")
    .describe("`new`: those of the newest ReplicaSet. `all`: every one."),
  ready: z.boolean().default(false),
  phase: z.string().optional().describe("Pending where they are not scheduled."),
  waiting: z.union([z.string().transform((reason) => ({ reason, message: "" })), State]).optional(),
  terminated: z
    .object({ reason: z.string().default("Error"), exitCode: z.number().default(1) })
    .optional()
    .describe("How the container ended last."),
  restarts: z.number().optional().describe("Restarts a minute."),
  init: z.boolean().optional().describe("True: an init container is in that state."),
  container: z.string().optional(),
  unschedulable: z.union([z.boolean(), z.string()]).optional().describe("True, or the scheduler's message."),
  evicted: z.union([z.boolean(), z.string()]).optional(),
  refused: z.string().optional().describe("No new pod is created; the message that refuses it."),
});

const Event = z.object({
  type: z.enum(["Normal", "Warning"]).default("Warning"),
  reason: z.string(),
  message: z.string().default(""),
  on: z.enum(["pod", "replicaset", "workload", "deployment", "hpa"]).default("pod"),
});

const Log = z.union([
  z.string().transform((line) => ({ line, every: 1 })),
  z.object({ line: z.string(), every: duration.default(1) }),
]);

const Traffic = z.object({
  load: z.number().optional().describe("Requests a second from outside, instead of the usual."),
  share: z.number().min(0).optional().describe("Part of the usual requests from outside that still arrives, 0 to 1."),
  errorShare: z.number().min(0).max(1).optional(),
  latencyMs: z.number().min(0).optional(),
  capacityFactor: z.number().min(0).optional(),
});

const Resources = z.object({
  cpuFactor: z.number().min(0).optional().describe("CPU of each request, by the usual."),
  memory: amount.optional().describe("Bytes of each replica, such as 300Mi. Above its limit it is killed."),
  memoryGrowth: amount.optional().describe("Bytes a second and replica, such as 5Mi: a leak."),
});

/** What a fault does to a workload, its pods, their logs and their node. */
export const FaultEffect = z.object({
  workload: WorkloadName.optional().describe("Absent = the workload of the file."),
  pods: Pods.optional(),
  events: one(Event).default([]),
  logs: one(Log).default([]),
  traffic: Traffic.optional(),
  resources: Resources.optional(),
  node: z
    .object({ condition: z.string().default("MemoryPressure"), name: z.string().optional() })
    .optional()
    .describe("A condition of the node under its pods."),
});

export type FaultEffect = z.output<typeof FaultEffect>;

function named(value: string): { kind?: string | undefined; namespace?: string | undefined; name: string } {
  const parts = value.split("/");
  const name = parts.at(-1) ?? value;
  if (parts.length === 3) return { namespace: parts[0], kind: parts[1], name };
  return parts.length === 2 ? { kind: parts[0], name } : { name };
}

const unitSeconds: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

function secondsOf(value: string): number {
  const [, number = "0", unit = "s"] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(value) ?? [];
  return Number(number) * (unitSeconds[unit] ?? 1);
}
