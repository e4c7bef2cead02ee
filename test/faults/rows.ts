import { commandRows } from "./commands.ts";
import { outputRows } from "./output.ts";
import { policyRows } from "./policies.ts";
import { pullRows } from "./pulls.ts";
import type { FaultRow } from "./row.ts";

/** The rows of the catalogue that concern governance, by the letter of their family. */
export const faultRows: Readonly<Record<string, readonly FaultRow[]>> = {
  C: commandRows,
  P: pullRows,
  K: policyRows,
  X: outputRows,
};

/** Every id of these families in the catalogue: one without a row is not proven. */
export const faultIds: Readonly<Record<string, readonly string[]>> = {
  C: numbered("C", 12),
  P: numbered("P", 13),
  K: numbered("K", 6),
  X: numbered("X", 5),
};

function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${String(index + 1).padStart(2, "0")}`);
}
