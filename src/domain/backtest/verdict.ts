import type { Effect, ObjectChange } from "../kubernetes/manifest-edit.ts";
import { canonicalText } from "../kubernetes/object-changes.ts";
import { parseQuantity } from "../kubernetes/quantity.ts";
import { type Remediation, renderRemediation } from "../kubernetes/remediation.ts";
import { type Workload, workloadKey } from "../kubernetes/workload.ts";
import { renderDuration } from "../text/duration.ts";

/** What Rectify comes to for an incident in which it may write nothing. */
export type WouldHave =
  | {
      readonly kind: "proposed";
      /** When the pull request would have been open, RFC 3339; what is held back, not before its time. */
      readonly at: string;
      readonly remediation: Remediation;
      readonly changes: Effect["changes"];
      /** 0 to 1. */
      readonly confidence: number;
      readonly cause: string;
      readonly risk: string;
      readonly perMonth?: number | undefined;
      readonly currency?: string | undefined;
      /** By how much one change may multiply a value, by the guardrails that it passed. */
      readonly growthLimit?: number | undefined;
      /** True where such firings mostly clear by themselves, so that it would have waited first. */
      readonly heldBack?: boolean | undefined;
    }
  | {
      readonly kind: "refused" | "no-remedy";
      readonly because: string;
      readonly confidence?: number | undefined;
      readonly cause?: string | undefined;
    };

/** A commit that changed what was rendered of the workload while the alert fired. */
export interface PeoplesCommit {
  readonly sha: string;
  /** RFC 3339. */
  readonly at: string;
  readonly changes: readonly ObjectChange[];
  /** Rectify's own, of an installation that was live then: no work of people. */
  readonly own?: true | undefined;
}

/** What happened without Rectify. */
export interface Course {
  readonly workload: Workload;
  /** RFC 3339. Undefined = it still fires. */
  readonly startedAt: string;
  readonly endedAt: string | undefined;
  /**
   * By how much one change may multiply a value (guardrails): amounts further apart are no agreement. Undefined = nobody
   * knows.
   */
  readonly growthLimit: number | undefined;
  /** Oldest first; or why nobody can tell. */
  readonly people:
    | { readonly kind: "known"; readonly commits: readonly PeoplesCommit[] }
    | { readonly kind: "unknown"; readonly because: string };
}

export type VerdictKind =
  | "agreed"
  | "earlier"
  | "different"
  | "healed-by-itself"
  | "no-remedy"
  | "refused"
  /** Nothing to compare with: it still fires, or what people did cannot be known any more. */
  | "not-known";

/** What we would have done against what people did. */
export interface Verdict {
  readonly kind: VerdictKind;
  readonly because: string;
  /** The commit of people that it was compared with. */
  readonly commit?: string | undefined;
  /** How long before that commit the pull request would have been open. Negative = after it. */
  readonly leadMs?: number | undefined;
  /** The value of both, where they changed one field. */
  readonly ours?: string | undefined;
  readonly theirs?: string | undefined;
}

/** Sooner than this is the same time. */
const leastLeadMs = 60_000;

/** Compares, and says why. What cannot be known is no agreement. */
export function verdictOf(would: WouldHave, course: Course): Verdict {
  const { people, endedAt } = course;
  if (people.kind === "unknown")
    return { kind: "not-known", because: `what people did is not known: ${people.because}` };
  const during = people.commits.filter(({ at }) => isDuring(at, course));
  if (during.length === 0 && endedAt !== undefined) return healed(would, course, endedAt);
  const did = said(during);
  if (would.kind !== "proposed") return { kind: would.kind, because: `${would.because}${did}`, ...commitOf(during) };
  const mine = during.find(({ own }) => own === true);
  if (mine !== undefined) return withUs(mine);
  if (during.length === 0) return { kind: "not-known", because: "it still fires, and nobody changed the workload" };
  if (course.growthLimit === undefined)
    return {
      kind: "not-known",
      because: `nobody knows by how much one change may go: the guardrails cannot be read${did}`,
    };
  return compared(would, during, course.growthLimit);
}

/** What came after our own change says nothing of what people would have done, nor of what heals by itself. */
function withUs(commit: PeoplesCommit): Verdict {
  const because = `Rectify itself changed the workload then, with commit ${short(commit)}: how it would have gone without it is not known`;
  return { kind: "not-known", because, commit: commit.sha };
}

type Proposed = Extract<WouldHave, { kind: "proposed" }>;

function healed(would: WouldHave, { startedAt }: Course, endedAt: string): Verdict {
  const lasted = renderDuration(Date.parse(endedAt) - Date.parse(startedAt));
  const fate =
    would.kind !== "proposed"
      ? "Rectify would have proposed nothing"
      : Date.parse(would.at) < Date.parse(endedAt)
        ? "the pull request would have been closed when it resolved"
        : would.heldBack === true
          ? "the pull request would have waited for that"
          : "no pull request would have been open yet";
  return { kind: "healed-by-itself", because: `nobody changed the workload, and it ended after ${lasted}: ${fate}` };
}

