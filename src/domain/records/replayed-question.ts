import type { Capsule } from "./capsule.ts";
import { type Question, questionOf } from "../llm/question.ts";
import type { PostMortem } from "./post-mortem.ts";

/** A question of the past with the answer that it should have had. */
export interface ReplayedQuestion {
  readonly incident: string;
  readonly question: Question;
  readonly expected: { readonly cause: string; readonly remedy: string };
  /** What says so: the outcome that was verified, or only the ranking of that time. */
  readonly by: "verified" | "ranking";
}

const mostCauses = 4;

/**
 * The question to the model as its incident put it: the same causes and evidence, one remedy for each cause that has
 * one. Numbers are left out: they are computed, never asked. Undefined when there is nothing to choose from.
 */
export function questionOfCapsule(
  { incident, evidence, diagnosis }: Capsule,
  verified: PostMortem | undefined,
  delimiter: string,
): ReplayedQuestion | undefined {
  if (diagnosis.kind === "abstained") return undefined;
  const causes = diagnosis.causes.slice(0, mostCauses);
  const remedies = causes.map(({ remedies: [kind], workload }, index) =>
    kind === undefined ? undefined : { id: `R${index + 1}`, sentence: `${kind} ${workload.name}` },
  );
  const known = causes.findIndex(({ sentence }) => sentence === verified?.cause);
  const right = Math.max(known, 0);
  const cause = causes[right]?.id;
  if (cause === undefined) return undefined;
  const offered = remedies.flatMap((remedy) => remedy ?? []);
  return {
    incident: incident.uid,
    question: questionOf({ incident, evidence, causes, remedies: offered, delimiter }),
    expected: { cause, remedy: remedies[right]?.id ?? "none" },
    by: known < 0 ? "ranking" : "verified",
  };
}
