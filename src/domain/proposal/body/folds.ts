import type { Evidence } from "../../evidence/evidence.ts";
import { findingOf } from "../../evidence/finding-text.ts";
import { costTrail } from "../../remedy/cost-trail.ts";
import { renderCost } from "../../remedy/cost.ts";
import { inert, inertCode } from "../../text/inert.ts";
import { masked } from "../../text/masking.ts";
import { incidentLine } from "../pull-request.ts";
import { showsArithmetic } from "./head.ts";
import type { ProposalBody, SecondOpinion } from "./proposal-body.ts";
import { effectTable } from "./reverted-commit.ts";
import { percent } from "../../text/percent.ts";
import { code, folded, list, minuteOf, plain, sentence } from "./words.ts";

/** What a person must see without opening anything: what speaks against the change, and what the cause was read from. */
export function renderOpenParts(body: ProposalBody): string[] {
  const { warnings, chart } = body;
  return [
    ...(warnings.length === 0
      ? []
      : [
          list(
            "**Mind**",
            warnings.map((warning) => sentence(warning)),
          ),
        ]),
    ...(chart === undefined ? [] : [`## The metric\n\n${chart}`]),
    citedEvidence(body),
  ];
}

/** All the rest, closed, what is most often asked for first. Nothing of the head is said again. */
export function renderFolds(body: ProposalBody): string[] {
  return [changeFold(body), ...causeFold(body), ...costFold(body), ...precedentFold(body)];
}

function changeFold(body: ProposalBody): string {
  const { remediation, owners, effect } = body;
  const title = remediation.change.kind === "commit" ? "What is reverted" : "How the number was found";
  const sums = showsArithmetic(body) ? [] : remediation.sizing;
  return folded("The rendered objects, and why Git owns this field", [
    effectTable(effect),
    ...(sums.length === 0 ? [] : [list(title, sums.map(plain))]),
    list(
      "Why Git owns this field",
      owners.map((link) => `${code(link.path)} ${code(link.field)}: ${plain(link.because)}`),
    ),
  ]);
}

function causeFold({ cause: { considered = [] }, secondWitness, selfHealing }: ProposalBody): string[] {
  const ranked = considered.map(
    (one) => `${percent(one.confidence)}: ${plain(one.sentence)} (${one.citing.map(plain).join(", ")})`,
  );
  const parts = [
    ...(ranked.length < 2 ? [] : [list("Causes considered", ranked)]),
    ...(selfHealing === undefined ? [] : [`Would it have healed anyway? ${sentence(selfHealing)}`]),
    ...(secondWitness === undefined ? [] : opinionParts(secondWitness)),
  ];
  return parts.length === 0 ? [] : [folded("Other causes, and what the model said", parts)];
}

function opinionParts({ model, notes, explanation }: SecondOpinion): string[] {
  const who = model === undefined ? "The model" : `The model ${code(model)}`;
  const silent = model === undefined ? [] : [`${who} answered without an explanation.`];
  return [
    ...(notes.length === 0 ? [] : [list("Second opinion", notes.map(plain))]),
    ...(explanation === undefined || explanation === ""
      ? silent
      : [`${who} writes (not checked):\n\n> ${plain(explanation)}`]),
  ];
}

function costFold({ cost: stated, budget, ...trail }: ProposalBody): string[] {
  if (stated === undefined) return [];
  const parts = [
    sentence(stated.because),
    ...(budget === undefined ? [] : [`The ${plain(budget)}.`]),
    list("Where it comes from", costTrail(trail).map(plain)),
  ];
  return [folded(`Cost: ${plain(renderCost(stated))}`, parts)];
}

/** The lines are masked and inert already; those that an older release put on record are masked here. */
function precedentFold({ precedents: lines = [] }: ProposalBody): string[] {
  if (lines.length === 0) return [];
  const said = "So say earlier post-mortems. Nothing here is judged by these lines.";
  return [folded(`Precedents (${lines.length})`, [said, lines.map((line) => `- ${masked(line).text}`).join("\n")])];
}

/** By which the pull request is found again, and what a push to it means. */
export function renderLineage({ incident, effect }: ProposalBody): string {
  const lines = [
    `- ${incidentLine(incident.uid)}`,
    `- Trace: ${code(incident.traceId)}`,
    `- Effect: ${code(effect.hash)}`,
    `- Alert: ${code(incident.alert.fingerprint)}, since ${minuteOf(incident.startedAt)}`,
  ].join("\n");
  const yours = "A push to this branch makes it yours: Rectify will not touch it again.";
  return folded("Lineage, and how to take over", [lines, yours]);
}

function citedEvidence({ evidence, cause, namesHidden }: ProposalBody): string {
  if (evidence.length === 0) return "## Evidence\n\nNone was collected.";
  const cited = evidence.filter(({ id }) => cause.citing.includes(id));
  if (cited.length === 0) return "## Evidence\n\nThe cause cites none: all of it is folded below.";
  const rows = cited.map(
    (item) => `| ${plain(item.id)} | ${plain(item.title)} | ${inert(findingOf(item, namesIn(namesHidden)), 300)} |`,
  );
  return ["## Evidence for the cause", ["| id | what | seen |", "|---|---|---|", ...rows].join("\n")].join("\n\n");
}

/** Each item with the query by which it can be repeated; what stands in the open table is not repeated. */
export function evidenceFold({ evidence, cause, namesHidden }: ProposalBody): string[] {
  if (evidence.length === 0) return [];
  const rows = evidence.map((item) => {
    const open = cause.citing.includes(item.id);
    const seen = open ? "see above" : inert(findingOf(item, namesIn(namesHidden)), 300);
    return `| ${plain(item.id)} | ${item.source} | ${plain(item.title)} | ${seen} | ${queryOf(item)} |`;
  });
  const table = ["| id | source | what | seen | query |", "|---|---|---|---|---|", ...rows].join("\n");
  const left = namesHidden === undefined ? [] : [`Names of pods and nodes are left out: ${plain(namesHidden)}.`];
  return [folded(`All evidence with its queries (${evidence.length})`, [table, ...left])];
}

function namesIn(namesHidden: string | undefined): "shown" | "hidden" {
  return namesHidden === undefined ? "shown" : "hidden";
}

function queryOf({ query }: Evidence): string {
  return inertCode(query, 300);
}
