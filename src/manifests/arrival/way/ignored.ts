import { posix } from "node:path";

/** What Flux leaves out of a repository where its source says nothing itself. */
export const usuallyIgnored = [
  ...[".github/", ".circleci/", ".travis.yml", ".gitlab-ci.yml", "appveyor.yml", ".drone.yml", "cloudbuild.yaml"],
  ...["**/.goreleaser.yml", "**/.sops.yaml", "**/.flux.yaml"],
].map((pattern) => patternOf(pattern, ""));

interface Pattern {
  readonly steps: readonly string[];
  readonly isAnchored: boolean;
  readonly takesIn: boolean;
  readonly onlyDirectories: boolean;
  /** The directory that it is for. */
  readonly below: string;
}

/** The patterns of a text in the style of `.gitignore`, for the directory that it stands in. */
export function patternsOf(text: string, below: string): readonly Pattern[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return lines.map((line) => patternOf(line, below));
}

function patternOf(line: string, below: string): Pattern {
  const takesIn = line.startsWith("!");
  const text = (takesIn ? line.slice(1) : line).trimEnd();
  const plain = text.replace(/\/$/, "");
  const steps = plain.split("/");
  return { steps, isAnchored: steps.length > 1, takesIn, onlyDirectories: plain !== text, below };
}

/** Whether the last pattern that fits a file leaves it out: a directory's pattern fits all that is in it. */
export function isIgnored(patterns: readonly Pattern[], path: string): boolean {
  return patterns.findLast((one) => fits(one, path))?.takesIn === false;
}

function fits(pattern: Pattern, path: string): boolean {
  const { below, steps, isAnchored, onlyDirectories } = pattern;
  if (below !== "" && !path.startsWith(`${below}/`)) return false;
  const parts = posix.relative(below, path).split("/");
  if (isAnchored) return fitsSteps(steps[0] === "" ? steps.slice(1) : steps, parts, onlyDirectories);
  const at = parts.findIndex((part) => fitsName(steps[0] ?? "", part));
  return at >= 0 && !(onlyDirectories && at === parts.length - 1);
}

function fitsSteps(steps: readonly string[], parts: readonly string[], onlyDirectories: boolean): boolean {
  const [step, ...rest] = steps;
  if (step === undefined) return !(onlyDirectories && parts.length === 0);
  if (step === "**") return rest.length === 0 || parts.some((_, n) => fitsSteps(rest, parts.slice(n), onlyDirectories));
  const [part, ...more] = parts;
  return part !== undefined && fitsName(step, part) && fitsSteps(rest, more, onlyDirectories);
}

function fitsName(pattern: string, name: string): boolean {
  const literal = (text: string) => text.replace(/[.+^${}()|\\]/g, "\\$&");
  const words = pattern.split(/(\*+|\?)/).map((one) => (one === "?" ? "." : one.startsWith("*") ? ".*" : literal(one)));
  try {
    return new RegExp(`^${words.join("")}$`).test(name);
  } catch {
    return pattern === name;
  }
}
