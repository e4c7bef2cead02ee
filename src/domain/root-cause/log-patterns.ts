/** A kind of log line that was not there before, or is suddenly frequent. */
export interface LogPattern {
  readonly kind: "new" | "frequent";
  /** How many lines since it began. */
  readonly lines: number;
  /** Unix seconds of the first of them. */
  readonly first: number;
  /** The words that all its lines share, `<*>` for what differs: text of others. */
  readonly template: string;
}

/** What is looked at: the lines as the log adapter writes them, `<RFC 3339> [<pod>] <text>`, oldest first. */
interface LogWindow {
  readonly lines: readonly string[];
  /** Of the workload: the name of a pod begins with it. */
  readonly name: string;
  /** Unix seconds. */
  readonly began: number;
  readonly to: number;
}

const most = { lines: 5_000, words: 30, wordLength: 40, templates: 200, shown: 5, shownLength: 160 };
/** Lines of one length that share at least this part of their words are of one kind. */
const alike = 0.6;
const wild = "<*>";
/** Fewer new lines are an accident; so many times the rate before is no accident. */
const striking = { new: 3, frequent: 10, factor: 4 };
/** The time before must be at least this part of the time since: of less nobody knows what was usual. */
const leastBefore = 0.5;

/**
 * The kinds of lines that are new or suddenly frequent since the incident began, most lines first. Templates are mined
 * line by line (Drain: He et al., 2017; a tree of depth two by the number of words and the first one); their number,
 * their length and the number of lines are bounded. Empty where the log before is not known.
 */
export function strikingPatterns({ lines, name, began, to }: LogWindow): readonly LogPattern[] {
  const read = lines.slice(-most.lines).flatMap((line) => lineOf(line, name));
  const [oldest] = read;
  const since = to - began;
  const before = oldest === undefined ? 0 : began - oldest.at;
  if (since <= 0 || before < leastBefore * since) return [];
  return templatesOf(read, began)
    .flatMap((template) => strikingOf(template, before, since))
    .sort((a, b) => b.lines - a.lines || a.first - b.first)
    .slice(0, most.shown);
}

interface Line {
  readonly at: number;
  readonly words: readonly string[];
}

interface Template {
  readonly words: string[];
  before: number;
  since: number;
  first: number;
}

function lineOf(line: string, name: string): Line[] {
  const [time = "", ...rest] = line.split(" ");
  const at = Date.parse(time) / 1000;
  const text = rest[0]?.startsWith(`${name}-`) === true ? rest.slice(1) : rest;
  // The quotes and braces of structured logs part words as spaces do.
  const words = text.join(" ").split(/[\s"{}[\](),;=]+/, most.words + 2);
  const known = words.filter((word) => word !== "").map((word) => (isVariable(word) ? wild : word));
  return Number.isNaN(at) || known.length === 0 ? [] : [{ at, words: known.slice(0, most.words) }];
}

/** Numbers, ids, times and addresses hold digits; nothing that is very long is a word. */
function isVariable(word: string): boolean {
  return /\d/.test(word) || word.length > most.wordLength;
}

function templatesOf(lines: readonly Line[], began: number): readonly Template[] {
  const all: Template[] = [];
  const byShape = new Map<string, Template[]>();
  for (const { at, words } of lines) {
    const shape = `${words.length} ${words[0] ?? ""}`;
    const rivals = byShape.get(shape) ?? [];
    byShape.set(shape, rivals);
    const template =
      likestOf(rivals, words) ?? added({ words: [...words], before: 0, since: 0, first: at }, all, rivals);
    if (template === undefined) continue;
    words.forEach((word, place) => {
      if (template.words[place] !== word) template.words[place] = wild;
    });
    if (at >= began && template.since === 0) template.first = at;
    if (at < began) template.before += 1;
    else template.since += 1;
  }
  return all;
}

/** Undefined = there are too many already: the line is left out. */
function added(template: Template, all: Template[], rivals: Template[]): Template | undefined {
  if (all.length >= most.templates) return undefined;
  all.push(template);
  rivals.push(template);
  return template;
}

function likestOf(rivals: readonly Template[], words: readonly string[]): Template | undefined {
  let best: Template | undefined;
  let highest = alike;
  for (const rival of rivals) {
    const same = words.filter((word, place) => rival.words[place] === word).length / words.length;
    if (same < highest || (best !== undefined && same === highest)) continue;
    best = rival;
    highest = same;
  }
  return best;
}

function strikingOf(
  { words, before, since, first }: Template,
  beforeSeconds: number,
  sinceSeconds: number,
): LogPattern[] {
  const isNew = before === 0 && since >= striking.new;
  const usual = (before + 1) / beforeSeconds;
  const isFrequent = since >= striking.frequent && since / sinceSeconds >= striking.factor * usual;
  if (!isNew && !isFrequent) return [];
  const template = words.join(" ");
  const shown = template.length > most.shownLength ? `${template.slice(0, most.shownLength)}…` : template;
  return [{ kind: isNew ? "new" : "frequent", lines: since, first, template: shown }];
}

/** One line of the evidence `log-patterns`. */
export function patternLine(node: string, { kind, lines, first, template }: LogPattern): string {
  return `${node} ${kind} ${lines} since ${new Date(first * 1000).toISOString()}: ${template}`;
}

/** Whose a line of the evidence `log-patterns` is, and whether it is new; the template is not read. */
export function readPatternLine(line: string): { readonly node: string; readonly isNew: boolean } | undefined {
  const found = /^(\S+) (new|frequent) \d+ since /.exec(line);
  return found?.[1] === undefined ? undefined : { node: found[1], isNew: found[2] === "new" };
}
