import { assignsCredential } from "../../domain/remedy/reversal/credentials.ts";
import { hunksBetween, linesOf } from "../../manifests/edit/lines.ts";
import type { ReversedFile } from "../../manifests/edit/reverse.ts";
import { fileGuard } from "../../manifests/yaml/guards.ts";

/** Why these lines must not be reverted, with the place: a program would write them again, or a credential is among them. */
export function doubtInLines(files: readonly ReversedFile[]): string | undefined {
  for (const { path, before, after } of files) {
    const guard = fileGuard(path, before ?? after ?? "");
    if (guard !== undefined) return `${path} is not written by hand ("${guard.text}"): revert it where it is made`;
    const [left, right] = [linesOf(before ?? ""), linesOf(after ?? "")];
    for (const { from, to } of hunksBetween(left, right)) {
      const [gone, back] = [left.slice(...from), right.slice(...to)];
      const place = `line ${from[0] + 1} of ${path}`;
      if ([...gone, ...back].some((line) => line.includes("$imagepolicy"))) {
        return `${place} is written by Flux image automation: pin its ImagePolicy first`;
      }
      if (gone.some(assignsCredential) && back.some(assignsCredential)) {
        return `${place} would go back to an old credential`;
      }
    }
  }
  return undefined;
}
