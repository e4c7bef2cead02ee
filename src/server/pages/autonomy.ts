import { html } from "hono/html";
import type { AutonomyView } from "../../flow/jobs/autonomy.ts";
import { page, table } from "./layout.ts";

/** What Rectify has earned, by alert, workload and remedy; what is missing, and which records count for nothing. */
export function autonomyPage({ rows, problems, unsealed }: AutonomyView): Promise<string> {
  const lines = rows.map(({ alert, workload, remedy, failures, trust, unlocked }) => {
    const state = unlocked ? "unlocked" : trust.lastFailed ? "locked" : "earning";
    return html`<tr>
      <td>${alert}</td>
      <td>${workload}</td>
      <td>${remedy}</td>
      <td>${trust.successes} of ${trust.needed}</td>
      <td>${failures}</td>
      <td class="${unlocked ? "good" : trust.lastFailed ? "bad" : "wait"}">${state}</td>
      <td>${trust.problems.join("; ")}</td>
    </tr>`;
  });
  const heads = ["alert", "workload", "remedy", "proved successes", "failures", "merging", "because"];
  const ignored = unsealed.map(
    ({ path, because }) => html`<tr>
      <td><code>${path}</code></td>
      <td>${because}</td>
    </tr>`,
  );
  const body = html`${problems.map((problem) => html`<p class="wait">${problem}</p>`)}
    ${table(heads, lines, "Nothing was earned yet: a verified change is counted when its post-mortem reaches the default branch.")}
    <h2>Post-mortems that count for nothing</h2>
    ${table(["file", "because"], ignored, "None: every post-mortem carries the seal.")}`;
  return page("Autonomy", body);
}
