import { html } from "hono/html";
import { type Capsule, readCapsule } from "../../../domain/records/capsule.ts";
import { workloadKey } from "../../../domain/kubernetes/workload.ts";
import { endingClass, mark, page } from "../parts/layout.ts";
import { type ChartMark, metricChart } from "../parts/metric-chart.ts";
import { causesPart } from "./causes.ts";
import { evidencePart } from "./evidence.ts";
import { factsPart } from "./facts.ts";
import { foldedParts } from "./folded.ts";
import { timelinePart } from "./timeline.ts";
import type { IncidentView } from "./view.ts";

/** One incident as a workflow: the facts, the chart, what happened when, what it was, what was seen; the rest folded. */
export function incidentPage(view: IncidentView): Promise<string> {
  const { incident, ending, because } = view.record;
  const read = view.capsule === undefined ? undefined : readCapsule(view.capsule);
  const capsule: Capsule | undefined = read?.kind === "capsule" ? read.capsule : undefined;
  const evidence = capsule?.evidence ?? [];
  const body = html`<p class="lead">
      <code>${workloadKey(incident.workload)}</code> ${mark(ending ?? "open", endingClass(ending))} ${because ?? ""}
    </p>
    ${refreshLine(view)}
    ${read?.kind === "unreadable" ? html`<p class="bad">${read.because}</p>` : ""}
    ${factsPart(view)}
    ${metricChart(evidence, courseOf(view)) ?? ""}
    <h2>Timeline</h2>
    ${timelinePart(view.events, view.record.openedAt)}
    <h2>Causes considered</h2>
    ${causesPart(capsule)}
    <h2>Evidence</h2>
    ${evidencePart(evidence, view)}
    <h2>Behind it</h2>
    ${foldedParts(view, evidence)}`;
  return page(`${incident.alert.name} of ${incident.workload.name}`, body);
}

/** When what happened, and what the metric did after the change, in Unix seconds. */
function courseOf({ record: { incident, outcome, ending, endedAt } }: IncidentView) {
  const { course, verification } = outcome ?? {};
  const seconds = (at: string | undefined) => (at === undefined ? [] : [Date.parse(at) / 1000]);
  const [synced] = seconds(course?.syncedAt);
  const since = (ms: number) => (synced === undefined ? [] : [synced + ms / 1000]);
  const all: readonly (readonly [ChartMark["name"], readonly number[]])[] = [
    ["fired", seconds(incident.startedAt)],
    ["merged", seconds(course?.mergedAt)],
    ["synced", seconds(course?.syncedAt)],
    ["recovered", verification?.kind === "recovered" ? since(verification.afterMs) : []],
    ["reverted", ending === "reverted" ? seconds(endedAt) : []],
  ];
  return {
    marks: all.flatMap(([name, times]) => times.map((at) => ({ name, at }))),
    watched: (verification?.watched ?? []).flatMap(([ms, value]) => since(ms).map((at) => [at, value] as const)),
  };
}

function refreshLine({ record, refreshes }: IncidentView) {
  if (record.ending !== undefined) return "";
  return refreshes === undefined
    ? html`<p class="dim">It goes on. <a href="/incidents/${record.incident.uid}">Refresh by itself</a></p>`
    : html`<p class="dim">
        It goes on: this page refreshes itself every ${refreshes} s.
        <a href="/incidents/${record.incident.uid}?still=1">Keep it still</a>
      </p>`;
}
