import { isInsideWindows } from "../guardrails/window.ts";
import type { Guardrails } from "../guardrails/guardrails.ts";
import type { Incident } from "../incident/incident.ts";
import { workloadKey } from "../kubernetes/workload.ts";
import { defused } from "../text/inert.ts";

/** What people are told: a proposal waits for them, or an incident ended. */
export interface Notice {
  readonly kind: "proposed" | "ended";
  readonly incident: Incident;
  /** One line: the title of the proposal, or how it ended. */
  readonly text: string;
  readonly pull?: { readonly number: number; readonly url: string } | undefined;
}

/** Where the guardrails let this be told now; empty = nowhere. */
export function channelsFor(
  { incident }: Notice,
  { severities, quietHours, slack, webhook }: Guardrails["notify"],
  now: Date,
): readonly ("slack" | "webhook")[] {
  const wanted = severities.length === 0 || severities.includes(incident.severity);
  const quiet = quietHours.length > 0 && isInsideWindows(quietHours, now);
  if (!wanted || quiet) return [];
  return [...(slack ? (["slack"] as const) : []), ...(webhook ? (["webhook"] as const) : [])];
}

/** The same for every repetition, so that whoever receives it twice can tell. */
export function noticeId({ kind, incident, pull }: Notice): string {
  return `${incident.uid}/${kind}/${pull?.number ?? 0}`;
}

/** The body of the generic webhook. New fields may come; a change of meaning raises `version`. */
export function payloadOf(notice: Notice): Readonly<Record<string, unknown>> {
  const { kind, incident, pull } = notice;
  const { uid, cluster, severity, startedAt, workload, alert } = incident;
  return {
    ...{ version: "1", id: noticeId(notice), kind, text: line(notice.text) },
    incident: { uid, cluster, severity, startedAt, alert: line(alert.name), workload: workloadKey(workload) },
    ...(pull === undefined ? {} : { pullRequest: { number: pull.number, url: pull.url } }),
  };
}

/** The body of a Slack-compatible incoming webhook: text of others calls nobody and links nowhere. */
export function slackBodyOf({ kind, incident, text, pull }: Notice): { readonly text: string } {
  const { alert, severity, workload } = incident;
  const what = kind === "proposed" ? "A proposal waits" : "The incident ended";
  const link = pull === undefined || !isPlainAddress(pull.url) ? "" : ` <${pull.url}|#${pull.number}>`;
  const about = `${alert.name} (${severity}) of ${workloadKey(workload)}`;
  return { text: `${escaped(what)}:${link} ${escaped(line(text))}. ${escaped(line(about))}` };
}

function isPlainAddress(url: string): boolean {
  return /^https?:\/\/[\w.:/-]{1,400}$/.test(url);
}

function line(text: string): string {
  return defused(text, 300);
}

/** https://api.slack.com/reference/surfaces/formatting#escaping */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
