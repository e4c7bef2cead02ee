import { html } from "hono/html";
import { renderLabels, type UnplacedAlerts } from "../../domain/incident/unplaced.ts";
import { masked } from "../../domain/text/masking.ts";
import { oneLine } from "../../domain/text/one-line.ts";
import { clock, table } from "./layout.ts";

/** Alerts that opened no incident, with the line of configuration that would change it. */
export function unplacedPart(alerts: readonly UnplacedAlerts[]) {
  const rows = alerts.map(({ name, kind, times, because, line, labels, lastSeen }) => {
    const change = kind === "nobody" ? html`<br /><code>${line}</code>` : "";
    return html`<tr>
      <th scope="row">${name}<br /><span class="dim">${masked(renderLabels(labels)).text}</span></th>
      <td class="number">${times}</td>
      <td>${kind === "ignored" ? "ignored by " : ""}${oneLine(masked(because).text, 400)}${change}</td>
      <td class="time">${clock(lastSeen)}</td>
    </tr>`;
  });
  return html`<h2>Alerts without a workload (${alerts.length})</h2>
    ${table(["alert", "times", "why, and what would map it", "last (UTC)"], rows, "None in the last seven days.")}`;
}
