/** A text of a lab run without what differs from run to run: times, numbers, ids, and the tools of the machine. */
export function masked(text: string): string {
  return masks.reduce((rest, [pattern, mask]) => rest.replace(pattern, mask), text);
}

const masks: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "UID"],
  // An abbreviated commit may be all digits or hold none: it is told by its length.
  [/(?<![.\w])(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b/g, "SHA"],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?/g, "TIME"],
  [/\d\d:\d\d:\d\d/g, "CLOCK"],
  // Kustomize or kubectl, and Kyverno, may be there or not.
  [/rendered before and after with [^\n]*?\)\.(?=\n)/g, "rendered before and after with TOOL)."],
  [/Policies were not evaluated here: left to the required check [\w-]+|\d+ of \d+ policies passed/g, "POLICIES"],
  [/\d+(?:\.\d+)?(?:e-?\d+)?/g, "0"],
  [/\b0 (?:ms|s|min|h)\b/g, "0 s"],
  [/-0\b/g, "0"],
  // One core, two cores.
  [/\b0 ([a-z]+?)s?\b/g, "0 $1"],
  // The chart: as many points as the run had.
  [/"CLOCK"(?:, "CLOCK")*/g, '"CLOCK"'],
  [/\[0(?:, 0)*\]/g, "[0]"],
  // Evidence is cited by strength.
  [/\bE0(?:, E0)*/g, "E0"],
  [/`E0`(?:, `E0`)*/g, "`E0`"],
  [/"E0"(?:,"E0")*/g, '"E0"'],
  // The first cause stands in the head; those that are hardly possible change places.
  [/^(?:-|0\.) 0 %: .*(?:\n(?:-|0\.) 0 %: .*)*/gm, "CAUSES"],
  // A log that says nothing new for one run may do so for the next.
  [/^.*new and suddenly frequent log lines.*\n/gm, ""],
  // After a change that did not help several may be next: noise tells which.
  [/look next at this: [^\n]*?\(E0\)/g, "look next at this: CAUSE (E0)"],
  [/^considered: .*$/gm, "considered: CAUSES"],
];
