import { createHash } from "node:crypto";
import { z } from "zod";
import { diagnoseSignals, type SignalDiagnosis } from "../root-cause/diagnose-signals.ts";
import type { Decided } from "../root-cause/cause.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Incident } from "../incident/incident.ts";
import { signalsOf } from "../root-cause/signals.ts";
import { rankSymptom, type SymptomRanking } from "../root-cause/symptom.ts";

/** Everything that a diagnosis was made of, in one file: it can be repeated without any source. */
export interface Capsule {
  readonly format: typeof capsuleFormat;
  /** RFC 3339. */
  readonly madeAt: string;
  /** Versions by name: `rectify`, and the model and its digest where one was asked. */
  readonly versions: Readonly<Record<string, string>>;
  readonly incident: Incident;
  readonly evidence: readonly Evidence[];
  readonly ranking: SymptomRanking;
  readonly diagnosis: SignalDiagnosis;
  /** What the ranking and the model came to; absent = the decision did not come that far. */
  readonly decided?: Decided;
}

export type CapsuleReading =
  | { readonly kind: "capsule"; readonly capsule: Capsule }
  | { readonly kind: "unreadable"; readonly because: string };

/** The diagnosis made again from the capsule's evidence, and where it differs from the recorded one. */
interface Replay {
  readonly ranking: SymptomRanking;
  readonly diagnosis: SignalDiagnosis;
  /** Empty = the same diagnosis. */
  readonly differences: readonly string[];
}

const capsuleFormat = "rectify-capsule/1";
const longestCapsule = 64 * 2 ** 20;

/** Packs an incident with its evidence and the diagnosis that follows from it. */
export function capsuleOf(
  incident: Incident,
  evidence: readonly Evidence[],
  made: { readonly at: string; readonly versions: Readonly<Record<string, string>> },
): Capsule {
  const ranking = rankSymptom(incident.workload, evidence);
  const diagnosis = diagnoseSignals(signalsOf(incident, evidence, ranking));
  return { format: capsuleFormat, madeAt: made.at, versions: made.versions, incident, evidence, ranking, diagnosis };
}

/** One line of JSON with a digest of its content: of hundreds of workloads it is megabytes, written once. */
export function renderCapsule(capsule: Capsule): string {
  const content = JSON.stringify(capsule);
  return `{"digest":"${sha256(content)}",${content.slice(1)}\n`;
}

const Text = z.string();
const Finding = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("series"),
    unit: Text,
    series: z.array(
      z.object({ labels: z.record(Text, Text), points: z.array(z.tuple([z.number(), z.number().nullable()])) }),
    ),
    notes: z.array(Text),
  }),
  z.object({
    kind: z.literal("facts"),
    facts: z.record(Text, z.union([Text, z.number(), z.boolean()])),
    notes: z.array(Text),
  }),
  z.object({ kind: z.literal("text"), lines: z.array(Text), notes: z.array(Text) }),
  z.object({ kind: z.literal("missing"), because: Text }),
]);
const Item = z.object({
  id: Text,
  source: Text,
  key: Text.optional(),
  title: Text,
  query: Text,
  from: Text,
  to: Text,
  finding: Finding,
  hash: Text,
});
const Outcome = z.looseObject({ kind: Text });
const Shape = z.object({
  format: z.literal(capsuleFormat),
  digest: Text,
  madeAt: Text,
  versions: z.record(Text, Text),
  incident: z.object({
    uid: Text,
    traceId: Text,
    cluster: Text,
    workload: z.object({ kind: Text, namespace: Text, name: Text }),
    alert: z.object({
      fingerprint: Text,
      name: Text,
      status: z.enum(["firing", "resolved"]),
      labels: z.record(Text, Text),
      annotations: z.record(Text, Text),
      startsAt: Text,
      generatorUrl: Text,
    }),
    severity: Text,
    startedAt: Text,
  }),
  evidence: z.array(Item),
  ranking: Outcome,
  diagnosis: Outcome,
  decided: z.object({ causeId: Text, confidence: z.number().min(0).max(1) }).optional(),
});

/** Reads a capsule and checks its digest and that of each item: one that was changed is unreadable. */
export function readCapsule(text: string): CapsuleReading {
  if (text.length > longestCapsule) return { kind: "unreadable", because: "the capsule is larger than 64 MiB" };
  const value = jsonOf(text);
  const shape = Shape.safeParse(value);
  if (!shape.success) {
    const issue = shape.error.issues[0];
    return { kind: "unreadable", because: `not a capsule: ${issue?.path.join(".") || "file"}: ${issue?.message}` };
  }
  const { digest, ...capsule } = value as Capsule & { readonly digest: string };
  if (digest !== digestOf(capsule))
    return { kind: "unreadable", because: "the capsule was changed: its digest is wrong" };
  const changed = capsule.evidence.find((item) => item.hash !== sha256(JSON.stringify(item.finding)));
  if (changed) return { kind: "unreadable", because: `evidence ${changed.id} does not have its hash` };
  return { kind: "capsule", capsule };
}

/** Repeats the diagnosis from the evidence alone. */
export function replayCapsule({ incident, evidence, diagnosis, ranking }: Capsule): Replay {
  const again = capsuleOf(incident, evidence, { at: "", versions: {} });
  const differences = [
    ...(same(again.ranking, ranking) ? [] : ["the ranking differs"]),
    ...(same(again.diagnosis, diagnosis) ? [] : [`recorded: ${said(diagnosis)}; now: ${said(again.diagnosis)}`]),
  ];
  return { ranking: again.ranking, diagnosis: again.diagnosis, differences };
}

function said(diagnosis: SignalDiagnosis): string {
  return diagnosis.kind === "diagnosed" ? (diagnosis.causes[0]?.sentence ?? "no cause") : diagnosis.because;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function digestOf(content: object): string {
  return sha256(JSON.stringify(content));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
