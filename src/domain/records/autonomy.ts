import { z } from "zod";
import type { PostMortem } from "./post-mortem.ts";
import { rememberedOf } from "./precedent.ts";
import type { RemediationKind } from "../kubernetes/remediation.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { workloadKey } from "../kubernetes/workload.ts";

/** What trust is earned for: one remedy for one alert of one workload. */
interface TrustKey {
  readonly alert: string;
  readonly workload: Workload;
  readonly remedy: RemediationKind;
}

const mostIncidents = 100;
const Row = z.strictObject({
  alert: z.string().min(1),
  workload: z.string().regex(/^[a-z0-9-]+\/[A-Z][A-Za-z]+\/[a-z0-9.-]+$/, "must be namespace/Kind/name"),
  remedy: z.enum(["scale", "resources", "image-rollback", "revert-commit", "revert"]),
  /** Verified successes since the last failure. */
  successes: z.int().nonnegative(),
  failures: z.int().nonnegative(),
  /** The newest incidents counted, so that none counts twice. */
  incidents: z.array(z.uuid()).max(mostIncidents),
});
const Ledger = z.strictObject({ entries: z.array(Row).default([]) });

/** `.rectify/autonomy.yml`: what was earned and lost, in Git. */
export type Ledger = Readonly<z.output<typeof Ledger>>;
export type LedgerRow = Readonly<z.output<typeof Row>>;

export const ledgerPath = ".rectify/autonomy.yml";
export const emptyLedger: Ledger = { entries: [] };

export type ParsedLedger =
  | { readonly ok: true; readonly value: Ledger }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads the parsed YAML of the ledger. An unreadable ledger earns nothing. */
export function parseLedger(document: unknown): ParsedLedger {
  const parsed = Ledger.safeParse(document ?? {});
  if (!parsed.success) {
    return {
      ok: false,
      problems: parsed.error.issues.map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`),
    };
  }
  const keys = parsed.data.entries.map((row) => `${row.alert} ${row.workload} ${row.remedy}`);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) return { ok: false, problems: [`entries: ${twice} stands there twice: keep one`] };
  return { ok: true, value: parsed.data };
}

/** The text of the ledger file: YAML, one row a line. */
export function renderLedger({ entries }: Ledger): string {
  const title = [
    "# What Rectify has earned: verified successes since the last failure, by alert, workload and remedy.",
    "# Rectify keeps this file by its pull requests. A row unlocks nothing without the sealed post-mortems that it names.",
  ];
  const rows = entries.map((row) => `  - ${JSON.stringify(row)}`);
  return `${[...title, entries.length === 0 ? "entries: []" : "entries:", ...rows].join("\n")}\n`;
}

/** What is on record for a key: zeros when there is nothing. */
export function trustOf(ledger: Ledger, key: TrustKey): Pick<LedgerRow, "successes" | "failures" | "incidents"> {
  return ledger.entries.find((row) => isOf(row, key)) ?? { successes: 0, failures: 0, incidents: [] };
}

/** What a remedy has earned here, as far as it is proved. */
export interface Trust {
  /** Successes that count: in the ledger, and each proved by a sealed post-mortem since the last failure. */
  readonly successes: number;
  /** How many unlock merging. */
  readonly needed: number;
  readonly lastFailed: boolean;
  /** Why less counts than the ledger says, with the fix; empty = nothing is wrong with it. */
  readonly problems: readonly string[];
}

/**
 * Ledger and post-mortems together: neither unlocks alone. `records` are those that carry our seal; `pending` those that
 * are not in Git yet, of which only a failure counts. A failure locks even where the ledger does not know it,
 * and a withdrawn success counts no more.
 */
export function trustFor(
  key: TrustKey,
  { ledger, records, pending }: TrustSources,
  autonomy: { readonly successes: number },
): Trust {
  const needed = autonomy.successes;
  const all = [...records, ...pending.filter(({ outcome }) => outcome === "failed")];
  // Who withdraws a failure does not unlock anything by it.
  const counted = all.map((record) => (record.outcome === "failed" ? { ...record, withdrawn: null } : record));
  const tried = rememberedOf(counted).filter(
    (one) => one.alert === key.alert && one.workload === workloadKey(key.workload) && one.remedy.kind === key.remedy,
  );
  const lastFailed = tried[0]?.outcome === "failed";
  if (!ledger.ok) {
    const because = `${ledgerPath} is invalid (${ledger.problems[0] ?? ""}): mend it by a pull request`;
    return { successes: 0, needed, lastFailed, problems: [because] };
  }
  const firstFailure = tried.findIndex(({ outcome }) => outcome === "failed");
  const sinceFailure = firstFailure < 0 ? tried : tried.slice(0, firstFailure);
  const row = trustOf(ledger.value, key);
  const proved = sinceFailure.filter(({ uid }) => row.incidents.includes(uid)).length;
  const withdrawn = new Set(counted.filter((record) => record.withdrawn !== null).map(({ uid }) => uid));
  const reverted = row.incidents.filter((uid) => withdrawn.has(uid)).length;
  const unproved =
    row.successes > proved + reverted
      ? [`${ledgerPath} claims ${row.successes} successes, sealed post-mortems since the last failure prove ${proved}`]
      : [];
  return { successes: Math.min(row.successes, proved), needed, lastFailed, problems: unproved };
}

export interface TrustSources {
  readonly ledger: ParsedLedger;
  readonly records: readonly PostMortem[];
  readonly pending: readonly PostMortem[];
}

/** True after the wanted number of proved successes in a row. */
export function isUnlocked({ successes, needed, lastFailed }: Trust): boolean {
  return !lastFailed && successes >= needed;
}

/** The ledger after one verification. A failure takes all successes; `unclear` earns nothing; no incident counts twice. */
export function recordOutcome(
  ledger: Ledger,
  key: TrustKey,
  incident: string,
  outcome: "recovered" | "worse" | "unclear",
): Ledger {
  const before = trustOf(ledger, key);
  if (outcome === "unclear" || before.incidents.includes(incident)) return ledger;
  const row: LedgerRow = {
    alert: key.alert,
    workload: workloadKey(key.workload),
    remedy: key.remedy,
    successes: outcome === "recovered" ? before.successes + 1 : 0,
    failures: before.failures + (outcome === "worse" ? 1 : 0),
    incidents: [...before.incidents, incident].slice(-mostIncidents),
  };
  const entries = [...ledger.entries.filter((other) => !isOf(other, key)), row];
  return { entries: entries.sort((a, b) => (rowName(a) < rowName(b) ? -1 : 1)) };
}

/** The ledger after the verifications that these records tell of, oldest incident first. */
export function recordPostMortems(ledger: Ledger, records: readonly PostMortem[]): Ledger {
  const oldestFirst = [...rememberedOf(records)].reverse();
  const workloads = new Map(records.map(({ uid, workload }) => [uid, workload]));
  return oldestFirst.reduce((sofar, { uid, alert, remedy, outcome }) => {
    const workload = workloads.get(uid);
    if (workload === undefined) return sofar;
    const verdict = outcome === "verified" ? "recovered" : "worse";
    return recordOutcome(sofar, { alert, workload, remedy: remedy.kind }, uid, verdict);
  }, ledger);
}

function isOf(row: LedgerRow, key: TrustKey): boolean {
  return row.alert === key.alert && row.workload === workloadKey(key.workload) && row.remedy === key.remedy;
}

function rowName(row: LedgerRow): string {
  return `${row.workload} ${row.alert} ${row.remedy}`;
}
