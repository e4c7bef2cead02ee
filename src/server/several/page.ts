import { html } from "hono/html";
import { mark, standalone } from "../pages/parts/layout.ts";
import type { Part } from "./part.ts";

/** Every repository that is served, with whether its process runs, and the way to its pages. */
export function repositoriesPage(
  parts: readonly Pick<Part, "repository" | "trouble" | "pid">[],
  placeOf: (part: Pick<Part, "repository">) => string,
): Promise<string> {
  const rows = parts.map((part) => {
    const because = part.trouble();
    const state =
      because === undefined
        ? html`${mark("running", "good")} process ${part.pid()}`
        : html`${mark("not running", "bad")} ${because}`;
    return html`<tr>
      <td><a href="${placeOf(part)}">${part.repository}</a></td>
      <td>${state}</td>
      <td><a href="${placeOf(part)}system">System</a></td>
    </tr>`;
  });
  return standalone(
    "Repositories",
    html`<table><thead><tr><th>Repository</th><th>State</th><th></th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}
