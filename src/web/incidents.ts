import { html } from "hono/html";
import type { IncidentRecord } from "../adapters/store.ts";
import type { IncidentEvent } from "../adapters/store-lineage.ts";
import { readCapsule } from "../domain/capsule.ts";
import { lineageOf } from "../domain/lineage.ts";
import { findingOf } from "../domain/proposal-text.ts";
import { workloadKey } from "../domain/workload.ts";
import { endingClass, page, table } from "./layout.ts";
import { metricChart } from "./metric-chart.ts";

/** All incidents, newest first. */
export function incidentsPage(records: readonly IncidentRecord[]): Promise<string> {
  const rows = records.map(({ incident, openedAt, ending, because }) => {
    return html`<tr>
      <td class="time">${clock(openedAt)}</td>
      <td><a href="/incidents/${incident.uid}">${incident.alert.name}</a></td>
      <td>${workloadKey(incident.workload)}</td>
      <td class="${endingClass(ending)}">${ending ?? "open"}</td>
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
}

/** One incident: what happened, what was seen, and the line from alert to outcome. */
export function incidentPage({ record, events, capsule }: IncidentView): Promise<string> {
  const { incident, ending, because } = record;
  const body = html`<p>
      <code>${workloadKey(incident.workload)}</code> ·
      <strong class="${endingClass(ending)}">${ending ?? "open"}</strong> ${because ?? ""}
    </p>
    ${chartOf(capsule)}
    <h2>Timeline</h2>
    ${table(["time", "verb", "what"], events.map(eventRow), "Nothing was told yet.")}
    <h2>Causes considered</h2>
    ${causesOf(capsule)}
    <h2>Lineage</h2>
    ${lineageTable(record)}
    <h2>Evidence</h2>
    ${capsule === undefined ? "" : html`<p><a href="/incidents/${incident.uid}/capsule">The capsule</a>: <code>rectify replay</code> repeats the diagnosis from it.</p>`}
    ${evidenceOf(capsule)}`;
  return page(`${incident.alert.name} of ${incident.workload.name}`, body);
}

function chartOf(capsule: string | undefined) {
  const read = capsule === undefined ? undefined : readCapsule(capsule);
  return read?.kind === "capsule" ? (metricChart(read.capsule.evidence) ?? "") : "";
}

function eventRow({ at, verb, text }: IncidentEvent) {
  return html`<tr>
    <td class="time">${clock(at)}</td>
    <td>${verb}</td>
    <td>${text}</td>
  </tr>`;
}

function causesOf(capsule: string | undefined) {
  const read = capsule === undefined ? undefined : readCapsule(capsule);
  if (read?.kind !== "capsule") return html`<p class="dim">Not diagnosed yet.</p>`;
  const { diagnosis } = read.capsule;
  if (diagnosis.kind === "abstained") return html`<p>None: ${diagnosis.because}.</p>`;
  const rows = diagnosis.causes.map((cause) => {
    return html`<tr>
      <td>${Math.round(cause.confidence * 100)} %</td>
      <td>${cause.sentence}</td>
      <td>${cause.citing.join(", ")}</td>
    </tr>`;
  });
  return table(["confidence", "cause", "evidence"], rows, "None.");
}

function lineageTable({ incident, story }: IncidentRecord) {
  // Only addresses that the code host gave us: an alert may be called like one.
  const ours = [story?.proposal?.url, story?.revert?.proposal?.url];
  const rows = lineageOf(incident, story).map(([name, value]) => {
    return html`<tr>
      <th scope="row">${name}</th>
      <td>${ours.includes(value) ? html`<a href="${value}">${value}</a>` : html`<code>${value}</code>`}</td>
    </tr>`;
  });
  return table(["", ""], rows, "");
}

function evidenceOf(capsule: string | undefined) {
  const read = capsule === undefined ? undefined : readCapsule(capsule);
  const evidence = read?.kind === "capsule" ? read.capsule.evidence : [];
  const rows = evidence.map((item) => {
    return html`<tr>
      <td>${item.id}</td>
      <td>${item.source}</td>
      <td>${item.title}<br /><span class="${item.finding.kind === "missing" ? "bad" : "dim"}">${findingOf(item)}</span></td>
      <td><code>${item.query}</code></td>
    </tr>`;
  });
  return table(["id", "source", "seen", "query"], rows, "Nothing was collected yet.");
}

function clock(at: string): string {
  return at.replace("T", " ").slice(0, 19);
}
