import { createHmac } from "node:crypto";
import { z } from "zod";
import type { Evidence } from "../evidence/evidence.ts";
import type { Ending, Incident } from "../incident/incident.ts";
import { oneLine } from "../text/one-line.ts";
import type { AppliedRemedy, EvidenceLine, Outcome, PostMortem, Withdrawal } from "./post-mortem-record.ts";
import { renderPostMortemBody } from "./post-mortem-body.ts";
import { findingOf } from "../evidence/finding-text.ts";
import type { Proposal } from "../proposal/pull-request.ts";
import { renderRemediation } from "../kubernetes/remediation.ts";
import type { OutcomeSoFar } from "../proposal/outcome.ts";

export type { AppliedRemedy, Outcome, PostMortem, Withdrawal };

/** The record of an incident at `now` (RFC 3339): a draft before the merge, complete after the verification. */
export function postMortemOf(input: {
  readonly incident: Incident;
  readonly outcome: OutcomeSoFar;
  readonly evidence: readonly Evidence[];
  readonly now: string;
}): PostMortem {
  const { incident, outcome, evidence, now } = input;
  const { workload, alert } = incident;
  const { cause, remediation, verification } = outcome;
  return {
    uid: incident.uid,
    cluster: oneLine(incident.cluster, longestName),
    alert: oneLine(alert.name, longestName),
    severity: oneLine(incident.severity, longestName),
    workload: { kind: workload.kind, namespace: workload.namespace, name: workload.name },
    cause: cause === undefined ? null : oneLine(cause.sentence, longestSentence),
    citing: citedBy(cause?.citing),
    confidence: cause?.confidence ?? null,
    considered: (cause?.considered ?? []).slice(0, mostCauses).map(({ sentence: text, confidence, citing }) => ({
      ...{ sentence: oneLine(text, longestSentence), confidence, citing: citedBy(citing) },
    })),
    missing: (cause?.missing ?? []).slice(0, mostEvidence).map((what) => oneLine(what, longestSentence)),
    selfHealing: outcome.selfHealing === undefined ? null : oneLine(outcome.selfHealing, longestSentence),
    remedy:
      remediation === undefined
        ? null
        : {
            kind: remediation.kind,
            sentence: oneLine(renderRemediation(remediation), longestSentence),
            from: oneLine(remediation.from, longestName),
            to: oneLine(remediation.to, longestName),
          },
    outcome: outcomeOf(outcome),
    because: oneLine(
      outcome.because ?? "What came of it, the next pull request of Rectify writes here",
      longestSentence,
    ),
    pullRequest: addressOf(outcome.proposal),
    // One that was refused or closed took nothing back.
    revertedBy: addressOf(outcome.revert?.mergedSha === undefined ? undefined : outcome.revert.proposal),
    startedAt: incident.startedAt,
    writtenAt: now,
    recoveredAfterMs: verification?.kind === "recovered" ? verification.afterMs : null,
    evidence: evidence.slice(0, mostEvidence).map(evidenceLine),
    withdrawn: null,
  };
}

/** The record after `/dispute` or `/forget`; the first word stands. */
export function withdraw(postMortem: PostMortem, withdrawal: Withdrawal): PostMortem {
  return {
    ...postMortem,
    withdrawn: postMortem.withdrawn ?? {
      ...{ kind: withdrawal.kind, by: oneLine(withdrawal.by, longestName), at: withdrawal.at },
    },
  };
}

/** `postmortems/<date of the first firing>-<uid>.md`. */
export function postMortemPath(incident: Pick<Incident, "uid" | "startedAt">): string {
  return `postmortems/${new Date(incident.startedAt).toISOString().slice(0, 10)}-${incident.uid}.md`;
}

function citedBy(citing: readonly string[] = []): string[] {
  return citing.slice(0, mostEvidence).map((id) => oneLine(id, longestName));
}

const outcomeByEnding: Readonly<Record<Ending, Outcome>> = {
  recovered: "verified",
  reverted: "failed",
  unclear: "unclear",
  "not-synced": "unclear",
  declined: "declined",
  "resolved-before-merge": "not-tried",
  "no-change": "not-tried",
  refused: "not-tried",
  escalated: "not-tried",
  shadow: "not-tried",
  parked: "unclear",
};

function outcomeOf({ ending, verification }: OutcomeSoFar): Outcome {
  if (ending === undefined) return "draft";
  if (verification?.kind === "worse") return "failed";
  const outcome = outcomeByEnding[ending];
  const proved = verification?.kind === "recovered" && verification.proves !== false;
  return outcome === "verified" && !proved ? "unclear" : outcome;
}

// An address goes into the page as a link, so it must be nothing else.
const addressPattern = /^https?:\/\/[\w.:/-]{1,400}$/;

function addressOf(proposal: Proposal | undefined): string | null {
  return proposal !== undefined && addressPattern.test(proposal.url) ? proposal.url : null;
}

function evidenceLine(item: Evidence): EvidenceLine {
  return {
    id: oneLine(item.id, longestName),
    source: item.source,
    title: oneLine(item.title, longestSentence),
    finding: oneLine(findingOf(item), longestSentence),
    hash: item.hash,
  };
}

