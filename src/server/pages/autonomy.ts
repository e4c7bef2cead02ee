import { html } from "hono/html";
import type { AutonomyView } from "../../flow/jobs/autonomy.ts";
import { page } from "./parts/layout.ts";
import { table } from "./parts/table.ts";

const purpose = html`<p class="dim">
  Auto-merge is earned by alert, workload and remedy: each verified change counts once its post-mortem is on the default
  branch, one failure locks it again. What is needed stands in <code>.github/rectify.yml</code>; without leave there,
  nothing is auto-merged, whatever was earned.
</p>`;

/** What Rectify has earned, by alert, workload and remedy; what is missing, and which records count for nothing. */
export function autonomyPage({ rows, problems, unsealed }: AutonomyView): Promise<string> {
  const lines = rows.map(({ alert, workload, remedy, failures, trust, unlocked }) => {
    const state = unlocked ? "unlocked" : trust.lastFailed ? "locked" : "earning";
    const look = unlocked ? ("good" as const) : trust.lastFailed ? ("bad" as const) : ("wait" as const);
    return {
      cells: [
        alert,
        workload,
        remedy,
        `${trust.successes} of ${trust.needed}`,
        failures,
        { show: state, look },
        { show: trust.problems.join("; "), look: "long" as const },
      ],
    };
  });
  const heads = ["Alert", "Workload", "Remedy", "Proved successes", "Failures", "Merging", "Because"];
  const ignored = unsealed.map(({ path, because }) => ({
    cells: [
      { show: html`<code>${path}</code>`, look: "long" as const },
      { show: because, look: "long" as const },
    ],
  }));
  const body = html`${purpose}${problems.map((problem) => html`<p class="wait">${problem}</p>`)}
    ${table(heads, lines, "Nothing was earned yet: a verified change is counted when its post-mortem reaches the default branch.")}
    <h2>Post-mortems that count for nothing</h2>
    ${table(["File", "Because"], ignored, "None: every post-mortem carries the seal.")}`;
  return page("Autonomy", body);
}
