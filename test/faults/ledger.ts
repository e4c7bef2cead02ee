import type { Forge } from "../../src/lab/forge/forge.ts";
import { stickyMarker } from "../../src/domain/proposal/pull-request.ts";

/** What the ledger reads of the database. */
export interface LedgerRows {
  /** Deliveries that were acknowledged and have no outcome. */
  readonly waiting: number;
  /** Workflows of incidents without an ending. */
  readonly unfinished: readonly string[];
  readonly parked: readonly string[];
  /** Lines of the dashboard that ask for a person. */
  readonly problems: readonly string[];
  readonly audit: readonly { readonly action: string; readonly detail: Readonly<Record<string, unknown>> }[];
}

type Seen = Pick<Forge, "pulls" | "comments" | "calls">;

/**
 * What the database and the code host show of the invariants after a fault; empty = they hold. Z4, Z5, Z7 and Z9 are
 * about texts, paths and time: tests of their own hold them.
 */
export function ledgerBreaches(rows: LedgerRows, forge: Seen): readonly string[] {
  return [...nothingLost(rows), ...nothingTwice(forge), ...nothingUnaudited(rows, forge), ...nothingSilent(rows)];
}

function nothingLost({ waiting, unfinished }: LedgerRows): string[] {
  return [
    ...(waiting > 0 ? [`Z1: ${waiting} deliveries have no outcome`] : []),
    ...unfinished.map((workflow) => `Z1: ${workflow} has no ending`),
  ];
}

function nothingTwice(forge: Seen): string[] {
  const pulls = forge.pulls().map((pull) => ({ ...pull, ...named(pull.body ?? "") }));
  const open = pulls.filter(({ state }) => state === "open").map(({ incident }) => incident);
  const effects = pulls.map(({ incident, effect }) => `${incident} ${effect}`);
  const sticky = pulls.filter(({ number }) => {
    const ours = forge.comments(number).filter(({ body }) => body?.startsWith(stickyMarker));
    return ours.length > 1;
  });
  return [
    ...repeats(open).map((incident) => `Z2: ${incident} has two open pull requests`),
    ...repeats(effects).map((effect) => `Z2: two pull requests for ${effect}`),
    ...sticky.map(({ number }) => `Z2: two sticky comments on #${number}`),
  ];
}

function nothingUnaudited({ audit }: LedgerRows, forge: Seen): string[] {
  const writes = forge.calls.filter(({ method, path }) => {
    return method !== "GET" && !path.endsWith("/access_tokens") && !path.endsWith("/graphql");
  });
  const recorded = audit.filter(({ action }) => !action.startsWith("command "));
  const missing = writes.length - recorded.length;
  const merges = audit.filter(({ action }) => action === "merge");
  const foreign = forge.pulls().filter((pull) => {
    const gated = merges.filter(({ detail }) => detail.pull === pull.number).map(({ detail }) => detail.sha);
    return pull.merged && gated.length > 0 && !gated.includes(pull.head.sha);
  });
  return [
    ...(missing > 0 ? [`Z3: ${missing} writes to GitHub have no row`] : []),
    ...foreign.map(({ number }) => `Z6: #${number} was merged at another commit than the one that was gated`),
  ];
}

function nothingSilent({ parked, problems }: LedgerRows): string[] {
  return parked
    .filter((uid) => !problems.some((line) => line.includes(uid)))
    .map((uid) => `Z10: ${uid} is parked silently`);
}

function named(body: string): { readonly incident: string; readonly effect: string } {
  const word = (label: string) => new RegExp(`${label}: \`([^\`]+)\``).exec(body)?.[1] ?? "";
  return { incident: word("Incident-UID"), effect: word("Effect") };
}

function repeats(words: readonly string[]): string[] {
  return [...new Set(words.filter((word, index) => word !== "" && words.indexOf(word) !== index))];
}
