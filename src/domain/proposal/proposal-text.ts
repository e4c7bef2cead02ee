import { type Cost, renderCost } from "../remedy/cost.ts";
import { costTrail } from "../remedy/cost-trail.ts";
import type { Evidence, Series } from "../evidence/evidence.ts";
import { defused, inert, inertCode } from "../text/inert.ts";
import type { Effect, OwnerLink } from "../kubernetes/manifest-edit.ts";
import { masked } from "../text/masking.ts";
import { incidentLine, trailersOf } from "./pull-request.ts";
import { type ProposalReason, reasonSentence, renderReason, shortReason } from "./proposal-reason.ts";
import { renderRemediation } from "../kubernetes/remediation.ts";
import { effectTable, takenBack } from "./taken-back.ts";
import type { OutcomeCause } from "./outcome.ts";

/** What a proposal's texts are rendered from: the same values that the rules looked at. */
export interface ProposalBody extends ProposalReason {
  readonly evidence: readonly Evidence[];
  /** What is wrong, in one sentence of ours, and the ids that show it. */
  readonly cause: OutcomeCause;
  /** What such alerts mostly do when nobody does anything, in a sentence of ours. */
  readonly selfHealing?: string | undefined;
  readonly owners: readonly OwnerLink[];
  readonly warnings: readonly string[];
  readonly effect: Effect;
  readonly risk: { readonly level: "low" | "medium" | "high"; readonly reasons: readonly string[] };
  readonly policy: string;
  readonly selfMergeLacks: readonly string[];
  /** What it adds by the price book, and the budget with its arithmetic; undefined = not stated. */
  readonly cost?: Cost | undefined;
  readonly budget?: string | undefined;
  /** When the lease of this scale-up will expire, RFC 3339. */
  readonly leaseExpires?: string | undefined;
  readonly chart: string | undefined;
  /** What the model said beside the ranking; absent where it was not asked. */
  readonly secondWitness?: SecondWitness | undefined;
  /** What earlier incidents came to, one inert line each. */
  readonly precedents?: readonly string[];
  /** Why names of pods and nodes are left out, such as "this repository is public"; absent = they are shown. */
  readonly namesHidden?: string | undefined;
}

/** The model's part in the diagnosis. Its free text is text of others. */
export interface SecondWitness {
  /** Name and digest of the model; undefined when none answered. */
  readonly model: string | undefined;
  /** How the witnesses agree, in sentences of ours. */
  readonly notes: readonly string[];
  readonly explanation: string | undefined;
}

// GitHub refuses longer bodies.
const longestBody = 65_536;

export function renderTitle(story: ProposalBody, inHouse: (title: string) => string = (title) => title): string {
  const what = renderRemediation(story.remediation);
  const { change, workload } = story.remediation;
  const why = shortReason(story);
  return inHouse(bare(change.kind === "commit" ? `${what}: ${why} of ${workload.name}` : `${what} (${why})`, 200));
}

/** Subject, the reason, and the trailers by which the commit is recognised. */
export function renderCommitMessage(
  story: ProposalBody,
  inHouse: (title: string) => string = (title) => title,
): string {
  const { incident, remediation, cause } = story;
  const subject = inHouse(bare(renderRemediation(remediation), 72));
  const why = bare(`${reasonSentence(story)} ${cause.sentence}`, 1000);
  return [subject, "", why, "", trailersOf(incident, story.effect.hash, story.leaseExpires)].join("\n");
}

/** One line where no Markdown is read: titles and commit messages. It begins like no trailer and no conventional commit. */
function bare(text: string, most: number): string {
  return defused(masked(text).text, most).replace(/^([A-Za-z][\w -]{0,60}(?:\([^)]*\))?!?)\s*:(?=\s|$)/, "$1∶");
}

/** The body of the pull request, cut at a section border when it would not fit. */
export function renderBody(story: ProposalBody): string {
  const sections = [
    renderReason(story),
    cause(story),
    change(story),
    risk(story),
    ...cost(story),
    ...(story.chart === undefined ? [] : [`## The metric\n\n${story.chart}`]),
    ...precedents(story),
    evidence(story),
    lineage(story),
    stopping,
  ];
  return fitted(sections);
}

