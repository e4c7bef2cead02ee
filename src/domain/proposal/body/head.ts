import { type Comparison, renderThreshold } from "../../incident/condition.ts";
import type { Evidence } from "../../evidence/evidence.ts";
import { unitIn } from "../../evidence/finding-text.ts";
import { renderValue } from "../../evidence/unit.ts";
import { renderRemediation } from "../../kubernetes/remediation.ts";
import { workloadKey } from "../../kubernetes/workload.ts";
import { renderDuration } from "../../text/duration.ts";
import { inert } from "../../text/inert.ts";
import type { ProposalBody } from "./proposal-body.ts";
import { renderReason } from "./reason.ts";
import { revertedCommit } from "./reverted-commit.ts";
import { percent } from "../../text/percent.ts";
import { code, minuteOf, plain, sentence } from "./words.ts";

/**
 * Six lines that always have the same skeleton, so that a person decides in half a minute: what hurts, the change, why,
 * the risk, what follows the merge, and the command to copy. The command stands within its line: other bots read a line
 * that begins with a slash, wherever it stands.
 */
export function renderHead(body: ProposalBody): string {
  return [
    `**Hurts:** ${hurts(body)}`,
    `**Change:** ${change(body)}`,
    `**Why:** ${why(body)}`,
    `**Risk:** ${risk(body)}`,
    `**After the merge:** ${afterwards(body)}`,
    `**To approve**, comment \`/approve\`. ${otherCommands(body)}${links(body)}`,
  ]
    .map((line) => `- ${line.trim()}`)
    .join("\n");
}

function hurts(body: ProposalBody): string {
  const { incident, lease, rollback, failed, writtenAt } = body;
  if (failed !== undefined) return failedText(body);
  if (lease !== undefined || rollback !== undefined) return renderReason(body);
  const summary = incident.alert.annotations.summary;
  const said = summary === undefined ? "" : ` (“${inert(summary, 200)}”)`;
  const since = `since ${minuteOf(incident.startedAt)}${agoAt(incident.startedAt, writtenAt)}`;
  const measured = metricText(body.evidence);
  return `${code(incident.alert.name)} fires for ${code(workloadKey(incident.workload))}${said}${measured === undefined ? "" : `: ${measured}`}, ${since}, severity ${code(incident.severity)}.`;
}

/** Before the change, after it, and now: one line that says whether it helped. */
function failedText({ failed, evidence, incident }: ProposalBody): string {
  if (failed === undefined) return "";
  const unit = metricOf(evidence)?.unit ?? "";
  const now = metricOf(evidence)?.value;
  const values = [
    ["before the change", failed.before],
    ["after the change", failed.after],
    ["now", now],
  ] as const;
  const known = values.flatMap(([when, value]) => (value === undefined ? [] : [`${renderValue(value, unit)} ${when}`]));
  const measured = known.length === 0 ? "" : ` The metric of ${code(incident.alert.name)}: ${known.join(", ")}.`;
  return `#${failed.pull} did not help ${code(workloadKey(incident.workload))}: ${plain(failed.because.replace(/ \(metric [^()]*\)$/, ""))}.${measured}`;
}

function agoAt(time: string, now: string | undefined): string {
  const elapsed = now === undefined ? Number.NaN : Date.parse(now) - Date.parse(time);
  return elapsed >= 60_000 ? `, ${renderDuration(elapsed)} before this was written` : "";
}

/** `1.95 s, limit > 300 ms`. */
function metricText(evidence: readonly Evidence[]): string | undefined {
  const metric = metricOf(evidence);
  if (metric === undefined) return undefined;
  const { value, unit, line } = metric;
  const shown = renderValue(value, unit);
  return line === undefined ? shown : `${shown}, ${lineText(line, unit)}`;
}

function lineText(line: NonNullable<Metric["line"]>, unit: string): string {
  if (line.comparison.startsWith(">")) return `limit ${renderValue(line.limit, unit)}`;
  if (line.comparison.startsWith("<")) return `at least ${renderValue(line.limit, unit)} is wanted`;
  return `fires when ${plain(renderThreshold(line))}`;
}

interface Metric {
  readonly value: number;
  readonly unit: string;
  readonly line: { readonly comparison: Comparison; readonly limit: number } | undefined;
}

/** What the alert measures and the line that it crossed, for the title of a chart. */
export function metricTitle({ incident, evidence }: Pick<ProposalBody, "incident" | "evidence">): string {
  const measured = metricText(evidence);
  return `${incident.alert.name} of ${incident.workload.name}${measured === undefined ? "" : `: ${measured}`}`;
}

/** The newest value of what the alert measures, and the line that it crossed. */
function metricOf(evidence: readonly Evidence[]): Metric | undefined {
  const item = evidence.find(({ key, finding }) => key === "alert-metric" && finding.kind === "series");
  const points = item?.finding.kind === "series" ? (item.finding.series[0]?.points ?? []) : [];
  const value = points.at(-1)?.[1];
  if (item === undefined || value === undefined || !Number.isFinite(value)) return undefined;
  return { value, unit: unitIn(item), line: lineIn(evidence) };
}

const comparisons: readonly string[] = [">", ">=", "<", "<=", "==", "!="] satisfies readonly Comparison[];

