import type { ManifestEdit } from "../../domain/kubernetes/manifest-edit.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { helmAnswer } from "../edit/helm.ts";
import { locateWith, provable } from "./locate.ts";
import { refused } from "../repository/refusal.ts";
import type { FieldQuestion, EntryBuild } from "../trace/entry-build.ts";
import { chartAnswer } from "../charts/chart-answer.ts";
import type { ChartTools } from "../../domain/kubernetes/rendered.ts";

/**
 * The same answer as `locate`, and where a chart makes the workload, by experiment: the key is the one whose mark
 * arrives in the field. Conventions answer only for charts that cannot be rendered here.
 */
export async function locateByRendering(tree: Tree, question: FieldQuestion, tools: ChartTools): Promise<ManifestEdit> {
  const entryBuilds: EntryBuild[] = [];
  const guesses = new Set<ManifestEdit>();
  const guessed = locateWith(tree, question, (entryBuild) => {
    entryBuilds.push(entryBuild);
    const guess = helmAnswer(entryBuild);
    if (guess) guesses.add(guess);
    return guess;
  });
  const isGuess = guessed.kind === "refused" || guesses.has(guessed);
  if (entryBuilds.length === 0 || !isGuess) return guessed;
  let unknown: string | undefined;
  let isMade = true;
  for (const entryBuild of entryBuilds) {
    const answer = await chartAnswer(entryBuild, tools);
    if (answer.kind === "answered") return provable(entryBuild, answer.edit);
    if (answer.kind === "unknown") unknown ??= answer.because;
    else isMade = false;
  }
  if (!isMade && unknown === undefined && guesses.size > 0) {
    const { kind, name } = question.workload;
    return refused("not-found", `no chart of this entry makes ${kind} ${name}`, "Look for the entry that deploys it.");
  }
  if (unknown === undefined) return guessed;
  if (guessed.kind === "refused") {
    // What would have answered is worth more than why a convention did not.
    const because = `${guessed.because} (the chart was not rendered: ${unknown})`;
    return guesses.has(guessed) ? { ...guessed, because } : guessed;
  }
  return { ...guessed, warnings: [...guessed.warnings, `the chart was not rendered: ${unknown}`] };
}