function cause({ cause: { sentence, citing, ...weight }, secondWitness, selfHealing }: ProposalBody): string {
  const cited = citing.length === 0 ? "" : ` (${citing.map(plain).join(", ")})`;
  const parts = [`## Cause\n\n${plain(sentence)}${cited}`];
  parts.push(...weightParts(weight));
  if (selfHealing !== undefined) parts.push(`Would it have healed anyway? ${plain(selfHealing)}.`);
  if (secondWitness) parts.push(...witnessParts(secondWitness));
  return parts.join("\n\n");
}

function weightParts({
  confidence,
  missing = [],
  considered = [],
}: Omit<OutcomeCause, "sentence" | "citing">): string[] {
  const lowered = missing.length === 0 ? "" : `, lowered because this is not known: ${missing.map(plain).join(", ")}`;
  const ranked = considered.map(
    (one) => `${percent(one.confidence)}: ${plain(one.sentence)} (${one.citing.map(plain).join(", ")})`,
  );
  return [
    ...(confidence === undefined ? [] : [`Confidence: ${percent(confidence)}${lowered}.`]),
    ...(ranked.length < 2 ? [] : [list("Causes considered", ranked)]),
  ];
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function witnessParts({ model, notes, explanation }: SecondWitness): string[] {
  const who = model === undefined ? "The model" : `The model ${code(model)}`;
  const silent = model === undefined ? [] : [`${who} answered without an explanation.`];
  return [
    ...(notes.length === 0 ? [] : [list("Second witness", notes.map(plain))]),
    ...(explanation === undefined || explanation === ""
      ? silent
      : [`${who} writes (not checked):\n\n> ${plain(explanation)}`]),
  ];
}

function change({ remediation, owners, warnings, effect }: ProposalBody): string {
  const proof =
    effect.proof.kind === "rendered"
      ? `Rendered before and after with ${effect.proof.with}: nothing else changes.`
      : `Static proof only: ${plain(effect.proof.because)}`;
  return [
    "## Change",
    `${plain(renderRemediation(remediation))}.`,
    ...takenBack(remediation),
    effectTable(effect),
    proof,
    ...(remediation.sizing.length > 0
      ? [
          list(
            remediation.change.kind === "commit" ? "What is taken back" : "How the number was found",
            remediation.sizing.map(plain),
          ),
        ]
      : []),
    list(
      "Why Git owns this field",
      owners.map((link) => `${code(link.path)} ${code(link.field)}: ${plain(link.because)}`),
    ),
    ...(warnings.length > 0 ? [list("Mind", warnings.map(plain))] : []),
  ].join("\n\n");
}

function risk({ risk: { level, reasons }, policy, selfMergeLacks }: ProposalBody): string {
  const because = reasons.length === 0 ? "no factor raises it" : reasons.map(plain).join("; ");
  const merging =
    selfMergeLacks.length === 0
      ? "It merges itself when the required checks are green."
      : `A person has to merge it: ${selfMergeLacks.map(plain).join("; ")}.`;
  return `## Risk: ${level}\n\n${because}.\n\nPolicy: ${plain(policy)}\n\n${merging}`;
}

function cost({ cost: stated, budget, leaseExpires, ...trail }: ProposalBody): string[] {
  if (stated === undefined) return [];
  const until = leaseExpires === undefined ? [] : [`Leased until ${leaseExpires}, then proposed to be taken back.`];
  return [
    [
      `## Cost\n\n${plain(renderCost(stated))}: ${plain(stated.because)}.`,
      ...(budget === undefined ? [] : [`The ${plain(budget)}.`]),
      ...until,
      list("Where it comes from", costTrail(trail).map(plain)),
    ].join("\n\n"),
  ];
}

/** The lines are masked and inert already; those that an older release put on record are masked here. */
function precedents({ precedents: lines = [] }: ProposalBody): string[] {
  if (lines.length === 0) return [];
  const said = "So say earlier post-mortems. Nothing here is judged by these lines.";
  return [["## Precedents", said, lines.map((line) => `- ${masked(line).text}`).join("\n")].join("\n\n")];
}

function evidence({ evidence: items, namesHidden }: ProposalBody): string {
  if (items.length === 0) return "## Evidence\n\nNone was collected.";
  const names = namesHidden === undefined ? "shown" : "hidden";
  const rows = items.map((item) => {
    const seen = inert(findingOf(item, names), 300);
    const query = inertCode(masked(item.query).text, 300);
    return `| ${plain(item.id)} | ${item.source} | ${plain(item.title)} | ${seen} | ${query} |`;
  });
  const table = ["| id | source | what | seen | query |", "|---|---|---|---|---|", ...rows].join("\n");
  const left = namesHidden === undefined ? [] : [`Names of pods and nodes are left out: ${plain(namesHidden)}.`];
  return ["## Evidence", table, ...left].join("\n\n");
}

/** One line of what an item shows, masked. Log lines and event texts are counted, not quoted. */
export function findingOf(item: Evidence, names: "shown" | "hidden" = "shown"): string {
  return masked(seenIn(item, names) + notesOf(item, names)).text.slice(0, 2000);
}

/** What the source said of its own answer: limits, warnings, parts that are missing. */
function notesOf({ finding }: Evidence, names: "shown" | "hidden"): string {
  const notes = finding.kind === "missing" ? [] : finding.notes;
  return notes.length === 0 ? "" : names === "hidden" ? " (a part only)" : ` (${notes.join("; ")})`;
}

// Labels under which Prometheus and Kubernetes name pods and nodes.
const nameOfMachine =
  /^(?:kubernetes_|exported_)?(?:pod|node|instance|host|hostname|nodename|container_id)(?:_name|_ip)?$/i;

function seenIn({ finding }: Evidence, names: "shown" | "hidden"): string {
  switch (finding.kind) {
    case "missing":
      return `missing: ${finding.because}`;
    case "facts":
      return Object.entries(finding.facts)
        .map(([key, value]) => `${key}=${names === "hidden" && nameOfMachine.test(key) ? "(left out)" : value}`)
        .join(", ");
    case "text":
      return `${finding.lines.length} lines`;
    case "series": {
      const [only, ...others] = finding.series.flatMap((series) => newestOf(series) ?? []);
      if (only === undefined) return "no points";
      if (others.length === 0) return `last value ${only.value} ${finding.unit}`.trim();
      const named = [only, ...others].slice(0, mostNamed).map(({ name, value }) => `${name} ${value}`);
      const more = others.length + 1 > mostNamed ? `, ${others.length + 1 - mostNamed} more` : "";
      return `last values in ${finding.unit || "parts"}: ${named.join(", ")}${more}`;
    }
  }
}

const mostNamed = 6; // The page of the incident has them all.

function newestOf({ labels, points }: Series): { readonly name: string; readonly value: number } | undefined {
  const newest = points.at(-1)?.[1];
  if (newest === undefined) return undefined;
  const to = labels.dst_deployment ?? labels.dst_statefulset;
  const name = labels.deployment ?? labels.statefulset ?? labels.rollout ?? labels.pod ?? "all";
  return { name: to === undefined ? name : `${name} to ${to}`, value: Number(newest.toPrecision(4)) };
}

function lineage({ incident, effect }: ProposalBody): string {
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
  | { readonly state: "waiting"; readonly waitsFor: readonly string[]; readonly refusal?: string }
  | { readonly state: "closed" | "merged" | "synced" | "ended"; readonly because: string };

export function renderReport(report: ReportState): string {
  if (report.state === "waiting") {
    const answer = report.refusal ? `\n\nTo the last command: ${plain(report.refusal)}.` : "";
    return `**Waiting for**\n\n${report.waitsFor.map((item) => `- ${plain(item)}`).join("\n")}\n\n\`/approve\` approves this exact change. \`/help\` lists all commands.${answer}`;
  }
  const title = { closed: "Closed", merged: "Merged", synced: "Synced", ended: "Ended" }[report.state];
  return `**${title}**: ${plain(report.because)}`;
}

function list(title: string, items: readonly string[]): string {
  return `${title}:\n\n${items.map((item) => `- ${item}`).join("\n")}`;
}

/** Text that others may have written, as a sentence of ours. Masked here too: this is the door to GitHub. */
function plain(text: string): string {
  return inert(masked(text).text);
}

function code(text: string): string {
  return inertCode(masked(text).text);
}
