import type { OutcomeSoFar, ParkedOutcome } from "../../domain/proposal/outcome.ts";
import { Refused } from "../../ports/errors.ts";

/** A clear no from outside, or no answer for hours: the incident waits for a person, with what was done so far on record. */
export function parkedWith(soFar: OutcomeSoFar): (error: unknown) => ParkedOutcome {
  return (error) => {
    if (error instanceof Refused) return { ...soFar, ending: "parked", because: error.message };
    throw error;
  };
}
