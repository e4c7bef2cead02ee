import { html } from "hono/html";
import { renderLabels, type UnplacedAlerts } from "../../../domain/incident/unplaced.ts";
import { masked } from "../../../domain/text/masking.ts";
import { oneLine } from "../../../domain/text/one-line.ts";
import { table } from "./table.ts";
import { clock } from "./when.ts";

/** Alerts that opened no incident, with the line of configuration that would change it. */
export function unplacedPart(alerts: readonly UnplacedAlerts[]) {
  const rows = alerts.map(({ name, kind, times, because, line, labels, lastSeen }) => {
    const change = kind === "nobody" ? html`<br /><code>${line}</code>` : "";
    return {
      cells: [
        {
          show: html`${name}<br /><span class="dim">${masked(renderLabels(labels)).text}</span>`,
          look: "head" as const,
        },
        { show: times, look: "number" as const },
        {
          show: html`${kind === "ignored" ? "ignored by " : ""}${oneLine(because, 400)}${change}`,
          look: "long" as const,
        },
        { show: clock(lastSeen), look: "time" as const },
      ],
    };
  });
  return html`<h2>Alerts without a workload (${alerts.length})</h2>
    ${table(["Alert", "Times", "Why, and what would map it", "Last (UTC)"], rows, "None in the last seven days.")}`;
}
