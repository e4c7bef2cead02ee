import { type CapsuleReading, replayCapsule } from "./capsule.ts";
import type { SignalDiagnosis } from "../root-cause/diagnose-signals.ts";
import { asDecided, type Decided } from "../root-cause/cause.ts";
import type { Evidence } from "../evidence/evidence.ts";
import { renderCost } from "../remedy/cost.ts";
import { costTrail } from "../remedy/cost-trail.ts";
import type { Ending, Incident } from "../incident/incident.ts";
import type { Lease } from "../proposal/lease.ts";
import { lineageOf } from "./lineage.ts";
import type { Exchange, StepCost } from "./step-cost.ts";
import { findingOf } from "../evidence/finding-text.ts";
import type { OutcomeOnRecord } from "../proposal/outcome.ts";
import { workloadKey } from "../kubernetes/workload.ts";

/** What is on record of one incident. */
interface OnRecord {
  readonly incident: Incident;
  readonly ending: Ending | undefined;
  readonly because: string | undefined;
  readonly outcome: OutcomeOnRecord | undefined;
  /** What was told, oldest first; `at` is RFC 3339. */
  readonly events: readonly { readonly at: string; readonly verb: string; readonly text: string }[];
  /** Undefined = it did not come that far. */
  readonly capsule: CapsuleReading | undefined;
  /** The lease that the change began, and why it ended. */
  readonly lease?: { readonly lease: Lease; readonly ended: string | undefined } | undefined;
  readonly steps: readonly StepCost[];
  readonly exchanges: readonly Exchange[];
}

/** Timeline, ranked causes, the evidence that they cite, and lineage, as lines for a terminal. */
export function renderExplanation(record: OnRecord): string[] {
  const { incident, ending, because, events, capsule } = record;
  const lines = [
    `${incident.alert.name} of ${workloadKey(incident.workload)}: ${ending ?? "open"}${because ? `, ${because}` : ""}`,
    ...["", "Timeline"],
    ...events.map(({ at, verb, text }) => `  ${at}  ${verb.padEnd(9)} ${text}`),
    ...["", "Causes considered"],
    ...causesIn(capsule),
    ...["", "Lineage"],
    ...lineageLines(record),
    ...costOf(record),
    ...leaseLines(record),
  ];
  return lines.map(forTerminal);
}

/** The cost, and the line from it back to the evidence and the alert. */
function costOf({ incident, outcome, capsule }: OnRecord): string[] {
  if (outcome?.cost === undefined || outcome.remediation === undefined || outcome.cause === undefined) return [];
  const evidence = capsule?.kind === "capsule" ? capsule.capsule.evidence : [];
  const trail = costTrail({ incident, remediation: outcome.remediation, cause: outcome.cause, evidence });
  const stated = `  ${renderCost(outcome.cost)}: ${outcome.cost.because}`;
  return ["", "Cost", stated, ...trail.map((line) => `    ${line}`)];
}

function leaseLines({ lease: found }: OnRecord): string[] {
  if (found === undefined) return [];
  const { lease, ended } = found;
  const kept = `  ${lease.field.to} instead of ${lease.field.from} since ${lease.since}, until ${lease.expires}`;
  const renewed = lease.because === "" ? [] : [`  renewed, ${lease.renewals} times in all, because ${lease.because}`];
  return ["", "Lease", kept, ...renewed, ...(ended === undefined ? [] : [`  ended: ${ended}`])];
}

/** What a capsule's diagnosis is when it is made again, and whether it is still the recorded one. */
export function renderReplay(reading: CapsuleReading): { readonly lines: readonly string[]; readonly same: boolean } {
  if (reading.kind === "unreadable") return { lines: [reading.because], same: false };
  const { capsule } = reading;
  const { diagnosis, ranking, differences } = replayCapsule(capsule);
  const { alert, workload } = capsule.incident;
  const graph =
    ranking.kind === "abstained"
      ? ranking.because
      : ranking.suspects.map(({ workload: { name }, score }) => `${name} ${score.toFixed(2)}`).join(", ");
  const lines = [
    `${alert.name} of ${workloadKey(workload)}, recorded ${capsule.madeAt}, ${capsule.evidence.length} items of evidence`,
    `Ranking: ${graph}`,
    ...diagnosed(diagnosis, capsule.evidence, capsule.decided),
    differences.length === 0 ? "The diagnosis is the recorded one." : `It differs: ${differences.join("; ")}`,
  ];
  return { lines: lines.map(forTerminal), same: differences.length === 0 };
}

/** The cost of a part stands below it. */
function lineageLines(record: OnRecord): string[] {
  const evidence = record.capsule?.kind === "capsule" ? record.capsule.capsule.evidence : [];
  return lineageOf({ ...record, evidence }).flatMap(({ name, value, cost }) => [
    `  ${name.padEnd(13)} ${value}`,
    ...(cost === undefined ? [] : [`  ${"".padEnd(13)} took ${cost}`]),
  ]);
}

function causesIn(capsule: CapsuleReading | undefined): string[] {
  if (capsule === undefined) return ["  not diagnosed yet"];
  if (capsule.kind === "unreadable") return [`  ${capsule.because}`];
  const { diagnosis, evidence, decided } = capsule.capsule;
  return diagnosed(diagnosis, evidence, decided);
}

function diagnosed(diagnosis: SignalDiagnosis, evidence: readonly Evidence[], decided: Decided | undefined): string[] {
  const missing = evidence.filter(({ finding }) => finding.kind === "missing");
  const cited = new Set(diagnosis.kind === "diagnosed" ? diagnosis.causes.flatMap(({ citing }) => citing) : []);
  const shown = [...evidence.filter(({ id }) => cited.has(id)), ...missing.filter(({ id }) => !cited.has(id))];
  const causes =
    diagnosis.kind === "abstained"
      ? [`  none: ${diagnosis.because}`]
      : asDecided(diagnosis.causes, decided).map(
          ({ confidence, sentence, citing }) =>
            `  ${String(Math.round(confidence * 100)).padStart(3)} %  ${sentence} [${citing.join(", ")}]`,
        );
  const rows = shown.flatMap((item) => [
    `  ${item.id.padEnd(4)} ${item.source}: ${item.title}: ${findingOf(item)}`,
    `       ${item.query}`,
  ]);
  return [...causes, ...(rows.length === 0 ? [] : ["", "Evidence", ...rows])];
}

/** Text of others must not move the cursor or start a line of its own. */
export function forTerminal(line: string): string {
  return line.replace(/\p{C}+/gu, " ");
}
