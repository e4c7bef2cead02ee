import { html } from "hono/html";
import type { PostMortem, Withdrawal } from "../../domain/records/post-mortem.ts";
import type { MemoryState } from "../../domain/records/precedent.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";
import { page, table } from "./layout.ts";

export interface MemoryView {
  readonly state: MemoryState;
  /** Newest first. */
  readonly records: readonly PostMortem[];
  readonly withdrawals: readonly (Withdrawal & { readonly incident: string })[];
}

/** Everything that may be remembered, what it came to, and what answers a search. */
export function memoryPage({ state, records, withdrawals }: MemoryView): Promise<string> {
  const byIncident = new Map(withdrawals.map((one) => [one.incident, one]));
  const rows = records.map((record) => {
    const withdrawn = byIncident.get(record.uid) ?? record.withdrawn;
    return html`<tr>
      <td class="time">${record.startedAt.slice(0, 10)}</td>
      <td><a href="/incidents/${record.uid}">${record.alert}</a></td>
      <td>${workloadKey(record.workload)}</td>
      <td>${record.remedy?.sentence ?? "none"}</td>
      <td class="${withdrawn === null ? classOf(record.outcome) : "dim"}">${record.outcome}</td>
      <td>${withdrawn === null ? "" : `${withdrawn.kind} by ${withdrawn.by}, ${withdrawn.at.slice(0, 10)}`}</td>
    </tr>`;
  });
  const heads = ["when", "alert", "workload", "remedy", "outcome", "withdrawn"];
  return page("Memory", html`${stateLine(state)}${table(heads, rows, "No sealed post-mortem was read yet.")}`);
}

function classOf(outcome: PostMortem["outcome"]): "good" | "bad" | "dim" {
  if (outcome === "verified") return "good";
  return outcome === "failed" ? "bad" : "dim";
}

function stateLine(state: MemoryState) {
  if (state.kind === "off") return html`<p class="wait">The index is off: ${state.because}.</p>`;
  const how = state.engine === "faiss" ? "found by FAISS" : "compared one by one";
  return html`<p>${state.entries} entries count and are ${how}; made from <code>${state.revision.slice(0, 12)}</code>.</p>`;
}
