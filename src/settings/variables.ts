import type { z } from "zod";
import { nearestWord } from "../domain/text/nearest-word.ts";

type Issue = Parameters<z.core.$ZodErrorMap>[0];

/** What a validator found, as a person would say it; undefined leaves the word to the validator. */
export function inOurWords(issue: Issue): string | undefined {
  if (issue.code === "too_small" && issue.origin === "string") return "must not be empty";
  if (issue.code === "too_small") return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
  if (issue.code === "too_big") return `must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
  if (issue.code === "invalid_type" && issue.expected === "int") return "must be a whole number";
  if (issue.code === "invalid_type" && issue.expected === "number") return "must be a number";
  return undefined;
}

// Programs that run beside us have variables that look like ours.
const othersNames = new Set(["OLLAMA_MODELS"]);
const mostWrongLetters = 2;

/** Variables that are no settings and read like one, each with the setting that was most likely meant. */
export function unknownVariables(
  given: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): readonly string[] {
  return Object.keys(given)
    .filter((name) => given[name] !== undefined && !known.includes(name) && !othersNames.has(name))
    .flatMap((name) => {
      const meant = nearestWord(name, known, mostWrongLetters);
      // The right one is set as well: then the other is somebody else's.
      return meant === undefined || given[meant] !== undefined
        ? []
        : [`${name}: is not a setting: did you mean ${meant}?`];
    });
}
