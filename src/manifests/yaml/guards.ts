import { guardedBy } from "./named-keys.ts";
import { lineOf, type Node } from "./source.ts";

/** A comment or a header that tells people (or machines) to keep off, with its line. */
interface Guard {
  readonly reason: "generated-file" | "guard-comment" | "image-automation";
  readonly line: number;
  readonly text: string;
}

const generatedHeader =
  /\b(?:auto-?\s?generated|generated (?:by|from|file|with|using)|this (?:file|manifest) (?:is|was|has been) (?:being )?(?:auto(?:matically|-)?\s?)?generated|code generated|rendered (?:by|from|with)|created by .{0,40}do not edit|^source: \S+\/templates\/\S+)/i;
const handsOff =
  /\b(?:do\s*not|don['’]?t|never|must\s*not|please\s+don['’]?t)\s+(?:\w+\s+){0,3}?(?:edit|change|modify|touch|alter|update|hand[- ]?edit)/i;
const fieldGuard =
  /\b(?:do\s*not|don['’]?t|never|must\s+(?:not|stay|remain|be|always)|should\s+(?:not|stay|remain|always)|cannot|can['’]?t|only\s+(?:one|1|a\s+single|supports?|run)|keep\s+(?:this|it|at|in|as|the)|leave\s+(?:this|it|at|as)|no\s+more\s+than|singleton|managed\s+by|controlled\s+by|set\s+by|overrid+en\s+by|ignored|not\s+(?:be\s+)?(?:scaled?|changed?|increased?|supported|safe)|has\s+to\s+(?:be|stay))\b/i;

/**
 * The head of a file that says a program writes it, or that nobody shall edit it. Where it names keys that are there,
 * it guards these alone: then `at`, the place that is to be edited, decides.
 */
export function fileGuard(path: string, text: string, at?: Node): Guard | undefined {
  if (/(?:^|\/)gotk-components\.yaml$/.test(path))
    return { reason: "generated-file", line: 1, text: "flux bootstrap writes gotk-components.yaml" };
  if (/(?:^|\/)[._]?(?:generated|rendered)\//.test(path)) {
    return { reason: "generated-file", line: 1, text: "the directory's name says that a program writes it" };
  }
  const lines = text.split("\n", 40);
  for (const [n, line] of lines.entries()) {
    const comment = /^\s*(?:#|\/\/)\s?(.*)$/.exec(line.replace(/^\ufeff/, ""))?.[1];
    if (comment === undefined) {
      if (line.trim() !== "" && !/^(?:---|%)/.test(line.trim())) return undefined;
      continue;
    }
    const found = { line: n + 1, text: comment.trim() };
    if (generatedHeader.test(comment.trim())) return { reason: "generated-file", ...found };
    const guards = handsOff.test(comment) && (at === undefined || guardedBy(comment, at) !== "another key");
    if (guards) return { reason: "guard-comment", ...found };
  }
  return undefined;
}

/** The comment at the end of a node's line, or directly above it, that forbids the change or names an automation. */
export function fieldComment(node: Pick<Node, "file" | "start" | "end">): Guard | undefined {
  const { text } = node.file;
  if (node.start < 0) return undefined;
  const lineStart = text.lastIndexOf("\n", node.start - 1) + 1;
  const lineEnd = text.indexOf("\n", node.end);
  const tail = text.slice(node.end, lineEnd < 0 ? text.length : lineEnd);
  const own = judged(/#(.*)$/.exec(tail.trimEnd())?.[1], lineOf(text, node.start));
  if (own) return own;
  let line = lineOf(text, node.start);
  for (let end = lineStart - 1; end > 0; ) {
    const start = text.lastIndexOf("\n", end - 1) + 1;
    line -= 1;
    const above = text.slice(start, end);
    if (!/^\s*#/.test(above)) return undefined;
    const guard = judged(above.replace(/^\s*#/, ""), line);
    if (guard) return guard;
    end = start - 1;
  }
  return undefined;
}

function judged(comment: string | undefined, line: number): Guard | undefined {
  if (comment === undefined) return undefined;
  const text = comment.trim();
  if (text.includes("$imagepolicy")) return { reason: "image-automation", line, text };
  return fieldGuard.test(text) || handsOff.test(text) ? { reason: "guard-comment", line, text } : undefined;
}
