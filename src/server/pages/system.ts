import { html } from "hono/html";
import type { ParkedDelivery } from "../../adapters/postgres/incidents/inbox.ts";
import type { Candidate, CapLimits, CapUse } from "../../domain/proposal/caps.ts";
import type { Dashboard } from "../../domain/proposal/dashboard.ts";
import { oneLine } from "../../domain/text/one-line.ts";
import type { UnplacedAlerts } from "../../domain/incident/unplaced.ts";
import { unplacedPart } from "./parts/unplaced.ts";
import type { SourceHealth } from "../../domain/evidence/source-health.ts";
import { renderMs } from "../../domain/records/step-cost.ts";
import { isWatching, p99, renderWatchtower, type Watchtower } from "../../domain/guardrails/watchtower.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";
import { shadowPart, type ShadowView } from "./backtest/shadow.ts";
import { mark, page } from "./parts/layout.ts";
import { table, type TableRow } from "./parts/table.ts";
import { clock } from "./parts/when.ts";

/** What is open and what waits under the caps; unknown while nobody could read the guardrails. */
export type ProposalsView =
  | { readonly kind: "unknown"; readonly because: string }
  | ({
      readonly kind: "known";
      readonly limits: CapLimits;
      readonly used: CapUse;
      readonly ready: readonly Candidate[];
    } & Pick<Dashboard, "open" | "listed">);

export interface SystemView {
  readonly watchtower: Watchtower;
  readonly proposals: ProposalsView;
  readonly sources: readonly SourceHealth[];
  readonly unplaced: readonly UnplacedAlerts[];
  readonly shadow?: ShadowView;
}

/** Deliveries that nobody has read yet, and those that are not tried again. */
export interface InboxView {
  readonly waiting: number;
  readonly parked: readonly ParkedDelivery[];
}

/** How Rectify itself does, by what it knows already: nobody outside is asked for this page. */
export function systemPage(inboxed: InboxView, view: SystemView | undefined): Promise<string> {
  const inbox = html`<h2>Inbox</h2>
    <p>${inboxed.waiting} deliveries wait in the inbox.</p>
    ${parkedPart(inboxed.parked)}`;
  if (view === undefined) return page("System", inbox);
  const body = html`${watchtowerPart(view.watchtower)}
    <h2>Proposals</h2>
    ${proposalsPart(view.proposals)}${inbox}
    ${unplacedPart(view.unplaced)}${view.shadow === undefined ? "" : shadowPart(view.shadow)}
    <h2>Sources</h2>
    ${sourcesTable(view.sources)}`;
  return page("System", body);
}

function parkedPart(parked: readonly ParkedDelivery[]) {
  if (parked.length === 0) return "";
  const rows = parked.map(({ id, kind, event, receivedAt, because }) => {
    return {
      cells: [
        { show: id, look: "number" as const },
        kind === "github" ? `GitHub, ${event}` : "alerts",
        { show: oneLine(because, 300), look: "long" as const },
        { show: clock(receivedAt), look: "time" as const },
      ],
    };
  });
  return html`<h2>Parked deliveries (${parked.length})</h2>
    <p class="wait">Try one again with <code>rectify deliveries replay ID</code>.</p>
    ${table(["Delivery", "From", "Parked because", "Received (UTC)"], rows, "None.")}`;
}

function watchtowerPart(state: Watchtower) {
  const { calls, signals } = state;
  const slowest = p99(calls.map(({ durationMs }) => durationMs));
  const times =
    slowest === undefined
      ? "no call of the model lately"
      : `calls of the model lately: ${calls.length}, 99th percentile ${renderMs(slowest)}`;
  return html`<p class="lead">
      Watchtower ${mark(state.mode, isWatching(state) ? "wait" : "good")}
      ${renderWatchtower(state).replace(/^acting: |^watching since \S+: /, "")}.
    </p>
    <p class="dim">
      So since ${clock(new Date(state.since).toISOString())} UTC; model ${signals.modelRule} by the guardrails; ${times}.
    </p>`;
}

function proposalsPart(view: ProposalsView) {
  if (view.kind === "unknown") return html`<p class="wait">Not known: ${view.because}.</p>`;
  const { limits, used, open } = view;
  const waiting = [...view.ready.map((candidate) => ({ candidate, because: "it is its turn now" })), ...view.listed];
  const exempt = limits.exemptSeverities.join(", ");
  const opened = open.map(({ pull, workload, summary }) => {
    return {
      cells: [
        { show: `#${pull}`, look: "number" as const },
        workloadKey(workload),
        { show: summary, look: "long" as const },
      ],
    };
  });
  return html`<p>
      ${share(used.open, limits.maxOpenPulls)} open, ${share(used.lastHour, limits.maxPullsPerHour)} opened within the
      hour.${exempt === "" ? "" : ` The caps do not hold back: ${exempt}.`}
    </p>
    ${table(["Proposal", "Workload", "Change"], opened, "None is open.")}
    <h2>Waiting (${waiting.length})</h2>
    ${table(["Alert and workload", "Waits because", "Change", "Since (UTC)"], waiting.slice(0, mostRows).map(waitingRow), "Nothing waits.")}
    ${waiting.length > mostRows ? html`<p class="dim">${waiting.length - mostRows} more are not shown.</p>` : ""}`;
}

const mostRows = 200;

function share(used: number, cap: number) {
  return html`<strong class="${used >= cap ? "wait" : ""}">${used} of ${cap}</strong>`;
}

function waitingRow({ candidate, because, refused = [] }: Dashboard["listed"][number]): TableRow {
  const { incident, alert, severity, workload, summary, startedAt } = candidate;
  // A revert queues under its incident's id and a part of its own.
  const uid = incident.split("/")[0] ?? "";
  const asked = refused.map((words) => html`<br /><span class="dim">Not opened now: ${oneLine(words, 200)}.</span>`);
  return {
    cells: [
      html`<a href="/incidents/${uid}">${alert}</a> <span class="dim">${severity}</span><br />${workloadKey(workload)}`,
      { show: html`${because}${asked}`, look: "long" },
      { show: summary, look: "long" },
      { show: clock(startedAt), look: "time" },
    ],
  };
}

const words = {
  answers: ["answers", "good"],
  refuses: ["says no", "bad"],
  silent: ["no answer", "bad"],
  unasked: ["not asked yet", "dim"],
  absent: ["absent", "wait"],
} as const;

function sourcesTable(sources: readonly SourceHealth[]) {
  const rows = sources.map(({ name, state, since, lastAnswer, lastError, about }) => {
    const [word, look] = words[state];
    const error =
      lastError === undefined ? "" : html`<span class="dim">${clock(lastError.at)}</span><br />${lastError.because}`;
    return {
      cells: [
        { show: name, look: "head" as const },
        html`${mark(word, look)}${about === "" ? "" : html`<br /><span class="dim">${about}</span>`}`,
        { show: error, look: "long" as const },
        { show: clock(since), look: "time" as const },
        { show: lastAnswer === undefined ? "" : clock(lastAnswer), look: "time" as const },
      ],
    };
  });
  return table(["Source", "State", "Last error", "Since (UTC)", "Last answer"], rows, "None.");
}
