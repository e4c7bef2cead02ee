import { minuteOf } from "./body/words.ts";
import { renderShadow, type ShadowSummary } from "../backtest/switching.ts";
import { inert, inertCode } from "../text/inert.ts";
import { oneLine } from "../text/one-line.ts";
import { unnamedCluster } from "./wording.ts";
import type { Admitted } from "./caps.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { workloadKey } from "../kubernetes/workload.ts";

/** A scale-up that is still kept, with what it costs. */
interface RunningLease {
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

/** By what our own issue is found again. */
export interface IssueName {
  readonly title: string;
  readonly label: string;
}

export interface OwnIssue {
  readonly number: number;
  readonly body: string;
  /** RFC 3339. */
  readonly updatedAt: string;
}

/** A person asks, by a box of the dashboard or a comment on it, that a waiting proposal is opened now. */
export interface OpenRequest {
  readonly incident: string;
  readonly by: string;
  /** False for Apps and bots. */
  readonly byPerson: boolean;
  /** The issue on which it was asked. */
  readonly issue: number;
  /** What shows it: `comment 17`, or the delivery that told of the edit. The same proof counts once. */
  readonly proof: string;
}

/** What waits, with what people asked for in vain. */
export type Listed = Admitted["listed"][number] & {
  readonly refused?: readonly string[];
  /** The box is ticked, and GitHub may still tell by whom. */
  readonly ticked?: boolean;
};

export interface Dashboard {
  readonly open: readonly { readonly pull: number; readonly workload: Workload; readonly summary: string }[];
  readonly listed: readonly Listed[];
  readonly leases: readonly RunningLease[];
  /** Problems that need a person: invalid guardrails, watchtower mode, a parked incident. */
  readonly problems: readonly string[];
  /** Undefined = nothing is in shadow mode. */
  readonly shadow?: ShadowSummary | undefined;
  readonly now: Date;
}

/** Title and label by which the one dashboard issue of a cluster is found again: several may share the repository. */
export function dashboardNameOf(cluster: string): IssueName {
  const place = cluster === unnamedCluster ? "" : ` (${oneLine(cluster, longestCluster)})`;
  return { title: `Rectify dashboard${place}`, label: "rectify-dashboard" };
}

const longestCluster = 100;

const longestBody = 65_536;

/** The dashboard issue: what is open, what waits with a box to tick, what is leased and what it has cost. */
export function renderDashboard(dashboard: Dashboard): string {
  const head =
    "<!-- rectify:dashboard -->\nRectify keeps this issue. Tick a box to open that pull request now, or write `/open` and its Incident-UID as a comment. It counts when you may (guardrails: `approvers.open`).\n";
  const shadow = dashboard.shadow === undefined ? "" : renderShadow(dashboard.shadow, inertCode).slice(0, 20_000);
  const rest = [problems(dashboard), shadow, open(dashboard), leases(dashboard)].filter((section) => section !== "");
  const room = longestBody - head.length - rest.join("\n\n").length - 200;
  return [head, waiting(dashboard, room), ...rest].filter((section) => section !== "").join("\n\n");
}

/** The incidents whose box is ticked. Who ticked it is for the caller to check. */
export function readTicked(body: string): readonly string[] {
  const box = /^- \[[xX]\] <!-- rectify:open=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) -->/;
  return [...new Set(body.split(/\r\n|\n/).flatMap((line) => box.exec(line)?.[1] ?? []))];
}

/** The boxes that an edit of the issue ticked. */
export function newlyTicked(before: string, after: string): readonly string[] {
  const already = readTicked(before);
  return readTicked(after).filter((incident) => !already.includes(incident));
}

function waiting({ listed }: Dashboard, room: number): string {
  if (listed.length === 0) return "## Waiting\n\nNothing waits.";
  const title = `## Waiting (${listed.length})\n`;
  const lines: string[] = [];
  let left = room - title.length;
  for (const item of listed) {
    const line = waitingLine(item);
    left -= line.length + 1;
    if (left < 0) break;
    lines.push(line);
  }
  const cut = listed.length - lines.length;
  const more = cut > 0 ? [`\n${cut} more do not fit here: \`rectify incidents\` lists them.`] : [];
  return [title, ...lines, ...more].join("\n");
}

function waitingLine({ candidate, because, refused = [], ticked = false }: Listed): string {
  const { incident, workload, alert, severity, summary } = candidate;
  const box = `- [${ticked ? "x" : " "}] <!-- rectify:open=${incident} -->`;
  const what = `${inertCode(workloadKey(workload))}, ${inertCode(alert)} (${inertCode(severity)}), ${inertCode(summary)}`;
  const asked = refused.map((words) => ` Not opened now: ${inert(words, 200)}.`).join("");
  return `${box} open it now: ${what}. Waits because ${because}.${asked} \`${incident}\``;
}

function open(dashboard: Dashboard): string {
  if (dashboard.open.length === 0) return "";
  const lines = dashboard.open.map(
    ({ pull, workload, summary }) => `- #${pull}: ${inertCode(workloadKey(workload))}, ${inertCode(summary)}`,
  );
  return `## Open (${lines.length})\n\n${lines.join("\n")}`;
}

/** Only what changes by the hour: the issue is written anew whenever its text changes, and who follows it is told. */
function leases({ leases: running, now }: Dashboard): string {
  if (running.length === 0) return "";
  const lastHour = Math.floor(now.getTime() / hour) * hour;
  const lines = running.slice(0, 100).map((lease) => {
    const hours = Math.max(0, lastHour - Date.parse(lease.since)) / hour;
    const cost =
      lease.perHour === undefined
        ? "cost unknown (no price book)"
        : `${(lease.perHour * hours).toFixed(2)} ${inertCode(lease.currency)} until ${minuteOf(new Date(lastHour).toISOString())}`;
    const end = Date.parse(lease.expires);
    const ending = end > now.getTime() ? `ends ${minuteOf(new Date(end).toISOString())}` : "has ended";
    return `- #${lease.pull}: ${inertCode(workloadKey(lease.workload))}, ${ending}, ${cost}`;
  });
  return `## Leases (${running.length})\n\n${lines.join("\n")}`;
}

const hour = 3_600_000;

function problems({ problems: list }: Dashboard): string {
  return list.length === 0
    ? ""
    : `## Action required\n\n${list
        .slice(0, 50)
        .map((item) => `- ${inertCode(item)}`)
        .join("\n")}`;
}