const longestName = 253;
const longestSentence = 500;
const mostEvidence = 200;
const mostCauses = 10;
const longestFile = 1_000_000;

const name = z.string().max(longestName);
const sentence = z.string().max(longestSentence);
const share = z.number().min(0).max(1);
const ids = z.array(name).max(mostEvidence);
const instant = z.iso.datetime({ offset: true });

const kinds = z.enum(["scale", "resources", "image-rollback", "revert-commit", "revert"]);
const Tried = z.strictObject({ kind: kinds, sentence, from: name, to: name });
const Considered = z.strictObject({ sentence, confidence: share, citing: ids });

const Schema = z.strictObject({
  uid: z.uuid(),
  cluster: name,
  alert: name,
  severity: name,
  workload: z.strictObject({ kind: name, namespace: name, name }),
  cause: sentence.nullable(),
  citing: ids,
  confidence: share.nullable().default(null),
  considered: z.array(Considered).max(mostCauses).default([]),
  missing: z.array(sentence).max(mostEvidence).default([]),
  selfHealing: sentence.nullable().default(null),
  remedy: Tried.nullable(),
  outcome: z.enum(["draft", "verified", "failed", "unclear", "declined", "not-tried"]),
  because: sentence,
  pullRequest: z.string().regex(addressPattern).nullable(),
  revertedBy: z.string().regex(addressPattern).nullable(),
  startedAt: instant,
  writtenAt: instant,
  recoveredAfterMs: z.number().nonnegative().nullable(),
  evidence: z
    .array(
      z.strictObject({
        id: name,
        source: z.enum(["alertmanager", "prometheus", "loki", "kubernetes", "gitops", "git", "runbook", "memory"]),
        title: sentence,
        finding: sentence,
        hash: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .max(mostEvidence),
  withdrawn: z
    .strictObject({ kind: z.enum(["disputed", "forgotten"]), by: name, at: instant })
    .nullable()
    .default(null),
});

/** A post-mortem read back, with what people wrote below it, or why it is none. */
export type ReadPostMortem =
  | {
      readonly kind: "post-mortem";
      readonly postMortem: PostMortem;
      readonly notes: string;
      /** The seal of the file, to be compared with `sealOf`; empty when it has none. */
      readonly seal: string;
    }
  | { readonly kind: "problem"; readonly because: string };

/** The YAML between the first two `---` lines, for the caller to parse; undefined when there is none. */
export function frontMatterOf(markdown: string): string | undefined {
  return /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---\r?(?:\n|$)/.exec(markdown)?.[1];
}

/** Reads a file of ours. The front matter is the record; of the body only the notes count. */
export function readPostMortem(markdown: string, parsedFrontMatter: unknown): ReadPostMortem {
  if (markdown.length > longestFile) return { kind: "problem", because: "longer than any post-mortem" };
  if (frontMatterOf(markdown) === undefined) return { kind: "problem", because: "no front matter" };
  const parsed = Schema.extend({ seal: z.string().max(64).default("") }).safeParse(parsedFrontMatter);
  if (!parsed.success) {
    const because = parsed.error.issues.map((issue) => `${issue.path.join(".") || "front matter"}: ${issue.message}`);
    return { kind: "problem", because: because.slice(0, 5).join("; ") };
  }
  const { seal, ...postMortem } = parsed.data;
  return { kind: "post-mortem", postMortem, notes: notesOf(markdown), seal };
}

/**
 * Hex HMAC-SHA-256 of a record under a key that only Rectify has: by it a record in Git is known to be ours, and an
 * outcome that somebody else wrote into a file is known not to be.
 */
export function sealOf(postMortem: PostMortem, key: string): string {
  return createHmac("sha256", key)
    .update(JSON.stringify(Schema.parse(postMortem)))
    .digest("hex");
}

const notesTitle = "## Notes";

function notesOf(markdown: string): string {
  const text = markdown.replaceAll("\r\n", "\n");
  const start = text.indexOf(`\n${notesTitle}\n`);
  return start < 0 ? "" : text.slice(start + notesTitle.length + 2).trim();
}

/** Markdown with YAML front matter; `notes` is what people wrote under it before, kept as it was; `seal` see `sealOf`. */
export function renderPostMortem(
  postMortem: PostMortem,
  { notes = "", seal }: { readonly notes?: string; readonly seal?: string | undefined } = {},
): string {
  const { evidence, ...rest } = postMortem;
  const record = seal === undefined ? rest : { ...rest, seal };
  // JSON is YAML: no writer of YAML is needed, and every string stays a quoted string.
  const matter = [
    ...Object.entries(record).map(([key, value]) => `${key}: ${JSON.stringify(value)}`),
    evidence.length === 0 ? "evidence: []" : "evidence:",
    ...evidence.map((item) => `  - ${JSON.stringify(item)}`),
  ];
  const sections = [renderPostMortemBody(postMortem), `${notesTitle}\n\n${notes.trim()}`];
  return `---\n${matter.join("\n")}\n---\n${sections.join("\n\n").trimEnd()}\n`;
}

/** The file of a record with its seal. */
export function renderSealed(postMortem: PostMortem, key: string, notes = ""): string {
  return renderPostMortem(postMortem, { notes, seal: sealOf(postMortem, key) });
}