function lineIn(evidence: readonly Evidence[]): Metric["line"] {
  const rule = evidence.find(({ key }) => key === "alert-rule")?.finding;
  if (rule?.kind !== "facts" || rule.facts.limit === undefined) return undefined;
  const [comparison, limit] = [String(rule.facts.comparison), Number(rule.facts.limit)];
  return comparisons.includes(comparison) && Number.isFinite(limit)
    ? { comparison: comparison as Comparison, limit }
    : undefined;
}

function change({ remediation, effect, places = [], incident }: ProposalBody): string {
  const where = places.slice(0, 3).map(({ path, line }) => code(`${path}:${line}`));
  const more = places.length > 3 ? ` and ${places.length - 3} more files` : "";
  const at = where.length === 0 ? "" : `${where.join(", ")}${more}: `;
  const back = revertedCommit(remediation, incident.startedAt);
  if (back.length > 0) return `${at}${back.join(" ")}${proofText(effect)}`;
  const [only, ...others] = effect.changes;
  const moved =
    only === undefined || others.length > 0
      ? sentence(renderRemediation(remediation), [remediation.workload.name])
      : `${code(only.field.join("."))} of ${code(`${only.object.kind}/${only.object.name}`)} from ${code(shown(only.from))} to ${code(shown(only.to))}.`;
  return `${at}${moved}${proofText(effect)}`;
}

function proofText({ proof }: ProposalBody["effect"]): string {
  return proof.kind === "rendered"
    ? ` Nothing else changes (rendered before and after with ${plain(proof.with)}).`
    : ` That nothing else changes is argued from the source only: ${sentence(proof.because)}`;
}

function shown(value: unknown): string {
  return value === undefined ? "absent" : JSON.stringify(value);
}

// More arithmetic than this is folded away.
const mostArithmetic = 300;

/** True where the arithmetic stands in the head, and not in a fold below it. */
export function showsArithmetic({ remediation }: ProposalBody): boolean {
  const { sizing, change: changed } = remediation;
  return changed.kind !== "commit" && sizing.join("; ").length <= mostArithmetic;
}

function why(body: ProposalBody): string {
  const { cause, remediation, incident, rollback } = body;
  const { citing, confidence, missing = [] } = cause;
  const names = [remediation.workload.name, incident.workload.name, ...(rollback === undefined ? [] : [rollback.by])];
  const cited = citing.length === 0 ? "" : ` (${citing.map(plain).join(", ")})`;
  const said = sentence(cause.sentence, names);
  const sums = showsArithmetic(body) ? remediation.sizing.filter((line) => line !== cause.sentence) : [];
  const arithmetic = sums.length === 0 ? "" : ` ${sentence(sums.join("; "), names)}`;
  const lowered = missing.length === 0 ? "" : `, lowered because this is not known: ${missing.map(plain).join(", ")}`;
  const sure = confidence === undefined ? "" : ` Confidence: ${percent(confidence)}${lowered}.`;
  return `${said.replace(/\.$/, "")}${cited}.${arithmetic}${sure}`;
}

function risk({ risk: { level, reasons }, policy, selfMergeLacks }: ProposalBody): string {
  const raised = reasons.map((reason) => reason.replace(/^(?:low|medium|high): /, ""));
  const because = raised.length === 0 ? "no factor raises it" : raised.map(plain).join("; ");
  const lacks = selfMergeLacks.filter((lack) => !lack.startsWith("risk is "));
  const wanted =
    selfMergeLacks.length === 0
      ? "It is auto-merged when the required checks are green."
      : `Still missing: an approval${lacks.length === 0 ? "" : ` (no auto-merge: ${lacks.map(plain).join("; ")})`}.`;
  return `${level.charAt(0).toUpperCase()}${level.slice(1)}: ${because}. ${sentence(policy)} ${wanted}`;
}

function afterwards({ course, leaseExpires, failed, lease, rollback }: ProposalBody): string {
  const applied = course?.appliedBy === undefined ? "The GitOps controller" : code(course.appliedBy);
  const rollout = `${applied} applies it.`;
  if (failed !== undefined || rollback !== undefined) return `${rollout} The values from before are back then.`;
  const watched = course === undefined ? "" : ` for up to ${renderDuration(course.watchedMs)}`;
  const looked = ` Rollout, alert and metric are watched${watched}.`;
  if (lease !== undefined) return `${rollout}${looked}`;
  const leased =
    leaseExpires === undefined
      ? ""
      : ` Leased until ${minuteOf(leaseExpires)}: then the number from before is proposed again.`;
  return `${rollout}${looked} If it does not help, the revert is proposed.${leased}`;
}

function otherCommands({ remediation }: ProposalBody): string {
  const { change: changed, kind } = remediation;
  const more =
    changed.kind === "commit"
      ? changed.scope === "workload"
        ? ", `/approve-revert all` plans the whole commit"
        : ""
      : kind === "scale"
        ? ", `/approve-scale N` plans N instead"
        : "";
  return `\`/reject\` closes it, \`/hold\` pauses it${more}, \`/help\` lists all commands.`;
}

function links({ links: allowed = [] }: ProposalBody): string {
  return allowed.length === 0 ? "" : ` See ${allowed.map(({ name, url }) => `[${name}](${url})`).join(", ")}.`;
}
