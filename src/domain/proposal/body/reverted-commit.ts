import type { Effect } from "../../kubernetes/manifest-edit.ts";
import type { Remediation } from "../../kubernetes/remediation.ts";
import { renderDuration } from "../../text/duration.ts";
import { inert } from "../../text/inert.ts";
import { code } from "./words.ts";

/**
 * The commit by its own name, which GitHub links both ways, and when it came. All of it is ours: a hash, a number, and
 * inert text.
 */
export function revertedCommit({ change }: Remediation, alertedAt?: string): string[] {
  if (change.kind !== "commit") return [];
  const { sha, pull, author, subject, at, scope } = change;
  const from = pull === undefined ? "" : ` from #${pull}`;
  const title = subject?.replace(/\s*\(#\d+\)\s*$/, "") ?? "";
  const said = title === "" ? "" : ` “${inert(title, 72)}”`;
  const by = author === undefined ? "" : ` by ${code(author)}`;
  const which = {
    workload: "Only its hunks that bear on this workload go.",
    entry: "All its hunks in the files of this entry go.",
    all: "The whole commit goes.",
  }[scope];
  return [
    `Reverts commit ${sha}${said}${from}${by}${before(at, alertedAt)}: the lines come back byte for byte, later lines stay. ${which}`,
  ];
}

function before(at: string | undefined, alertedAt: string | undefined): string {
  const elapsed = Date.parse(alertedAt ?? "") - Date.parse(at ?? "");
  return elapsed >= 0 ? `, ${renderDuration(elapsed)} before the alert` : "";
}

// A commit may change many fields: the incident's page has them all.
const mostRows = 60;

/** What changes in the rendered objects, a row each. */
export function effectTable(effect: Effect): string {
  const more = effect.changes.length > mostRows ? [`| … | ${effect.changes.length - mostRows} more | | |`] : [];
  const rows = effect.changes
    .slice(0, mostRows)
    .map(
      ({ object, field, from, to }) =>
        `| ${code(`${object.kind}/${object.name}`)} | ${code(field.join("."))} | ${code(shown(from))} | ${code(shown(to))} |`,
    );
  return ["| object | field | before | after |", "|---|---|---|---|", ...rows, ...more].join("\n");
}

function shown(value: unknown): string {
  return value === undefined ? "absent" : JSON.stringify(value);
}
