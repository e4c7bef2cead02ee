import { html } from "hono/html";
import type { PostMortem, Withdrawal } from "../../domain/records/post-mortem.ts";
import type { MemoryState } from "../../domain/records/precedent.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";
import { page } from "./parts/layout.ts";
import { table } from "./parts/table.ts";

export interface MemoryView {
  readonly state: MemoryState;
  /** Newest first. */
  readonly records: readonly PostMortem[];
  readonly withdrawals: readonly (Withdrawal & { readonly incident: string })[];
}

const purpose = html`<p class="dim">
  Memory shows how similar incidents ended: it is shown in pull requests and to the model, and decides nothing. It holds
  the sealed post-mortems of the default branch; people take one out by <code>/dispute</code> or <code>/forget</code>.
</p>`;

/** Everything that may be remembered, what it came to, and what answers a search. */
export function memoryPage({ state, records, withdrawals }: MemoryView): Promise<string> {
  const byIncident = new Map(withdrawals.map((one) => [one.incident, one]));
  const rows = records.map((record) => {
    const withdrawn = byIncident.get(record.uid) ?? record.withdrawn;
    return {
      cells: [
        { show: record.startedAt.slice(0, 10), look: "time" as const },
        html`<a href="/incidents/${record.uid}">${record.alert}</a>`,
        workloadKey(record.workload),
        { show: record.remedy?.sentence ?? "none", look: "long" as const },
        { show: record.outcome, look: withdrawn === null ? classOf(record.outcome) : ("dim" as const) },
        withdrawn === null ? "" : `${withdrawn.kind} by ${withdrawn.by}, ${withdrawn.at.slice(0, 10)}`,
      ],
    };
  });
  const heads = ["When", "Alert", "Workload", "Remedy", "Outcome", "Withdrawn"];
  const empty =
    "No sealed post-mortem was read yet: one is written into each pull request, and is read once it is merged.";
  return page("Memory", html`${purpose}${stateLine(state)}${table(heads, rows, empty)}`);
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