function compared(would: Proposed, commits: readonly PeoplesCommit[], growthLimit: number): Verdict {
  let unlike: string | undefined;
  for (const [index, commit] of commits.entries()) {
    const same = sameFix(would.changes, commit.changes, growthLimit);
    if (same === undefined) continue;
    const { ours, theirs } = same;
    const undoing = commits.slice(index + 1).find((later) => !keeps(same, later));
    if (same.isFar) unlike ??= `; both change the same field in one direction, but to ${ours} and to ${theirs}`;
    if (undoing !== undefined) unlike ??= `; so did commit ${short(commit)}, but commit ${short(undoing)} reverted it`;
    if (same.isFar || undoing !== undefined) continue;
    const leadMs = Date.parse(commit.at) - Date.parse(would.at);
    const about = { commit: commit.sha, leadMs, ours, theirs };
    if (leadMs >= leastLeadMs)
      return { kind: "earlier", because: `as commit ${short(commit)}, ${renderDuration(leadMs)} before it`, ...about };
    return { kind: "agreed", because: `as commit ${short(commit)}, at about the same time or after it`, ...about };
  }
  const because = `Rectify would have proposed to ${renderRemediation(would.remediation)}${unlike ?? said(commits)}`;
  return { kind: "different", because, ...commitOf(commits) };
}

function short({ sha }: Pick<PeoplesCommit, "sha">): string {
  return sha.slice(0, 7);
}

type Pair = readonly [ours: ObjectChange, theirs: ObjectChange];

interface SameFix {
  readonly pairs: readonly Pair[];
  readonly ours: string;
  readonly theirs: string;
  /** One direction, but amounts further apart than one change may go. */
  readonly isFar: boolean;
}

/**
 * Everything that we would have changed on what people changed, they changed, too: the same field in the same direction.
 * Values without a direction must be the same.
 */
function sameFix(
  ours: readonly ObjectChange[],
  theirs: readonly ObjectChange[],
  growthLimit: number,
): SameFix | undefined {
  const touched = new Set(theirs.map(({ object }) => workloadKey(object)));
  const mine = ours.filter(({ object }) => touched.has(workloadKey(object)));
  const pairs = mine.flatMap((change): readonly Pair[] => {
    const other = theirs.find((one) => isSame(change, one));
    return other === undefined ? [] : [[change, other]];
  });
  const [first] = pairs;
  if (first === undefined || pairs.length < mine.length) return undefined;
  const isFar = pairs.some(([change, other]) => ratioOf(change.to, other.to) > growthLimit);
  return { pairs, ours: shown(first[0].to), theirs: shown(first[1].to), isFar };
}

/** A later commit may go further; what it reverts before the end was a try, and no fix. */
function keeps({ pairs }: SameFix, { changes }: PeoplesCommit): boolean {
  return pairs.every(([ours, theirs]) =>
    changes
      .filter((change) => touches(change, theirs))
      .every((change) => isSame(ours, { ...theirs, to: valueIn(change, theirs.field) })),
  );
}

/** The same field, or what it is a part of. */
function touches(change: ObjectChange, { object, field }: ObjectChange): boolean {
  const isPart = canonicalText(field.slice(0, change.field.length)) === canonicalText(change.field);
  return isPart && workloadKey(change.object) === workloadKey(object);
}

function valueIn({ field: within, to }: ObjectChange, field: ObjectChange["field"]): unknown {
  return field.slice(within.length).reduce<unknown>((value, key) => {
    const has = typeof value === "object" && value !== null && Object.hasOwn(value, key);
    return has ? Reflect.get(value, key) : undefined;
  }, to);
}

function isSame(left: ObjectChange, right: ObjectChange): boolean {
  if (workloadKey(left.object) !== workloadKey(right.object)) return false;
  if (canonicalText(left.field) !== canonicalText(right.field)) return false;
  const [mine, theirs] = [directionOf(left), directionOf(right)];
  if (mine === undefined || theirs === undefined) return canonicalText(left.to) === canonicalText(right.to);
  return mine === theirs && mine !== 0;
}

function directionOf({ from, to }: ObjectChange): number | undefined {
  const [before, after] = [parseQuantity(from), parseQuantity(to)];
  return before === undefined || after === undefined ? undefined : Math.sign(after - before);
}

function ratioOf(left: unknown, right: unknown): number {
  const [a, b] = [parseQuantity(left), parseQuantity(right)];
  if (a === undefined || b === undefined || a <= 0 || b <= 0) return 1;
  return Math.max(a, b) / Math.min(a, b);
}

function isDuring(at: string, { startedAt, endedAt }: Course): boolean {
  const time = Date.parse(at);
  return time >= Date.parse(startedAt) && (endedAt === undefined || time <= Date.parse(endedAt));
}

function said(commits: readonly PeoplesCommit[]): string {
  const parts = commits.slice(0, 3).map((one) => `commit ${short(one)} changed ${fieldsOf(one.changes)}`);
  return parts.length === 0 ? "" : `; ${parts.join(", ")}`;
}

function fieldsOf(changes: readonly ObjectChange[]): string {
  const names = changes.map(({ object, field }) => `${object.kind}/${object.name} ${field.join(".")}`.trimEnd());
  return names.length > 2 ? `${names.slice(0, 2).join(" and ")} and ${names.length - 2} more` : names.join(" and ");
}

function commitOf(commits: readonly PeoplesCommit[]): Pick<Verdict, "commit"> {
  const last = commits.at(-1);
  return last === undefined ? {} : { commit: last.sha };
}

function shown(value: unknown): string {
  return typeof value === "object" && value !== null ? canonicalText(value).slice(0, 80) : String(value).slice(0, 80);
}
