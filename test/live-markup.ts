/** What GitHub, git or CI would act on in a text of ours: empty = everything foreign in it is inert. */
export function liveMarkup(markdown: string): string[] {
  return [...inRawText(markdown), ...inRendered(markdown)];
}

/** The same for a title or a commit message, where there is no Markdown. */
export function liveInPlain(text: string): string[] {
  return inRawText(text);
}

/** The same for a Markdown file in a repository, whose raw text nobody acts on. */
export function liveInFile(markdown: string): string[] {
  return inRendered(markdown);
}

const everywhere: readonly (readonly [string, RegExp])[] = [
  [
    "bidirectional or invisible sign",
    /[\u00AD\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF\u{E0000}-\u{E0FFF}]/u,
  ],
  ["control sign", /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/],
  ["CI switch", /\[\s*(?:skip|no|ci|actions)[\s-](?:ci|actions|skip)\s*\]|\*{3}NO_CI\*{3}|skip-checks\s*:/i],
  ["trailer", /^(?:co-authored-by|signed-off-by|reviewed-by|acked-by)\s*:/im],
  [
    "closing keyword",
    /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\s*:?\s+(?:[\w.-]+\/[\w.-]+)?(?:#\d|GH-\d|https?:\/\/)/i,
  ],
  ["mention", /(?:^|[^A-Za-z0-9])@[A-Za-z0-9]/m],
  ["command", /^[ \t>]*\/[A-Za-z]/m],
];

// A squash merge turns the raw body into a commit message, so code does not protect from these.
function inRawText(text: string): string[] {
  return everywhere.filter(([, sign]) => sign.test(text)).map(([name]) => name);
}

const whenRendered: readonly (readonly [string, RegExp])[] = [
  ["mention", /(?:^|[^A-Za-z0-9])@[A-Za-z0-9]/m],
  ["reference", /(?:^|[^A-Za-z0-9])(?:[\w.-]+\/[\w.-]+)?#\d|\bGH-\d/im],
  ["link", /\b(?:https?|ftp):\/\/|\bwww\.[a-z0-9]|\bmailto:|\bxmpp:|[A-Za-z0-9._+-]@[A-Za-z0-9-]+\.[A-Za-z]/i],
  ["emoji", /:[a-z+-][a-z0-9_+-]*:/i],
];
const asWritten: readonly (readonly [string, RegExp])[] = [
  ["HTML", /<[A-Za-z/!?]/],
  ["link or image", /!\[|\]\(|\]\[|^\s*\[[^\]]*\]:/m],
  ["math", /\$/],
];

function inRendered(markdown: string): string[] {
  const prose = withoutFolds(withoutCode(markdown));
  const rendered = decoded(prose);
  return [
    ...asWritten.filter(([, sign]) => sign.test(prose)).map(([name]) => name),
    ...whenRendered.filter(([, sign]) => sign.test(rendered)).map(([name]) => name),
  ];
}

/** Our own folds, each opened with its title and closed: one that is opened or closed otherwise stays and is HTML. */
function withoutFolds(prose: string): string {
  const kept: string[] = [];
  const open: number[] = [];
  for (const line of prose.split("\n")) {
    const title = /^<summary>([^<>]*)<\/summary>$/.exec(line)?.[1];
    if (title !== undefined && kept.at(-1) === "<details>") {
      kept.pop();
      open.push(kept.length);
      kept.push(title);
    } else if (line === "</details>" && open.length > 0) open.pop();
    else kept.push(line);
  }
  return open.length === 0 ? kept.join("\n") : prose;
}

/** Fences and code spans taken out as CommonMark reads them; spans do not cross a blank line or a table cell. */
function withoutCode(markdown: string): string {
  const kept: string[] = [];
  let fence = "";
  for (const line of markdown.split("\n")) {
    const mark = /^ {0,3}(`{3,}|~{3,})([^\n]*)$/.exec(line);
    if (fence !== "") {
      if (mark?.[1]?.startsWith(fence) && mark[2]?.trim() === "") fence = "";
    } else if (mark?.[1] && !(mark[1].startsWith("`") && mark[2]?.includes("`"))) fence = mark[1];
    else kept.push(line);
  }
  return kept
    .map((line) => (line.startsWith("|") ? line.split("|").map(withoutSpans).join("|") : withoutSpans(line)))
    .join("\n");
}

function withoutSpans(text: string): string {
  let rest = text;
  let kept = "";
  for (;;) {
    const open = /(?<![`\\])`+/.exec(rest);
    if (!open) return kept + rest;
    const run = open[0];
    const after = rest.slice(open.index + run.length);
    const close = new RegExp(`(?<!\`)${run}(?!\`)`).exec(after);
    kept += rest.slice(0, open.index) + (close ? " code " : run);
    rest = close ? after.slice(close.index + run.length) : after;
  }
}

function decoded(html: string): string {
  const names: Record<string, string> = {
    commat: "@",
    num: "#",
    amp: "&",
    lt: "<",
    gt: ">",
    colon: ":",
    sol: "/",
    period: ".",
  };
  return html.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi, (all, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal) % 0x110000);
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16) % 0x110000);
    return names[String(name).toLowerCase()] ?? all;
  });
}
