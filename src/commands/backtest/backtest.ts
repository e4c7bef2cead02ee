import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openHistory } from "../../adapters/past/history.ts";
import { queryPace } from "../../adapters/past/pace.ts";
import { adviceOf } from "../../domain/backtest/advice.ts";
import type { PastIncident } from "../../domain/backtest/past-alerts.ts";
import type { PastRecord } from "../../domain/backtest/record.ts";
import { type BacktestReport, reportOf } from "../../domain/backtest/report.ts";
import { renderDefaultGuardrails } from "../../domain/guardrails/guardrails.ts";
import { incidentsOf } from "../../domain/text/how-many.ts";
import { renderDuration } from "../../domain/text/duration.ts";
import { guardrailsPath, loadGuardrails } from "../../flow/collect/load-guardrails.ts";
import { findPast, type PastFound, analyzePast } from "../../flow/jobs/backtest/backtest.ts";
import { openPast } from "../../server/jobs/backtest/past-ports.ts";
import { backtestPage } from "../../server/pages/backtest/report.ts";
import { Unavailable } from "../../ports/errors.ts";
import type { Settings } from "../../settings/settings.ts";
import { type BacktestAsked, guardrailsIn, spanOf, writableAt } from "./options.ts";
import { type Kept, openRecord, worldOf } from "./record-file.ts";
import { openSources, type Opened, reading } from "./sources.ts";
import { summaryLines } from "./summary.ts";

interface Output {
  readonly write: (line: string) => void;
  readonly progress: (line: string) => void;
  readonly now: () => Date;
}

// As many questions as one incident costs, where nobody counted yet.
const questionsOfOne = 45;

/** Runs the line over the past, and only reads. Exit code 1 where a source gave no answer: run it again, it goes on. */
export async function backtest(asked: BacktestAsked, settings: Settings, output: Output): Promise<number> {
  try {
    return await ran(asked, settings, output);
  } finally {
    // What is said next, a report or an error, begins on a line of its own.
    output.progress("");
  }
}

async function ran(asked: BacktestAsked, settings: Settings, output: Output): Promise<number> {
  const span = spanOf(asked, output.now());
  // What is wrong with a file is said before an hour of questions, and not after it.
  const tried = asked.guardrails === undefined ? undefined : guardrailsIn(asked.guardrails);
  const file = writableAt("--record", asked.record ?? join(settings.dataDirectory, "backtest.jsonl"));
  const html = asked.html === undefined ? undefined : writableAt("--html", asked.html);
  const pace = queryPace(span.rate);
  const opened = await openSources(settings, asked.repository, pace);
  const about = { cluster: settings.cluster, ...span, lingerMs: settings.timings.lingerMs };
  output.progress(`reading ALERTS from ${span.from.toISOString()} to ${span.to.toISOString()}`);
  const sources = { ...opened, until: span.to, deliveredAfterMs: span.stepSeconds * 1_000 };
  const bare = openPast({
    ...sources,
    history: await reached(openHistory(opened.mirror, {}), reading(asked.repository)),
  });
  const finding = findPast({ ...about, metrics: bare.metrics, concernAt: bare.concernAt });
  const found = await reached(
    finding,
    `PROMETHEUS_URL (${settings.prometheus.url}) must be an address that answers here`,
  );
  letIn(bare);
  const { text, note } = await guardrailsTried({ file: asked.guardrails, tried }, opened, found.incidents);
  const history = await openHistory(opened.mirror, { [guardrailsPath]: text });
  const past = openPast({ ...sources, history });
  const record = openRecord(file, worldOf(settings, { asked, guardrails: text, stepSeconds: span.stepSeconds }));
  const silent = await run(found, { past, pace, record, output, rate: span.rate });
  const kept = `${found.incidents.length - silent.length} of ${incidentsOf(found.incidents.length)}`;
  letIn(past, `; ${kept} are on record in ${file}: run it again, and it goes on there`);
  const uids = new Set(found.incidents.map(({ incident }) => incident.uid));
  const mine = record.all().filter(({ uid }) => uids.has(uid));
  const records = mine.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  const report = reportOf({
    ...{ records, from: span.from.toISOString(), to: span.to.toISOString(), unplaced: found.unplaced },
    ...{ unanswered: silent.length, notes: [...found.notes, ...note, ...silenceOf(silent.length, past)] },
  });
  await tell({ html, json: asked.json }, { report, records, file }, output);
  return silent.length === 0 ? 0 : 1;
}

