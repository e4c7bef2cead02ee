import { inertCode } from "./inert.ts";
import type { Admitted } from "./caps.ts";
import { renderDuration } from "./duration.ts";
import type { Workload } from "./workload.ts";
import { workloadKey } from "./workload.ts";

/** A scale-up that is still kept, with what it costs. */
export interface RunningLease {
  readonly incident: string;
  readonly workload: Workload;
  readonly pull: number;
  /** RFC 3339. */
  readonly since: string;
  readonly expires: string;
  /** What it adds per hour; undefined without a price book. */
  readonly perHour: number | undefined;
  readonly currency: string;
}

export interface Dashboard {
  readonly open: readonly { readonly pull: number; readonly workload: Workload; readonly summary: string }[];
  readonly listed: Admitted["listed"];
  readonly leases: readonly RunningLease[];
  /** Problems that need a person: invalid guardrails, watchtower mode, a parked incident. */
  readonly problems: readonly string[];
  readonly now: Date;
}

/** Title and label by which the one dashboard issue is found again. */
export const dashboardTitle = "Rectify dashboard";
export const dashboardLabel = "rectify-dashboard";

const longestBody = 65_536;

/** The dashboard issue: what is open, what waits with a box to tick, what is leased and what it costs so far. */
export function renderDashboard(dashboard: Dashboard): string {
  const head = "<!-- rectify:dashboard -->\nRectify keeps this issue. Tick a box to open that pull request now.\n";
  const rest = [problems(dashboard), open(dashboard), leases(dashboard)].filter((section) => section !== "");
  const room = longestBody - head.length - rest.join("\n\n").length - 200;
  return [head, waiting(dashboard, room), ...rest].filter((section) => section !== "").join("\n\n");
}

/** The incidents whose box is ticked. Who ticked it is for the caller to check. */
export function readTicked(body: string): readonly string[] {
  const box = /^- \[[xX]\] <!-- rectify:open=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) -->/;
  return [...new Set(body.split(/\r\n|\n/).flatMap((line) => box.exec(line)?.[1] ?? []))];
}

function waiting({ listed }: Dashboard, room: number): string {
  if (listed.length === 0) return "## Waiting\n\nNothing waits.";
  const title = `## Waiting (${listed.length})\n`;
  const lines: string[] = [];
  let left = room - title.length;
  for (const { candidate, because } of listed) {
    const line = `- [ ] <!-- rectify:open=${candidate.incident} --> open it now: ${inertCode(workloadKey(candidate.workload))}, ${inertCode(candidate.alert)} (${inertCode(candidate.severity)}), ${inertCode(candidate.summary)}. Waits because ${because}.`;
    left -= line.length + 1;
    if (left < 0) break;
    lines.push(line);
  }
  const cut = listed.length - lines.length;
  return [title, ...lines, ...(cut > 0 ? [`\n${cut} more do not fit here.`] : [])].join("\n");
}

function open(dashboard: Dashboard): string {
  if (dashboard.open.length === 0) return "";
  const lines = dashboard.open.map(
    ({ pull, workload, summary }) => `- #${pull}: ${inertCode(workloadKey(workload))}, ${inertCode(summary)}`,
  );
  return `## Open (${lines.length})\n\n${lines.join("\n")}`;
}

function leases({ leases: running, now }: Dashboard): string {
  if (running.length === 0) return "";
  const lines = running.slice(0, 100).map((lease) => {
    const hours = Math.max(0, now.getTime() - Date.parse(lease.since)) / 3_600_000;
    const cost =
      lease.perHour === undefined
        ? "cost unknown (no price book)"
        : `${(lease.perHour * hours).toFixed(2)} ${inertCode(lease.currency)} so far`;
    const left = Date.parse(lease.expires) - now.getTime();
    const end = left > 0 ? `ends in ${renderDuration(left)}` : "has ended";
    return `- #${lease.pull}: ${inertCode(workloadKey(lease.workload))}, ${end}, ${cost}`;
  });
  return `## Leases (${running.length})\n\n${lines.join("\n")}`;
}

function problems({ problems: list }: Dashboard): string {
  return list.length === 0
    ? ""
    : `## Action required\n\n${list
        .slice(0, 50)
        .map((item) => `- ${inertCode(item)}`)
        .join("\n")}`;
}
