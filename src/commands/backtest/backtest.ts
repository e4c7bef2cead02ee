import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync, appendFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { openHistory } from "../../adapters/past/history.ts";
import { queryPace } from "../../adapters/past/pace.ts";
import { adviceOf } from "../../domain/backtest/advice.ts";
import type { PastIncident } from "../../domain/backtest/past-alerts.ts";
import { type PastRecord, readRecords } from "../../domain/backtest/record.ts";
import { type BacktestReport, reportOf } from "../../domain/backtest/report.ts";
import { renderDefaultGuardrails } from "../../domain/guardrails/guardrails.ts";
import { renderDuration } from "../../domain/text/duration.ts";
import { guardrailsPath, loadGuardrails } from "../../flow/collect/load-guardrails.ts";
import { findPast, type PastFound, playPast } from "../../flow/jobs/backtest/backtest.ts";
import { openPast } from "../../server/jobs/backtest/past-ports.ts";
import { backtestPage } from "../../server/pages/backtest/report.ts";
import type { Settings } from "../../settings/settings.ts";
import { openSources, type Opened } from "./sources.ts";
import { summaryLines } from "./summary.ts";

export interface BacktestAsked {
  readonly days: string;
  readonly until?: string;
  readonly rate: string;
  readonly step: string;
  readonly record?: string;
  readonly repository?: string;
  readonly guardrails?: string;
  readonly html?: string;
  readonly json?: true;
}

interface Voice {
  readonly write: (line: string) => void;
  readonly progress: (line: string) => void;
  readonly now: () => Date;
}

// As many questions as one incident costs, where nobody counted yet.
const questionsOfOne = 45;

/** Plays the line over the past, and only reads. Exit code 1 where a source gave no answer: run it again, it goes on. */
export async function backtest(asked: BacktestAsked, settings: Settings, voice: Voice): Promise<number> {
  const span = spanOf(asked, voice.now());
  const opened = await openSources(settings, asked.repository);
  const pace = queryPace(span.rate);
  const about = { cluster: settings.cluster, ...span, lingerMs: settings.timings.lingerMs };
  voice.progress(`reading ALERTS from ${span.from.toISOString()} to ${span.to.toISOString()}`);
  const sources = { ...opened, pace, until: span.to, deliveredAfterMs: span.stepSeconds * 1_000 };
  const bare = openPast({ ...sources, history: await openHistory(opened.mirror, {}) });
  const found = await findPast({ ...about, metrics: bare.metrics, concernAt: bare.concernAt });
  const { text, note } = await guardrailsTried(asked, opened, found.incidents);
  const history = await openHistory(opened.mirror, { [guardrailsPath]: text });
  const past = openPast({ ...sources, history });
  const file = resolve(asked.record ?? join(settings.dataDirectory, "backtest.jsonl"));
  const { repository } = settings;
  const place = asked.repository ?? `${repository.owner}/${repository.repo}`;
  const world = { place, prometheus: settings.prometheus.url, cluster: settings.cluster, step: span.stepSeconds };
  const record = openRecord(file, { guardrails: text, ...world });
  const silent = await play(found, { past, pace, record, voice, rate: span.rate });
  const uids = new Set(found.incidents.map(({ incident }) => incident.uid));
  const mine = record.all().filter(({ uid }) => uids.has(uid));
  const records = mine.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  const report = reportOf({
    ...{ records, from: span.from.toISOString(), to: span.to.toISOString(), unplaced: found.unplaced },
    ...{ unanswered: silent.length, notes: [...found.notes, ...note, ...silenceOf(silent.length, past)] },
  });
  await tell(asked, { report, records, file }, voice);
  return silent.length === 0 ? 0 : 1;
}

function silenceOf(unanswered: number, { silence }: Pick<ReturnType<typeof openPast>, "silence">): readonly string[] {
  const because = silence();
  return unanswered === 0 || because === undefined ? [] : [`the last source without an answer: ${because}`];
}

function spanOf({ days, rate, until, step }: BacktestAsked, now: Date) {
  const to = until === undefined ? now : new Date(until);
  if (!(Number(days) > 0 && Number(days) <= 400)) throw new Error("--days must be a number up to 400");
  if (rate.trim() === "" || !(Number(rate) >= 0))
    throw new Error("--rate must be a number of queries a second, 0 for no limit");
  if (Number.isNaN(to.getTime())) throw new Error("--until must be a time such as 2026-11-20T00:00:00Z");
  if (!(Number(step) >= 1 && Number(step) <= 300)) throw new Error("--step must be 1 to 300 seconds");
  return {
    stepSeconds: Number(step),
    from: new Date(to.getTime() - Number(days) * 86_400_000),
    to,
    rate: Number(rate),
  };
}

