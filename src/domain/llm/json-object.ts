/**
 * The text of the one JSON object in a text that may have a fence or reasoning around it; undefined where there is none, or more
 * than one: then nobody can say which one is meant.
 */
export function onlyObjectText(text: string): string | undefined {
  if (parsed(text.trim()) !== undefined) return text.trim();
  const found: string[] = [];
  const said = withoutReasoning(text);
  for (let at = said.indexOf("{"); at >= 0; ) {
    const end = endOfObject(said, at);
    const object = end === undefined ? "" : said.slice(at, end);
    if (isObject(parsed(object))) found.push(object);
    // What does not parse as one may still hold others.
    at = said.indexOf("{", isObject(parsed(object)) ? end : at + 1);
    if (found.length > 1) return undefined;
  }
  return found[0];
}

/** Reasoning that a model writes into its answer ends before the answer begins. */
function withoutReasoning(text: string): string {
  const end = /<\/(?:think|thinking|reasoning)>/gi;
  let from = 0;
  for (const match of text.matchAll(end)) from = match.index + match[0].length;
  return text.slice(from);
}

/** Where the braces that open at `start` close, strings left alone. */
function endOfObject(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at += 1) {
    const sign = text[at];
    if (inString) {
      if (sign === "\\") at += 1;
      else if (sign === '"') inString = false;
    } else if (sign === '"') inString = true;
    else if (sign === "{") depth += 1;
    else if (sign === "}") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
