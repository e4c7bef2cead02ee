import { inert, inertCode } from "../text/inert.ts";
import { sentence } from "../proposal/body/words.ts";
import type { EvidenceLine, Outcome, PostMortem } from "./post-mortem-record.ts";
import { workloadKey } from "../kubernetes/workload.ts";

const outcomeWords: Readonly<Record<Outcome, string>> = {
  draft: "Proposed together with this file",
  verified: "Verified: the workload recovered after this change",
  failed: "Failed: the change did not help",
  unclear: "Unclear: nobody can say whether the change helped",
  declined: "Declined: the change was not merged",
  "not-tried": "Not tried: nothing was changed",
};

/** What people read below the front matter: what happened, and what showed it. */
export function renderPostMortemBody(postMortem: PostMortem): string {
  return `${summary(postMortem)}${ranking(postMortem)}\n\n${evidenceTable(postMortem.evidence)}`;
}

function summary(postMortem: PostMortem): string {
  const { alert, workload, startedAt, severity, remedy, outcome, because, missing, selfHealing } = postMortem;
  const { pullRequest, revertedBy, recoveredAfterMs, uid, withdrawn } = postMortem;
  const after = recoveredAfterMs === null ? "" : ` after ${Math.round(recoveredAfterMs / 1000)} s`;
  return [
    `# ${inertCode(alert)} on ${inertCode(workloadKey(workload))}`,
    [
      `- Started: ${startedAt} (severity ${inertCode(severity)})`,
      `- Incident-UID: ${inertCode(uid)}`,
      `- Cause: ${causeLine(postMortem)}`,
      ...(missing.length === 0 ? [] : [`- Not known: ${missing.map((what) => inert(what)).join(", ")}`]),
      ...(selfHealing === null ? [] : [`- By itself: ${inert(selfHealing)}`]),
      `- Remedy: ${remedy === null ? "none" : inert(remedy.sentence)}`,
      `- Outcome: ${outcomeWords[outcome]}${after}. ${sentence(because)}`,
      ...(pullRequest === null ? [] : [`- Pull request: <${pullRequest}>`]),
      ...(revertedBy === null ? [] : [`- Reverted by: <${revertedBy}>`]),
      ...(withdrawn === null
        ? []
        : [`- Withdrawn: ${withdrawn.kind} by ${inertCode(withdrawn.by)} at ${withdrawn.at}`]),
    ].join("\n"),
  ].join("\n\n");
}

function causeLine({ cause, citing, confidence }: PostMortem): string {
  const sure = confidence === null ? "" : `, ${Math.round(confidence * 100)} % sure`;
  return `${cause === null ? "unknown" : inert(cause)}${sure}${citedIds(citing)}`;
}

function citedIds(citing: readonly string[]): string {
  return citing.length === 0 ? "" : ` (${citing.map((text) => inertCode(text)).join(", ")})`;
}

function ranking({ considered }: PostMortem): string {
  const lines = considered.map(
    ({ sentence, confidence, citing }, index) =>
      `${index + 1}. ${Math.round(confidence * 100)} %: ${inert(sentence)}${citedIds(citing)}`,
  );
  return lines.length === 0 ? "" : `\n\n## Causes considered\n\n${lines.join("\n")}`;
}

function evidenceTable(evidence: readonly EvidenceLine[]): string {
  const rows = evidence.map(
    ({ id, source, title, finding }) =>
      `| ${[id, source, title, finding].map((text) => inertCode(text)).join(" | ")} |`,
  );
  return ["## Evidence", "", "| id | source | what | finding |", "|---|---|---|---|", ...rows].join("\n");
}
