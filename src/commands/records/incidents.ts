import { noRecords, openRecords, type Env } from "./records.ts";
import { earnedIn, liveList } from "../../domain/backtest/advice.ts";
import type { PastRecord } from "../../domain/backtest/record.ts";
import { reportOf } from "../../domain/backtest/report.ts";
import { forTerminal } from "../../domain/records/explanation.ts";
import { parseDuration } from "../../domain/text/duration.ts";
import type { IncidentFilter, IncidentLine } from "../../adapters/postgres/incidents/list.ts";
import type { Told } from "../told.ts";

export interface IncidentsAsked {
  readonly open?: true;
  readonly state?: string;
  readonly workload?: string;
  readonly alert?: string;
  readonly text?: string;
  /** Opened within this duration, such as `24h`. */
  readonly since?: string;
  readonly limit: string;
  readonly json?: true;
}

const widths = { state: 22, opened: 20, alert: 26, workload: 34 };

/** The incidents on record, open ones first, then newest first. */
export async function listIncidents(asked: IncidentsAsked, env: Env, now: Date): Promise<Told> {
  const filter = filterOf(asked, now);
  const limit = /^[1-9]\d{0,4}$/.test(asked.limit) ? Number(asked.limit) : undefined;
  if (limit === undefined) return { lines: ["--limit must be a whole number from 1 to 99999"], code: 2 };
  if (typeof filter === "string") return { lines: [filter], code: 2 };
  const store = await openRecords(env);
  if (store === undefined) return { lines: [noRecords], code: 1 };
  try {
    const since = new Date(now.getTime() - shadowDays * 86_400_000);
    const [{ lines, next }, counts, verdicts] = await Promise.all([
      ...([store.listIncidents(filter, limit), store.countIncidents(filter), store.shadowVerdicts(since)] as const),
    ]);
    if (asked.json === true) return { lines: lines.map((line) => JSON.stringify(line)), code: 0 };
    const sum = [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
    const more = next === undefined ? [] : [`more are on record: ask for more by --limit, or for fewer by a filter`];
    const rows = lines.length === 0 ? ["no incident is on record that fits"] : [head(), ...lines.map(row)];
    return {
      lines: [...rows, ...more, ...(sum === "" ? [] : ["", sum]), ...shadowTally(verdicts)].map(forTerminal),
      code: 0,
    };
  } finally {
    await store.close();
  }
}

const shadowDays = 28;

/** What shadow mode came to in four weeks, and the lines that switch on what has earned it. */
function shadowTally(verdicts: readonly PastRecord[]): readonly string[] {
  if (verdicts.length === 0) return [];
  const report = reportOf({ records: verdicts, from: "", to: "" });
  const counted = Object.entries(report.verdicts).flatMap(([kind, count]) => (count > 0 ? [`${count} ${kind}`] : []));
  const classes = earnedIn(report.classes).map(({ row, lacks }) => {
    const earned = `has earned to be live: ${liveList([row])}`;
    return `  ${row.alert} of ${row.workload}: ${lacks ?? earned}`;
  });
  return ["", `shadow mode, ${shadowDays} days: ${counted.join(", ")}`, ...classes];
}

function filterOf({ open, state, workload, alert, text, since }: IncidentsAsked, now: Date): IncidentFilter | string {
  const back = since === undefined ? undefined : parseDuration(since);
  if (since !== undefined && back === undefined) return `--since must be a duration such as 24h or 7d, not ${since}`;
  const from = back === undefined ? undefined : new Date(now.getTime() - back);
  return { state: open === true ? "open" : state, workload, alert, text, since: from };
}

function head(): string {
  const { state, opened, alert, workload } = widths;
  return `${"STATE".padEnd(state)}${"OPENED (UTC)".padEnd(opened)}${"ALERT".padEnd(alert)}${"WORKLOAD".padEnd(workload)}INCIDENT-UID`;
}

function row({ uid, workload, alert, openedAt, ending, pull }: IncidentLine): string {
  const state = `${ending ?? "open"}${pull === undefined ? "" : ` #${pull}`}`;
  const cells = [
    state.padEnd(widths.state),
    openedAt.replace("T", " ").slice(0, 19).padEnd(widths.opened),
    `${alert} `.padEnd(widths.alert),
    `${workload} `.padEnd(widths.workload),
  ];
  return `${cells.join("")}${uid}`;
}
