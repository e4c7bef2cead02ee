import { html } from "hono/html";
import type { Evidence } from "../../../domain/evidence/evidence.ts";
import { lineageOf } from "../../../domain/records/lineage.ts";
import { type Exchange, renderModel, renderMs } from "../../../domain/records/step-cost.ts";
import { auditTable } from "../audit.ts";
import type { Part } from "../parts/layout.ts";
import { table } from "../parts/table.ts";
import type { IncidentView } from "./view.ts";

/** What few people need, closed until somebody opens it: model, gate, lineage, steps, audit. */
export function foldedParts(view: IncidentView, evidence: readonly Evidence[]): Part {
  return html`${view.exchanges.map(exchangePart)}
    ${gatePart(view)}
    <details>
      <summary>Lineage: from alert to outcome</summary>
      ${lineageTable(view, evidence)}
    </details>
    <details>
      <summary>Steps and what they took</summary>
      ${stepTable(view)}
    </details>
    <details>
      <summary>Audit rows (${view.audit.length})</summary>
      ${auditTable(view.audit)}
    </details>`;
}

function exchangePart(exchange: Exchange, index: number): Part {
  return html`<details>
    <summary>Prompt and answer ${index + 1} of ${renderModel(exchange)}</summary>
    <h3>Prompt</h3>
    <pre tabindex="0">${exchange.prompt}</pre>
    <h3>Answer</h3>
    <pre tabindex="0">${exchange.answer}</pre>
  </details>`;
}

/** What the gate said, and the rendered fields that the change alters, with how that is known. */
function gatePart({ events, record: { outcome } }: IncidentView): Part | "" {
  const told = events.filter(({ verb }) => verb === "gate");
  const effect = outcome?.effect;
  if (told.length === 0 && effect === undefined) return "";
  const rows = (effect?.changes ?? []).map(({ object, field, from, to }) => ({
    cells: [
      { show: `${object.namespace}/${object.kind}/${object.name}`, look: "long" as const },
      { show: html`<code>${field.join(".")}</code>`, look: "long" as const },
      { show: valueOf(from), look: "long" as const },
      { show: valueOf(to), look: "long" as const },
    ],
  }));
  const proof =
    effect === undefined
      ? ""
      : effect.proof.kind === "rendered"
        ? html`<p>Rendered before and after with ${effect.proof.with} and compared. Effect <code>${effect.hash}</code></p>`
        : html`<p class="wait">Argued from the source, not rendered: ${effect.proof.because}. Effect <code>${effect.hash}</code></p>`;
  return html`<details>
    <summary>Gate report: risk, policies, effect</summary>
    <ul>${told.map(({ text }) => html`<li>${text}</li>`)}</ul>
    ${rows.length === 0 ? "" : table(["Object", "Field", "Before", "After"], rows, "")}${proof}
  </details>`;
}

function valueOf(value: unknown): string {
  return value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value);
}

function lineageTable(view: IncidentView, evidence: readonly Evidence[]): Part {
  const { record } = view;
  // Only addresses that the code host gave us: an alert may be called like one.
  const ours = [record.outcome?.proposal?.url, record.outcome?.revert?.proposal?.url];
  const rows = lineageOf({ ...record, ...view, evidence }).map(({ name, value, cost }) => ({
    cells: [
      { show: name, look: "head" as const },
      {
        show: ours.includes(value) ? html`<a href="${value}">${value}</a>` : html`<code>${value}</code>`,
        look: "long" as const,
      },
      { show: cost ?? "", look: "dim" as const },
    ],
  }));
  return table(["Part", "What", "Took"], rows, "");
}

function stepTable({ steps }: IncidentView): Part {
  const rows = steps.map((step) => ({
    cells: [
      { show: step.step, look: "head" as const },
      { show: step.times, look: "number" as const },
      { show: renderMs(step.durationMs), look: "number" as const },
      { show: step.githubCalls, look: "number" as const },
      { show: step.promptTokens + step.answerTokens, look: "number" as const },
    ],
  }));
  return table(["Step", "Times", "Worked", "GitHub calls", "Tokens"], rows, "No step has ended yet.");
}
