import type { FileChange } from "../../domain/kubernetes/manifest-edit.ts";
import { hunksBetween, linesOf } from "./lines.ts";

/**
 * Comments that stand beside a value which changes, or right above it with a number in them: whoever wrote them meant
 * the value before, and the edit leaves them as they are. One line for people each.
 */
export function staleComments(files: readonly FileChange[]): string[] {
  return files.flatMap(({ path, before, after }) => {
    if (before === null || after === null || !/\.ya?ml$/i.test(path)) return [];
    const [old, now] = [linesOf(before), linesOf(after)];
    const moved = hunksBetween(old, now).flatMap(({ from, to }) =>
      Array.from({ length: to[1] - to[0] }, (_, index) => ({
        at: to[0] + index,
        was: from[0] + index < from[1] ? old[from[0] + index] : undefined,
      })),
    );
    const found = moved.flatMap(({ at, was }) => commentsAt(now, at, was));
    return found.map(
      ({ line, text, value }) =>
        `${path}:${line} keeps the comment “${text}”, written for ${value}: it may be false after this change`,
    );
  });
}

interface Found {
  /** Counted from 1. */
  readonly line: number;
  readonly text: string;
  readonly value: string;
}

function commentsAt(lines: readonly string[], at: number, was: string | undefined): Found[] {
  // A line that is new has no comment that was written for another value.
  if (was === undefined) return [];
  const value = valueIn(was);
  const beside = commentIn(lines[at] ?? "");
  const found: Found[] = beside === undefined ? [] : [{ line: at + 1, text: beside, value }];
  for (let above = at - 1; above >= 0 && /^\s*#/.test(lines[above] ?? ""); above -= 1) {
    const text = commentIn(lines[above] ?? "");
    if (text !== undefined && /\d/.test(text)) found.push({ line: above + 1, text, value });
  }
  return found;
}

// What tools read is no remark of a person.
const directive =
  /^(?:[{$!]|renovate|yaml-language-server|x-release-please|kpt-|kics-scan|checkov:|trivy:|no(?:qa|lint)|prettier-|---)/i;

/** The comment of a line: a `#` at its start or after a blank, outside quotes. */
function commentIn(line: string): string | undefined {
  const text = line.replace(/"(?:\\.|[^"\\])*"|'(?:''|[^'])*'/g, (quoted) => "x".repeat(quoted.length));
  const start = /(?:^|\s)#/.exec(text);
  if (start === null) return undefined;
  const said = line.slice(start.index + start[0].length).trim();
  return said === "" || directive.test(said) ? undefined : said;
}

function valueIn(line: string): string {
  const comment = commentIn(line);
  const bare = comment === undefined ? line : line.slice(0, line.lastIndexOf(comment)).replace(/\s#\s*$/, "");
  return bare.trim().replace(/^(?:- )?[\w.$"'-]+:\s*/, "") || "another value";
}
