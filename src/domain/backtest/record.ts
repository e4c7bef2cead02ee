import { z } from "zod";
import { renderRemediation } from "../kubernetes/remediation.ts";
import type { Verdict, WouldHave } from "./verdict.ts";

const Proposed = z.object({
  ...{ kind: z.literal("proposed"), at: z.string(), confidence: z.number(), cause: z.string(), risk: z.string() },
  ...{ perMonth: z.number().optional(), currency: z.string().optional(), heldBack: z.boolean().optional() },
  remedy: z.string(),
  change: z.string(),
  target: z.string(),
  to: z.number().optional(),
});
const Other = z.object({
  ...{ kind: z.enum(["refused", "no-remedy"]), because: z.string() },
  ...{ confidence: z.number().optional(), cause: z.string().optional() },
});

/** One incident of the past, as it is kept: a line of the record, and a row of every report. */
export const PastRecord = z.object({
  ...{ uid: z.string(), alert: z.string(), workload: z.string(), severity: z.string() },
  ...{ startedAt: z.string(), endedAt: z.string().optional() },
  would: z.discriminatedUnion("kind", [Proposed, Other]),
  verdict: z.object({
    kind: z.enum(["agreed", "earlier", "different", "healed-by-itself", "no-remedy", "refused", "not-known"]),
    ...{ because: z.string(), commit: z.string().optional(), leadMs: z.number().optional() },
    ...{ ours: z.string().optional(), theirs: z.string().optional() },
  }),
  /** What was asked and gave no answer, by its title. */
  missing: z.array(z.string()).default([]),
  /** What was answered without data. */
  empty: z.array(z.string()).default([]),
});

export type PastRecord = Readonly<z.infer<typeof PastRecord>>;

/** What is kept of what would have been. */
export function recordedWould(would: WouldHave): PastRecord["would"] {
  if (would.kind !== "proposed") return would;
  const { remediation, changes: _, growthLimit: __, ...rest } = would;
  const { namespace, kind, name } = remediation.workload;
  const number =
    "to" in remediation.change && typeof remediation.change.to === "number" ? remediation.change.to : undefined;
  return {
    ...{
      ...rest,
      remedy: remediation.kind,
      change: renderRemediation(remediation),
      target: `${namespace}/${kind}/${name}`,
    },
    ...(number === undefined ? {} : { to: number }),
  };
}

/** The records of a file, one JSON object a line; a line that a crash cut short is left out, and done again. */
export function readRecords(text: string): readonly PastRecord[] {
  const byUid = new Map<string, PastRecord>();
  for (const line of text.split("\n")) {
    const read = PastRecord.safeParse(parsed(line));
    if (read.success) byUid.set(read.data.uid, read.data);
  }
  return [...byUid.values()];
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** True where people and we did the same. */
export function isSame({ kind }: Pick<Verdict, "kind">): boolean {
  return kind === "agreed" || kind === "earlier";
}