/** What gives no answer says why; what to do about it depends on how it was asked for. */
function reached<T>(asked: Promise<T>, fix: string): Promise<T> {
  return asked.catch((error: unknown) => {
    if (!(error instanceof Unavailable)) throw error;
    throw new Error(`${error.message.replace(/[.:]+$/, "")}: ${fix}`, { cause: error });
  });
}

/** A source that does not let us in says nothing of the past: what it would look like is no result. */
function letIn({ denied }: Pick<ReturnType<typeof openPast>, "denied">, more = ""): void {
  const because = denied();
  if (because !== undefined) throw new Error(`${because}${more}`);
}

function silenceOf(unanswered: number, { silence }: Pick<ReturnType<typeof openPast>, "silence">): readonly string[] {
  const because = silence();
  return unanswered === 0 || because === undefined ? [] : [`the last source without an answer: ${because}`];
}

/** What allows a change in that past: a file that is tried, that of today, or the defaults where there is none. */
async function guardrailsTried(
  { file, tried }: { readonly file: string | undefined; readonly tried: string | undefined },
  { mirror }: Opened,
  incidents: readonly PastIncident[],
) {
  if (tried !== undefined) return { text: tried, note: [`seen with ${file}`] };
  const { tree } = await mirror.head();
  const read = loadGuardrails(tree);
  if (read.ok) return { text: new TextDecoder().decode(tree.read(guardrailsPath)), note: [] };
  if (!read.missing) throw new Error(read.because);
  const namespaces = [...new Set(incidents.map(({ incident }) => incident.workload.namespace))].sort();
  const note = `there are no guardrails: seen with the defaults in ${namespaces.join(", ") || "no namespace"}`;
  return { text: renderDefaultGuardrails(namespaces), note: [note] };
}

interface BacktestRun {
  readonly past: ReturnType<typeof openPast>;
  readonly pace: ReturnType<typeof queryPace>;
  readonly record: Kept;
  readonly output: Output;
  readonly rate: number;
}

async function run({ incidents }: PastFound, { past, pace, record, output, rate }: BacktestRun) {
  // What still fired then may have ended since.
  const ended = record.all().filter(({ endedAt }) => endedAt !== undefined);
  const recorded = new Set(ended.map(({ uid }) => uid));
  const todo = incidents.filter(({ incident }) => !recorded.has(incident.uid)).length;
  const before = pace.count();
  const duration = (each: number, left: number) => renderDuration((each * left * 1000) / rate);
  const speed =
    rate === 0 ? "as fast as they are answered" : `at ${rate} queries a second about ${duration(questionsOfOne, todo)}`;
  output.progress(`${incidentsOf(incidents.length)}, ${incidents.length - todo} on record; ${speed}`);
  let fresh = 0;
  return analyzePast(incidents, recorded, {
    ...{ world: past, atOnce: rate > 0 ? 2 : 4, save: record.add },
    tell: ({ done, all }) => {
      fresh += 1;
      const each = (pace.count() - before) / fresh;
      const left = rate > 0 && done < all ? `, about ${duration(each, all - done)} left` : "";
      output.progress(`${done} of ${incidentsOf(all)}, ${pace.count()} queries${left}`);
    },
  });
}

interface Telling {
  readonly report: BacktestReport;
  readonly records: readonly PastRecord[];
  readonly file: string;
}

async function tell(
  { html, json }: { readonly html: string | undefined; readonly json: true | undefined },
  { report, records, file }: Telling,
  { write, progress }: Output,
): Promise<void> {
  progress("");
  if (html !== undefined) writeFileSync(html, await backtestPage(report, records));
  if (json) {
    write(JSON.stringify({ ...report, advice: adviceOf(report, records), records }));
    return;
  }
  for (const line of summaryLines(report, records)) write(line);
  write("");
  write(`record: ${file}`);
  if (html !== undefined) write(`page: ${html}`);
}