/** What allows a change in that past: a file that is tried, that of today, or the defaults where there is none. */
async function guardrailsTried({ guardrails }: BacktestAsked, { mirror }: Opened, incidents: readonly PastIncident[]) {
  if (guardrails !== undefined) return { text: readFileSync(guardrails, "utf8"), note: [`seen with ${guardrails}`] };
  const { tree } = await mirror.head();
  const read = loadGuardrails(tree);
  if (read.ok) return { text: new TextDecoder().decode(tree.read(guardrailsPath)), note: [] };
  if (!read.missing) throw new Error(read.because);
  const namespaces = [...new Set(incidents.map(({ incident }) => incident.workload.namespace))].sort();
  const note = `there are no guardrails: seen with the defaults in ${namespaces.join(", ") || "no namespace"}`;
  return { text: renderDefaultGuardrails(namespaces), note: [note] };
}

interface Play {
  readonly past: ReturnType<typeof openPast>;
  readonly pace: ReturnType<typeof queryPace>;
  readonly record: Kept;
  readonly voice: Voice;
  readonly rate: number;
}

async function play({ incidents }: PastFound, { past, pace, record, voice, rate }: Play) {
  // What still fired then may have ended since.
  const ended = record.all().filter(({ endedAt }) => endedAt !== undefined);
  const recorded = new Set(ended.map(({ uid }) => uid));
  const todo = incidents.filter(({ incident }) => !recorded.has(incident.uid)).length;
  const before = pace.count();
  const duration = (each: number, left: number) => renderDuration((each * left * 1000) / rate);
  const speed =
    rate === 0 ? "as fast as they are answered" : `at ${rate} queries a second about ${duration(questionsOfOne, todo)}`;
  voice.progress(`${incidents.length} incidents, ${incidents.length - todo} on record; ${speed}`);
  let fresh = 0;
  return playPast(incidents, recorded, {
    ...{ world: past, atOnce: rate > 0 ? 2 : 4, save: record.add },
    tell: ({ done, all }) => {
      fresh += 1;
      const each = (pace.count() - before) / fresh;
      const left = rate > 0 && done < all ? `, about ${duration(each, all - done)} left` : "";
      voice.progress(`${done} of ${all} incidents, ${pace.count()} queries${left}`);
    },
  });
}

interface Telling {
  readonly report: BacktestReport;
  readonly records: readonly PastRecord[];
  readonly file: string;
}

async function tell(
  asked: BacktestAsked,
  { report, records, file }: Telling,
  { write, progress }: Voice,
): Promise<void> {
  progress("");
  if (asked.html !== undefined) {
    mkdirSync(dirname(resolve(asked.html)), { recursive: true });
    writeFileSync(asked.html, await backtestPage(report, records));
  }
  if (asked.json) {
    write(JSON.stringify({ ...report, advice: adviceOf(report, records), records }));
    return;
  }
  for (const line of summaryLines(report, records)) write(line);
  write("");
  write(`record: ${file}${asked.html === undefined ? "" : `, page: ${asked.html}`}`);
}

interface Kept {
  all(): readonly PastRecord[];
  add(record: PastRecord): void;
}

/** One JSON object a line, written as soon as it is known: a restart goes on. Whoever asks of another world begins anew. */
function openRecord(file: string, world: Readonly<Record<string, string | number>>): Kept {
  mkdirSync(dirname(file), { recursive: true });
  const head = JSON.stringify({ world: createHash("sha256").update(JSON.stringify(world)).digest("hex") });
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const goesOn = text.startsWith(`${head}\n`);
  if (!goesOn) writeFileSync(file, `${head}\n`);
  // A crash may have cut the last line short.
  if (goesOn && !text.endsWith("\n")) appendFileSync(file, "\n");
  const known = new Map((goesOn ? readRecords(text) : []).map((one) => [one.uid, one]));
  return {
    all: () => [...known.values()],
    add: (record) => {
      known.set(record.uid, record);
      appendFileSync(file, `${JSON.stringify(record)}\n`);
    },
  };
}
