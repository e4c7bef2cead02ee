import { renderValue } from "../../evidence/unit.ts";
import type { ApprovalRule } from "../../guardrails/guardrails.ts";
import { renderDuration } from "../../text/duration.ts";
import type { Ending } from "../../incident/incident.ts";
import type { OutcomeOnRecord, OutcomeSoFar } from "../outcome.ts";
import type { Proposal } from "../pull-request.ts";
import { code, list, minuteOf, plain, sentence } from "./words.ts";

/** The state of a proposal, for its one sticky comment. */
type ReportState =
  | {
      readonly state: "waiting";
      readonly waitsFor: readonly string[];
      readonly refusal?: string;
      /** Who approved exactly this, where that is enough and something else is missing. */
      readonly approvedBy?: readonly string[] | undefined;
      /** The head of the pull request, as Markdown of ours. */
      readonly head?: string | undefined;
      /** Who may approve, as Markdown of ours. */
      readonly approvers?: string | undefined;
    }
  | { readonly state: "closed"; readonly because: string; readonly approvedBy?: readonly string[] | undefined }
  | { readonly state: "merged" | "synced" | "ended"; readonly because: string };

export function renderReport(report: ReportState): string {
  if (report.state === "waiting") return waitingText(report);
  if (report.state === "closed" && (report.approvedBy ?? []).length > 0)
    return `**Approved by ${report.approvedBy?.map(code).join(", ")}, but not merged because** ${plain(report.because)}`;
  const title = { closed: "Closed", merged: "Merged", synced: "Synced", ended: "Ended" }[report.state];
  return `**${title}**: ${plain(report.because)}`;
}

function waitingText(report: Extract<ReportState, { state: "waiting" }>): string {
  const { waitsFor, refusal, approvedBy = [], head, approvers } = report;
  const shownHead = approvedBy.length === 0 ? head : head && approvedHead(head);
  const title =
    approvedBy.length === 0
      ? "**Waiting for**"
      : `**Approved by ${approvedBy.map(code).join(", ")}, but not merged because it waits for**`;
  return [
    `${title}\n\n${waitsFor.map((item) => `- ${plain(item)}`).join("\n")}`,
    ...(refusal ? [`To the last command: ${plain(refusal)}.`] : []),
    // The head names the commands itself.
    ...(head === undefined ? ["`/approve` approves this exact change. `/help` lists all commands."] : [shownHead]),
    ...(approvers === undefined ? [] : [approvers]),
  ].join("\n\n");
}

/** The head as it was proposed asks for the approval that is there by now. */
function approvedHead(head: string): string {
  return head
    .split("\n")
    .filter((line) => !line.startsWith("- **To approve**"))
    .map((line) => (line.startsWith("- **Risk:**") ? line.replace(/ Still missing: an approval.*$/, "") : line))
    .join("\n");
}

/** Who may approve by the guardrails, how many must, and who owns the files. Nobody is mentioned, so nobody is called. */
export function approversText(
  { users, teams, minimumPermission, count }: ApprovalRule,
  owners: readonly string[] = [],
): string {
  const listed = [...users.map(code), ...teams.map((team) => `members of ${code(team)}`)];
  const who = listed.length === 0 ? "everyone" : listed.join(", ");
  const many = count === 1 ? "" : ` ${count} of them must.`;
  const owned =
    owners.length === 0 ? "" : ` Code owners of the files: ${owners.slice(0, mostOwners).map(code).join(", ")}.`;
  return `Who may approve: ${who}, with the permission ${code(minimumPermission)} or more, and nobody who committed to this branch.${many}${owned}`;
}

// Whoever wants all of them reads the file.
const mostOwners = 10;

/** How an incident ended, with what it took; `postMortem` is its path in the repository. */
export function renderOutcome(outcome: OutcomeOnRecord, postMortem: string): string {
  const end = `**${titles[outcome.ending]}**: ${sentence(outcome.because)}`;
  return withLines(end, [...courseLines(outcome), ...metricLine(outcome), ...linkLines(outcome, postMortem)]);
}

/** The same on the pull request that took the change back; undefined = none did. */
export function renderReverted({ ending, proposal, revert }: OutcomeOnRecord, postMortem: string): string | undefined {
  if (ending !== "reverted" || proposal === undefined || revert?.proposal === undefined) return undefined;
  const end = `**Reverted**: the cluster holds what was there before #${proposal.number}.`;
  return withLines(end, [...courseLines({ course: revert.course }), ...linkLines({ proposal }, postMortem)]);
}

function withLines(end: string, lines: readonly string[]): string {
  return lines.length === 0 ? end : `${end}\n\n${list("What happened", lines)}`;
}

const titles: Readonly<Record<Ending, string>> = {
  recovered: "Recovered",
  reverted: "Did not help and was reverted",
  unclear: "Unclear whether it helped",
  "not-synced": "Merged, but not synced",
  declined: "Declined",
  "resolved-before-merge": "Resolved before the merge",
  "no-change": "No change",
  refused: "Refused",
  shadow: "Ended in shadow mode",
  parked: "Parked",
  escalated: "Left to people",
};

function courseLines({ course, verification, revert }: OutcomeSoFar): string[] {
  if (course === undefined) return [];
  const { openedAt, mergedAt, syncedAt, mergedBecause } = course;
  const recovered = verification?.kind === "recovered" ? verification.afterMs : undefined;
  return [
    ...(openedAt === undefined ? [] : [`Proposed ${minuteOf(openedAt)}`]),
    ...(mergedAt === undefined ? [] : [`Merged${since(openedAt, mergedAt, "after")}: ${plain(mergedBecause ?? "")}`]),
    ...(syncedAt === undefined ? [] : [`Synced${since(mergedAt, syncedAt, "after")}`]),
    ...(recovered === undefined ? [] : [`Recovered after ${lasting(recovered)} more`]),
    ...(revert?.proposal === undefined ? [] : [revertLine(revert.proposal, revert.mergedSha)]),
  ];
}

function revertLine({ number }: Pick<Proposal, "number">, mergedSha: string | undefined): string {
  return mergedSha === undefined ? `The revert #${number} was not merged` : `Reverted by #${number}`;
}

function since(from: string | undefined, to: string, word: string): string {
  const elapsed = Date.parse(to) - Date.parse(from ?? "");
  return elapsed >= 0 ? ` ${word} ${lasting(elapsed)}` : "";
}

/** Seconds, while they matter. */
function lasting(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds >= 3_600) return renderDuration(milliseconds);
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function metricLine({ verification }: OutcomeSoFar): string[] {
  const { before, after, unit = "" } = verification?.measured ?? {};
  if (before === undefined || after === undefined) return [];
  return [`The metric of the alert: ${renderValue(before, unit)} → ${renderValue(after, unit)}`];
}

// Only an address that cannot be anything else goes into a link.
const pullAddress = /^(https?:\/\/[\w.:-]{1,200}\/[\w.-]{1,100}\/[\w.-]{1,100})\/pull\/\d{1,9}$/;

function linkLines({ proposal }: OutcomeSoFar, postMortem: string): string[] {
  const repository = pullAddress.exec(proposal?.url ?? "")?.[1];
  if (repository === undefined) return [];
  return [`[Post-mortem](${repository}/blob/HEAD/${postMortem}), which the next pull request completes`];
}
