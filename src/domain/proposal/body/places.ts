import type { FileChange } from "../../kubernetes/manifest-edit.ts";
import type { ChangedPlace } from "./proposal-body.ts";

/** The first line of each file that the change moves, counted from 1; of a file that goes, its first. */
export function changedPlaces(files: readonly FileChange[]): ChangedPlace[] {
  return files.map(({ path, before, after }) => {
    if (before === null || after === null) return { path, line: 1 };
    const [old, now] = [before.split("\n"), after.split("\n")];
    const first = now.findIndex((line, index) => line !== old[index]);
    return { path, line: first < 0 ? now.length : first + 1 };
  });
}
