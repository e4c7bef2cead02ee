import type { Overlooked } from "./overlooked.ts";

/** What a row of the table says about one field. */
interface Row {
  readonly field: string;
  readonly outcome: string;
  /** The place of the edit, or why there is none. */
  readonly text: string;
  /** What helps; shown below. */
  readonly fix?: string;
}

const width = 100;
const widestField = 34;

/** What a survey could not look into. */
interface Passed {
  readonly unrendered: readonly { readonly entry: string; readonly because: string }[];
  readonly overlooked: Overlooked;
}

/** One reason is said once, with all that it is said of. */
export function notLookedInto({ unrendered, overlooked }: Passed): string[] {
  const byReason = new Map<string, string[]>();
  for (const { entry, because } of unrendered) byReason.set(because, [...(byReason.get(because) ?? []), entry]);
  const { charts, perhaps, sets, open } = overlooked;
  const said = (what: string, names: readonly string[], more = ""): string[] =>
    names.length === 0 ? [] : [`not looked into: ${what}: ${names.join(", ")}${more}`];
  const inCluster = "In the cluster, Rectify reads what deploys there; a survey knows only what stands here.";
  return [
    ...[...byReason].map(([because, entries]) => `not looked into: ${entries.join(", ")}: ${because}`),
    ...said("what ApplicationSets make of paths that Argo CD alone fills in", sets),
    ...said("objects whose own path is filled in elsewhere", open),
    ...said("charts that such a path may lead to", perhaps),
    ...said("charts that nothing here is known to deploy", charts, `. ${inCluster}`),
  ];
}

/** Rows below their heading; fields with one and the same answer share it, and nothing is wider than 100 columns. */
export function tableOf(heading: string, rows: readonly Row[]): string[] {
  const lines = wrapped(heading, width - 2, "").map((line, n) => (n === 0 ? line : `  ${line}`));
  const room = Math.min(widestField, Math.max(16, ...rows.map(({ field }) => field.length)));
  for (const { fields, outcome, text, fix } of together(rows)) {
    const left = wrapped(fields.join(", "), room, " ");
    const below = [
      ...wrapped(text, width - room - 13, " "),
      ...(fix ? wrapped(`fix: ${fix}`, width - room - 13, " ") : []),
    ];
    for (let n = 0; n < Math.max(left.length, below.length); n += 1)
      lines.push(
        `  ${(left[n] ?? "").padEnd(room)}  ${(n === 0 ? outcome : "").padEnd(7)}  ${below[n] ?? ""}`.trimEnd(),
      );
  }
  return lines;
}

interface Group extends Row {
  readonly fields: string[];
  text: string;
}

/** What is said of one of the four sizes is said of the others in the same words. */
const withoutField = (text: string): string =>
  text.replace(/\.resources\.(?:requests|limits)\.(?:cpu|memory)\b/g, ".resources");

/** Neighbors that are answered alike; edits each have a line of their own. */
function together(rows: readonly Row[]): Group[] {
  const groups: Group[] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    const text = withoutField(row.text);
    const isAlike = last?.outcome === row.outcome && withoutField(last.text) === text && last.fix === row.fix;
    if (last && isAlike) {
      last.fields.push(shortened(row.field, last.field));
      last.text = text;
    } else groups.push({ ...row, fields: [row.field] });
  }
  return groups;
}

/** `web limits.memory` after `web limits.cpu` is `limits.memory`. */
function shortened(field: string, before: string): string {
  const container = before.includes(" ") ? before.slice(0, before.indexOf(" ") + 1) : undefined;
  return container !== undefined && field.startsWith(container) ? field.slice(container.length) : field;
}

/** Lines of whole words; a word that is too long is parted, so that nothing is wider. */
function wrapped(text: string, most: number, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((one) => parted(one, most - indent.length))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= most) line = longer;
    else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line];
}

function parted(word: string, most: number): string[] {
  const parts: string[] = [];
  for (let start = 0; start < word.length; start += most) parts.push(word.slice(start, start + most));
  return parts.length === 0 ? [""] : parts;
}
