import { z } from "zod";
import type { RemediationKind } from "./remediation.ts";
import type { Workload } from "./workload.ts";
import { workloadKey } from "./workload.ts";

/** What trust is earned for: one remedy for one alert of one workload. */
export interface TrustKey {
  readonly alert: string;
  readonly workload: Workload;
  readonly remedy: RemediationKind;
}

const Row = z.strictObject({
  alert: z.string().min(1),
  workload: z.string().regex(/^[a-z0-9-]+\/[A-Z][A-Za-z]+\/[a-z0-9.-]+$/, "must be namespace/Kind/name"),
  remedy: z.enum(["scale", "resources", "image-rollback", "revert"]),
  /** Verified successes since the last failure. */
  successes: z.int().nonnegative(),
  failures: z.int().nonnegative(),
  /** The newest incidents counted, so that none counts twice. */
  incidents: z.array(z.uuid()).max(50),
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
    return { ok: false, problems: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`) };
  }
  const keys = parsed.data.entries.map((row) => `${row.alert} ${row.workload} ${row.remedy}`);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) return { ok: false, problems: [`entries: ${twice} stands there twice: keep one`] };
  return { ok: true, value: parsed.data };
}

/** What is on record for a key: zeros when there is nothing. */
export function trustOf(ledger: Ledger, key: TrustKey): Pick<LedgerRow, "successes" | "failures" | "incidents"> {
  return ledger.entries.find((row) => isOf(row, key)) ?? { successes: 0, failures: 0, incidents: [] };
}

/** True after the wanted number of verified successes in a row. */
export function isUnlocked(ledger: Ledger, key: TrustKey, autonomy: { readonly successes: number }): boolean {
  return trustOf(ledger, key).successes >= autonomy.successes;
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
    incidents: [...before.incidents, incident].slice(-50),
  };
  const entries = [...ledger.entries.filter((other) => !isOf(other, key)), row];
  return { entries: entries.sort((a, b) => rowName(a).localeCompare(rowName(b))) };
}

function isOf(row: LedgerRow, key: TrustKey): boolean {
  return row.alert === key.alert && row.workload === workloadKey(key.workload) && row.remedy === key.remedy;
}

function rowName(row: LedgerRow): string {
  return `${row.workload} ${row.alert} ${row.remedy}`;
}
