import { defused } from "../text/inert.ts";
import { evidenceFold, renderFolds, renderLineage, renderOpenParts } from "./body/folds.ts";
import { renderHead } from "./body/head.ts";
import type { ProposalBody } from "./body/proposal-body.ts";
import { reasonSentence, shortReason } from "./body/reason.ts";
import { trailersOf } from "./pull-request.ts";
import { renderRemediation, revertedBy } from "../kubernetes/remediation.ts";

// GitHub refuses longer bodies.
const longestBody = 65_536;

/** What is done, and why; a revert names the pull request that it reverts. */
export function renderTitle(body: ProposalBody, inHouse: (title: string) => string = (title) => title): string {
  const { change, workload } = body.remediation;
  const reverted = body.failed?.pull ?? body.rollback?.pull;
  const what = renderRemediation(body.remediation);
  const why = shortReason(body);
  const said = bare(change.kind === "commit" ? `${what}: ${why} of ${workload.name}` : `${what} (${why})`, 180);
  return inHouse(reverted === undefined ? capital(said) : `Revert #${reverted}: ${said}`);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Subject, the reason, and the trailers by which the commit is recognised. */
export function renderCommitMessage(body: ProposalBody, inHouse: (title: string) => string = (title) => title): string {
  const { incident, remediation, cause } = body;
  const subject = inHouse(capital(bare(renderRemediation(remediation), 72)));
  const why = bare(`${reasonSentence(body)} ${cause.sentence}`, 1000);
  const marks = { reverts: revertedBy(remediation), lease: body.leaseExpires };
  return [subject, "", why, "", trailersOf(incident, body.effect.hash, marks)].join("\n");
}

/** One line where no Markdown is read: titles and commit messages. It begins like no trailer and no conventional commit. */
function bare(text: string, most: number): string {
  return defused(text, most).replace(/^([A-Za-z][\w -]{0,60}(?:\([^)]*\))?!?)\s*:(?=\s|$)/, "$1∶");
}

/** The body of the pull request: six lines to decide by, the evidence for them, and the rest folded. */
export function renderBody(body: ProposalBody): string {
  const sections = [renderHead(body), ...renderOpenParts(body), ...renderFolds(body), ...evidenceFold(body)];
  return fitted(sections, renderLineage(body));
}

/** The ending always fits: by it the pull request is found again. */
function fitted(sections: readonly string[], ending: string): string {
  const cut = "\n\n_Cut here: the rest is in the incident's page._";
  const room = longestBody - ending.length - cut.length - 4;
  let body = "";
  for (const section of sections) {
    if (body.length + section.length + 2 > room) return `${body}${cut}\n\n${ending}`;
    body += body === "" ? section : `\n\n${section}`;
  }
  return `${body}\n\n${ending}`;
}
