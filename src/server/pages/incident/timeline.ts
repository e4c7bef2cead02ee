import { html } from "hono/html";
import type { IncidentEvent } from "../../../adapters/postgres/incidents/lineage.ts";
import type { Part } from "../parts/layout.ts";
import { clock, lasting } from "../parts/when.ts";

/** What happened, with the time of day and how long after the incident was opened. */
export function timelinePart(events: readonly IncidentEvent[], openedAt: string): Part {
  if (events.length === 0) return html`<p class="dim">Nothing was told yet.</p>`;
  const opened = Date.parse(openedAt);
  const [day] = clock(openedAt).split(" ");
  const items = events.map(({ at, verb, text }) => {
    const [date, time] = clock(at).split(" ");
    const passed = Date.parse(at) - opened;
    const shown = date === day ? time : `${date} ${time}`;
    return html`<li class="${lookOf(verb, text)}">
      <span class="dim"><time datetime="${at}">${shown}</time> ${passed < 500 ? "" : `+${lasting(passed)} `}</span><strong>${verb}</strong>
      <span>${text}</span>
    </li>`;
  });
  return html`<p class="dim">Times of ${day ?? ""}, UTC.</p>
    <ol class="timeline">${items}</ol>`;
}

// The first words of these verbs are ours; other texts may begin with what others wrote.
const ours = new Set(["decide", "verify", "learn", "park"]);

function lookOf(verb: string, text: string): "good" | "bad" | "wait" | "" {
  if (verb === "propose" && text.startsWith("waits: ")) return "wait";
  if (!ours.has(verb)) return "";
  if (/^(?:recovered|resolved|merged)/.test(text)) return "good";
  if (/^(?:worse|refused|parked|not-synced|reverted|declined)/.test(text)) return "bad";
  return /^(?:unclear|ignored)/.test(text) ? "wait" : "";
}
