import { html } from "hono/html";
import type { IncidentRecord } from "../../adapters/postgres/store.ts";
import type { IncidentEvent } from "../../adapters/postgres/incidents/lineage.ts";
import { asDecided } from "../../domain/root-cause/cause.ts";
import { type Capsule, readCapsule } from "../../domain/records/capsule.ts";
import type { Evidence } from "../../domain/evidence/evidence.ts";
import { lineageOf, type LineageStage } from "../../domain/records/lineage.ts";
import { findingOf } from "../../domain/proposal/proposal-text.ts";
import { type Exchange, renderModel, renderMs, type StepCost } from "../../domain/records/step-cost.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";
import { metricChart } from "./metric-chart.ts";
import { clock, endingClass, mark, page, table } from "./layout.ts";

/** All incidents, newest first. */
export function incidentsPage(records: readonly IncidentRecord[]): Promise<string> {
  const rows = records.map(({ incident, openedAt, ending, because }) => {
    return html`<tr>
      <td class="time">${clock(openedAt)}</td>
      <td><a href="/incidents/${incident.uid}">${incident.alert.name}</a></td>
      <td>${workloadKey(incident.workload)}</td>
      <td>${mark(ending ?? "open", endingClass(ending))}</td>
      <td>${because ?? ""}</td>
    </tr>`;
  });
  const heads = ["opened", "alert", "workload", "ending", "because"];
  return page("Incidents", table(heads, rows, "No incident yet. Alerts go to POST /alerts."));
}

export interface IncidentView {
  readonly record: IncidentRecord;
  readonly events: readonly IncidentEvent[];
  /** The incident's capsule as stored, if it came that far. */
  readonly capsule: string | undefined;
  readonly steps: readonly StepCost[];
  readonly exchanges: readonly Exchange[];
}

/** One incident: what happened, what was seen, and the line from alert to outcome. */
export function incidentPage(view: IncidentView): Promise<string> {
  const { record, events } = view;
  const { incident, ending, because } = record;
  const read = view.capsule === undefined ? undefined : readCapsule(view.capsule);
  const capsule = read?.kind === "capsule" ? read.capsule : undefined;
  const evidence = capsule?.evidence ?? [];
  const notRead = read?.kind === "unreadable" ? html`<p class="bad">${read.because}</p>` : "";
  const body = html`<p class="lead">
      <code>${workloadKey(incident.workload)}</code> ${mark(ending ?? "open", endingClass(ending))} ${because ?? ""}
    </p>
    ${notRead}${metricChart(evidence) ?? ""}
    <h2>Timeline</h2>
    ${table(["time", "verb", "what"], events.map(eventRow), "Nothing was told yet.")}
    <h2>Causes considered</h2>
    ${causesOf(capsule)}
    <h2>Lineage</h2>
    ${lineageTable(lineageOf({ ...record, ...view, evidence }), record.story)} ${exchangesOf(view.exchanges)}
    <h2>Steps</h2>
    ${stepTable(view.steps)}
    <h2>Evidence</h2>
    ${capsule === undefined ? "" : html`<p><a href="/incidents/${incident.uid}/capsule">Download the capsule</a>: <code>rectify replay</code> repeats the diagnosis from it, offline.</p>`}
    ${evidenceTable(evidence)}`;
  return page(`${incident.alert.name} of ${incident.workload.name}`, body);
}

function eventRow({ at, verb, text }: IncidentEvent) {
  return html`<tr>
    <td class="time">${clock(at)}</td>
    <td>${verb}</td>
    <td>${text}</td>
  </tr>`;
}

function causesOf(capsule: Capsule | undefined) {
  if (capsule === undefined) return html`<p class="dim">Not diagnosed yet.</p>`;
  const { diagnosis, decided } = capsule;
  if (diagnosis.kind === "abstained") return html`<p>None: ${diagnosis.because}.</p>`;
  const rows = asDecided(diagnosis.causes, decided).map((cause) => {
    return html`<tr>
      <td class="number">${Math.round(cause.confidence * 100)} %</td>
      <td>${cause.sentence}</td>
      <td>${cause.citing.map((id) => html`<a href="#${id}">${id}</a> `)}</td>
    </tr>`;
  });
  return table(["confidence", "cause", "evidence"], rows, "None.");
}

function lineageTable(stages: readonly LineageStage[], story: IncidentRecord["story"]) {
  // Only addresses that the code host gave us: an alert may be called like one.
  const ours = [story?.proposal?.url, story?.revert?.proposal?.url];
  const rows = stages.map(({ name, value, cost }) => {
    return html`<tr>
      <th scope="row">${name}</th>
      <td>${ours.includes(value) ? html`<a href="${value}">${value}</a>` : html`<code>${value}</code>`}</td>
      <td class="dim">${cost ?? ""}</td>
    </tr>`;
  });
  return table(["part", "what", "took"], rows, "");
}

/** What the model read and wrote, closed until somebody opens it. */
function exchangesOf(exchanges: readonly Exchange[]) {
  return exchanges.map(
    (exchange, index) => html`<details>
      <summary>Question ${index + 1} to ${renderModel(exchange)}</summary>
      <h3>Prompt</h3>
      <pre>${exchange.prompt}</pre>
      <h3>Answer</h3>
      <pre>${exchange.answer}</pre>
    </details>`,
  );
}

function stepTable(steps: readonly StepCost[]) {
  const rows = steps.map((step) => {
    return html`<tr>
      <th scope="row">${step.step}</th>
      <td class="number">${step.times}</td>
      <td class="number">${renderMs(step.durationMs)}</td>
      <td class="number">${step.githubCalls}</td>
      <td class="number">${step.promptTokens + step.answerTokens}</td>
    </tr>`;
  });
  return table(["step", "times", "worked", "GitHub calls", "tokens"], rows, "No step has ended yet.");
}

function evidenceTable(evidence: readonly Evidence[]) {
  const rows = evidence.map((item) => {
    return html`<tr id="${item.id}">
      <th scope="row">${item.id}</th>
      <td>${item.source}</td>
      <td>${item.title}<br /><span class="${item.finding.kind === "missing" ? "bad" : "dim"}">${findingOf(item)}</span></td>
      <td><code>${item.query}</code></td>
    </tr>`;
  });
  return table(["id", "source", "seen", "query"], rows, "Nothing was collected yet.");
}
