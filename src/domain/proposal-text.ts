import type { Evidence } from "./evidence.ts";
import type { Incident } from "./incident.ts";
import type { Effect, OwnerLink } from "./manifest-edit.ts";
import { incidentLine, trailersOf } from "./pull-request.ts";
import { type Remediation, renderRemediation } from "./remediation.ts";
import { workloadKey } from "./workload.ts";

/** What a proposal's texts are rendered from: the same values that the rules looked at. */
export interface ProposalStory {
  readonly incident: Incident;
  readonly evidence: readonly Evidence[];
  /** What is wrong, in one sentence of ours, and the ids that show it. */
  readonly cause: { readonly sentence: string; readonly citing: readonly string[] };
  readonly remediation: Remediation;
  readonly owners: readonly OwnerLink[];
  readonly warnings: readonly string[];
  readonly effect: Effect;
  readonly risk: { readonly level: "low" | "medium" | "high"; readonly reasons: readonly string[] };
  readonly policy: string;
  readonly selfMergeLacks: readonly string[];
  readonly chart: string | undefined;
}

// GitHub refuses longer bodies.
const longestBody = 65_536;

export function renderTitle({ incident, remediation }: ProposalStory): string {
  return `${renderRemediation(remediation)} (${incident.alert.name})`.slice(0, 200);
}

/** Subject, the reason, and the trailers by which the commit is recognised. */
export function renderCommitMessage(story: ProposalStory): string {
  const subject = renderRemediation(story.remediation).slice(0, 72);
  const why = `${story.incident.alert.name} fires for ${workloadKey(story.incident.workload)}. ${plain(story.cause.sentence)}`;
  return [subject, "", why, "", trailersOf(story.incident, story.effect.hash)].join("\n");
}

/** The body of the pull request, cut at a section border when it would not fit. */
export function renderBody(story: ProposalStory): string {
  const sections = [
    hurts(story),
    cause(story),
    change(story),
    risk(story),
    ...(story.chart === undefined ? [] : [`## The metric\n\n${story.chart}`]),
    evidence(story),
    lineage(story),
    stopping,
  ];
  return fitted(sections);
}

function hurts({ incident }: ProposalStory): string {
  const summary = incident.alert.annotations.summary;
  const said = summary === undefined ? "" : `\n\n> ${plain(summary)}`;
  return `**${code(incident.alert.name)}** (severity ${code(incident.severity)}) fires for ${code(workloadKey(incident.workload))} since ${incident.startedAt}.${said}`;
}

function cause({ cause: { sentence, citing } }: ProposalStory): string {
  return `## Cause\n\n${plain(sentence)} (${citing.join(", ")})`;
}

function change({ remediation, owners, warnings, effect }: ProposalStory): string {
  const rows = effect.changes.map(
    ({ object, field, from, to }) =>
      `| ${code(`${object.kind}/${object.name}`)} | ${code(field.join("."))} | ${code(shown(from))} | ${code(shown(to))} |`,
  );
  const proof =
    effect.proof.kind === "rendered"
      ? `Rendered before and after with ${effect.proof.with}: nothing else changes.`
      : `Static proof only: ${plain(effect.proof.because)}`;
  return [
    "## Change",
    `${plain(renderRemediation(remediation))}.`,
    ["| object | field | before | after |", "|---|---|---|---|", ...rows].join("\n"),
    proof,
    ...(remediation.sizing.length > 0 ? [list("How the number was found", remediation.sizing)] : []),
    list(
      "Why Git owns this field",
      owners.map((link) => `${code(link.path)} ${code(link.field)}: ${plain(link.because)}`),
    ),
    ...(warnings.length > 0 ? [list("Mind", warnings.map(plain))] : []),
  ].join("\n\n");
}

function risk({ risk: { level, reasons }, policy, selfMergeLacks }: ProposalStory): string {
  const because = reasons.length === 0 ? "no factor raises it" : reasons.map(plain).join("; ");
  const merging =
    selfMergeLacks.length === 0
      ? "It merges itself when the required checks are green."
      : `A person has to merge it: ${selfMergeLacks.map(plain).join("; ")}.`;
  return `## Risk: ${level}\n\n${because}.\n\nPolicy: ${plain(policy)}\n\n${merging}`;
}

function evidence(story: ProposalStory): string {
  const rows = story.evidence.map(
    (item) =>
      `| ${item.id} | ${item.source} | ${plain(item.title)} | ${plain(findingOf(item))} | ${code(item.query.slice(0, 300))} |`,
  );
  return ["## Evidence", ["| id | source | what | seen | query |", "|---|---|---|---|---|", ...rows].join("\n")].join(
    "\n\n",
  );
}

/** One line of what an item shows. Log lines and event texts are counted, not quoted. */
export function findingOf({ finding }: Evidence): string {
  switch (finding.kind) {
    case "missing":
      return `missing: ${finding.because}`;
    case "facts":
      return Object.entries(finding.facts)
        .map(([key, value]) => `${key}=${value}`)
        .join(", ")
        .slice(0, 300);
    case "text":
      return `${finding.lines.length} lines`;
    case "series": {
      const last = finding.series[0]?.points.at(-1)?.[1];
      return last === undefined ? "no points" : `last value ${Number(last.toPrecision(4))} ${finding.unit}`.trim();
    }
  }
}

function lineage({ incident, effect }: ProposalStory): string {
  return [
    "## Lineage",
    `- ${incidentLine(incident.uid)}`,
    `- Trace: ${code(incident.traceId)}`,
    `- Effect: ${code(effect.hash)}`,
  ].join("\n");
}

const stopping =
  "## How to stop it\n\n`/reject` closes this for good, `/hold` and `/resume` pause it, `/help` lists all commands. A push to this branch makes it yours: Rectify will not touch it again.";

function fitted(sections: readonly string[]): string {
  const cut = "\n\n_Cut here: the rest is in the incident's page._";
  let body = "";
  for (const section of sections) {
    if (body.length + section.length + cut.length + 2 > longestBody) return body + cut;
    body += body === "" ? section : `\n\n${section}`;
  }
  return body;
}

/** The state of a proposal, for its one sticky comment. */
export type ReportState =
  | { readonly state: "waiting"; readonly waitsFor: readonly string[] }
  | { readonly state: "closed" | "merged" | "synced" | "ended"; readonly because: string };

export function renderReport(report: ReportState): string {
  if (report.state === "waiting") {
    return `**Waiting for**\n\n${report.waitsFor.map((item) => `- ${plain(item)}`).join("\n")}\n\n\`/approve-scale\` approves this exact change. \`/help\` lists all commands.`;
  }
  const title = { closed: "Closed", merged: "Merged", synced: "Synced", ended: "Ended" }[report.state];
  return `**${title}**: ${plain(report.because)}`;
}

function list(title: string, items: readonly string[]): string {
  return `${title}:\n\n${items.map((item) => `- ${item}`).join("\n")}`;
}

function shown(value: unknown): string {
  return value === undefined ? "absent" : JSON.stringify(value);
}

/** Text that others may have written, as a sentence of ours: one line, no markup that GitHub would act on. */
function plain(text: string): string {
  return text
    .replace(/[\r\n]+/g, " ")
    .replace(/[<>|`@#[\]!*_~\\]/g, (sign) => `&#${sign.charCodeAt(0)};`)
    .slice(0, 1000);
}

function code(text: string): string {
  return `\`${text.replace(/[`\r\n|]/g, " ")}\``;
}
