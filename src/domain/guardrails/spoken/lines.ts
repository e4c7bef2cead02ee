import { beginsQuotedMail, isDivider, opensHeaderBlock } from "./mail-reply.ts";

/**
 * The lines that GitHub certainly shows as the writer's own plain text: outside quotes, lists, tables, headings,
 * fences, indented and inline code, HTML, and what a mail program appended. Where Markdown or mail is ambiguous a line
 * is not one of them: a command that is missed is written again, one that nobody meant cannot be reverted.
 */
export function spokenLines(body: string): string[] {
  const spoken: string[] = [];
  let within: Within = freshText;
  for (const line of [...body.split(/\r\n|\n|\r/), ""]) {
    const next = following(within, line);
    if (within.kind === "text" && !continues(within, next)) spoken.push(...ownLines(within, line));
    within = next;
    if (within.kind === "dead") break;
  }
  return spoken;
}

interface Line {
  readonly text: string;
  readonly doubtful: boolean;
}

/** A paragraph so far. `doubtful` until it ends: a quote, list or table goes on, or code, a tag or a link may span lines. */
interface Text {
  readonly kind: "text";
  readonly doubtful: boolean;
  readonly lines: readonly Line[];
  /** The paragraph ended in a colon: what follows, also after blank lines, is shown and not said. */
  readonly shows: boolean;
}

type Within =
  | Text
  | { readonly kind: "fence"; readonly marker: string }
  | { readonly kind: "comment" }
  /** Raw HTML, a fence inside another block, an older mail: how it is read on is not worth guessing. */
  | { readonly kind: "dead" };

const freshText: Text = { kind: "text", doubtful: false, lines: [], shows: false };
const dead: Within = { kind: "dead" };

function continues(text: Text, next: Within): boolean {
  return next.kind === "text" && next.lines.length > text.lines.length;
}

/** What counts of a paragraph that ends at `end`: nothing above a line that makes a heading or a table of it. */
function ownLines({ lines }: Text, end: string): string[] {
  if (underlines(end)) return [];
  const first = lines.findLastIndex(({ text }) => underlines(text)) + 1;
  return lines
    .filter((_, at) => at >= first && !isMidSentence(lines[at - 1]?.text, lines[at + 1]?.text))
    .filter(({ doubtful }) => !doubtful)
    .map(({ text }) => withoutComments(text));
}

function underlines(line: string): boolean {
  return /^[\s|:=-]*[=|:-][\s|:=-]*$/.test(line);
}

// Mail programs wrap what is written at some 65 to 78 signs.
const wrappedAt = 50;

/** A line between two others that only wrapping put on a line of its own. */
function isMidSentence(before: string | undefined, after: string | undefined): boolean {
  if (before === undefined || after === undefined || before.startsWith("/") || after.startsWith("/")) return false;
  if (/(?:[.!?…。！？)\]"”’]|\p{Extended_Pictographic}.{0,2})\s*$/u.test(before)) return false;
  return before.length >= wrappedAt || /^\p{Ll}/u.test(after);
}

/** A tracker's hidden marks behind a command are no part of it. */
function withoutComments(line: string): string {
  return line.replace(wholeComments, "");
}

const wholeComments = /[ \t]*(?:<!--(?!-?>)(?:(?!-->).)*-->[ \t]*)+$/;

function following(within: Within, line: string): Within {
  switch (within.kind) {
    case "dead":
      return within;
    case "comment":
      return line.includes("-->") ? freshText : within;
    case "fence":
      return closes(within.marker, line) ? freshText : within;
    case "text":
      return afterText(within, line);
  }
}

function afterText(within: Text, written: string): Within {
  if (/^[ \t]*$/.test(written)) return within.lines.length === 0 ? within : afterParagraph(within);
  const fence = /^(`{3,}|~{3,})(.*)$/.exec(written);
  if (fence?.[1]) {
    const opens = fence[1].startsWith("~") || !fence[2]?.includes("`");
    return opens ? { kind: "fence", marker: fence[1] } : dead;
  }
  if (/^[\s>*+\-\d.)]*(`{3,}|~{3,})/.test(written) || written.startsWith("$$") || isDivider(written)) return dead;
  const line = written.startsWith("/") ? withoutComments(written) : written;
  return afterHtml(line) ?? afterWords(within, written, line);
}

function afterHtml(line: string): Within | undefined {
  // CommonMark ends `<!-->` at once, others read on: not worth guessing.
  if (/^<!--?-?>/.test(line)) return dead;
  if (line.startsWith("<!--")) return line.includes("-->", 4) ? freshText : { kind: "comment" };
  return /^[\s>*+\-\d.)]*<[A-Za-z/!?]/.test(line) || line.includes("<!--") ? dead : undefined;
}

function afterWords(within: Text, written: string, line: string): Within {
  const lines = [...within.lines, { text: written, doubtful: within.doubtful || within.shows }];
  if (beginsQuotedMail(lines.map(({ text }) => text)) || opensHeaderBlock(line)) return dead;
  const doubtful = within.doubtful || beginsOtherBlock.test(line) || /[`<[|$~]/.test(line) || endsInColon(line);
  return { kind: "text", doubtful, lines, shows: within.shows };
}

/** Quotes as Markdown and mail programs mark them, list items, rows of tables. */
const beginsOtherBlock = /^\s*(?:[\p{L}\d]{0,8}>|&gt;|[»›:]|[*+-]\s|\d+[.)]\s)/u;

function endsInColon(line: string): boolean {
  return /[:：﹕︰]["'”*_\p{Cf}\s]*$/u.test(line);
}

function afterParagraph({ lines }: Text): Text {
  return { ...freshText, shows: endsInColon(lines.at(-1)?.text ?? "") };
}

/** CommonMark §4.5: the same sign, at least as long, nothing behind it. */
function closes(marker: string, line: string): boolean {
  const end = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
  return end !== undefined && end[0] === marker[0] && end.length >= marker.length;
}
