import type { Ending } from "./incident.ts";

/** What an incident's outcome hung on: when it changes, another look may end otherwise. */
export interface Dependencies {
  /** Sources of which no question at all was answered. */
  readonly silent: readonly string[];
  /** The commit of the default branch, and a hash of its guardrails file. */
  readonly revision: string;
  readonly guardrails: string;
}

/** An incident that ended, while an alert of it still fires. */
export interface StillFiring {
  /** RFC 3339. */
  readonly endedAt: string;
  /** How often it was examined, from 1. */
  readonly examination: number;
  /** Undefined where nothing was seen before it ended. */
  readonly depends: Dependencies | undefined;
}

/** What is known now. `answering`: the sources that answered their newest question. */
export interface Present {
  readonly now: Date;
  readonly answering: readonly string[];
  readonly revision: string;
  readonly guardrails: string;
}

/** To be examined again now, or later: with the reason, for people. */
type Reexamination =
  | { readonly kind: "now"; readonly because: string }
  | { readonly kind: "later"; readonly because: string };

/**
 * Endings that changed nothing for good: such an incident is not over as long as its alert fires. A proposal that a switch
 * to shadow mode withdrew belongs to them, and what was looked at in shadow mode does as soon as its class is live.
 */
export const endingsWithoutResult: readonly Ending[] = ["no-change", "parked", "refused", "unclear", "escalated"];

const firstWaitMs = 30_000;
// Evidence is thin while an incident is young: the first looks come soon, then at the beat, at last ever more rarely.
const firstBeatPart = 1 / 15;
const examinationsAtBeat = 8;
const longestBeats = 12;

/**
 * Whether an incident whose alert still fires is examined again: when something that its outcome hung on has changed,
 * and otherwise soon at first, then at a slow beat.
 */
export function reexaminationOf(ended: StillFiring, present: Present, beatMs: number): Reexamination {
  const { depends, examination } = ended;
  const since = present.now.getTime() - Date.parse(ended.endedAt);
  const doubled = 2 ** Math.min(examination - 1, 30);
  const sourceWaitMs = Math.min(firstWaitMs * doubled, beatMs);
  const beat = waitForBeat(examination, beatMs);
  const changeWaitMs = beat / 2;
  const silent = depends?.silent ?? [];
  if (silent.length > 0 && since >= sourceWaitMs) {
    const back = silent.filter((source) => isIn(present.answering, source));
    const because = back.length > 0 ? `${back.join(", ")} answers again` : `${silent.join(", ")} gave no answer`;
    return { kind: "now", because };
  }
  if (depends !== undefined && since >= changeWaitMs) {
    if (depends.guardrails !== present.guardrails) return { kind: "now", because: "the guardrails changed" };
    if (depends.revision !== present.revision) return { kind: "now", because: "the repository has a new revision" };
  }
  if (since >= beat) return { kind: "now", because: "the alert still fires" };
  const until = (waitMs: number) => new Date(Date.parse(ended.endedAt) + waitMs).toISOString();
  if (silent.length > 0)
    return { kind: "later", because: `${silent.join(", ")} gave no answer: asked again at ${until(sourceWaitMs)}` };
  const when = `when the guardrails or the repository change, or at ${until(beat)}`;
  return { kind: "later", because: `the alert still fires: examined again ${when}` };
}

/** Doubles from a fifteenth of the beat up to the beat, stays there for a while, and doubles up to twelve beats. */
function waitForBeat(examination: number, beatMs: number): number {
  const early = beatMs * firstBeatPart * 2 ** (examination - 1);
  const late = beatMs * 2 ** (examination - examinationsAtBeat);
  return Math.min(early, Math.max(beatMs, Math.min(late, beatMs * longestBeats)));
}

/** Sources that answered nothing; one that answered some questions only is there. */
export function silentSources(
  evidence: readonly { readonly source: string; readonly finding: { readonly kind: string } }[],
): readonly string[] {
  const asked = new Set(evidence.map(({ source }) => source));
  const answered = new Set(evidence.flatMap(({ source, finding }) => (finding.kind === "missing" ? [] : [source])));
  return [...asked].filter((source) => !answered.has(source)).toSorted();
}

function isIn(names: readonly string[], source: string): boolean {
  return names.some((name) => name.toLowerCase() === source.toLowerCase());
}
