import type { Forge } from "../../src/lab/forge/forge.ts";
import { mostWritesInTwoMinutes, writesAmong } from "../../src/lab/forge/server.ts";
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

export type Seen = Pick<Forge, "pulls" | "comments" | "issues" | "checks" | "calls" | "gitCalls" | "cloneUrl">;

/**
 * What the database and the code host show of the invariants after a fault; empty = they hold. `secrets` are words that
 * nobody outside may read. Z9 (memory and pauses) shows in no end state, nor does what of Z8 (the pace of calls) is said
 * of an hour and of the waits that GitHub asks for: tests and benches of their own hold them.
 */
export function ledgerBreaches(rows: LedgerRows, forge: Seen, secrets: readonly string[] = []): readonly string[] {
  return [
    ...[...nothingLost(rows), ...nothingTwice(forge), ...nothingUnaudited(rows, forge), ...nothingSilent(rows)],
    ...[...nothingElsewhere(forge), ...nothingTold(rows, forge, secrets), ...nothingBelowItsFloor(rows, forge)],
    ...nothingHurried(forge),
  ];
}

/** All that may be written below the repository's own address. */
const written = [
  /^POST git\/(?:trees|commits|refs)$/,
  /^(?:PATCH|DELETE) git\/refs\/heads\/rectify\/[^.][\w./-]*$/,
  /^(?:POST pulls|PATCH pulls\/\d+|PUT pulls\/\d+\/merge|POST pulls\/\d+\/requested_reviewers)$/,
  /^(?:POST issues|PATCH issues\/\d+|POST issues\/\d+\/(?:comments|labels|assignees)|DELETE issues\/\d+\/labels\/[^/]+)$/,
  /^(?:PATCH issues\/comments\/\d+|POST issues\/comments\/\d+\/reactions)$/,
  /^(?:POST check-runs|PATCH check-runs\/\d+)$/,
];

function nothingElsewhere(forge: Seen): string[] {
  const repository = `/repos${new URL(forge.cloneUrl).pathname.replace(/\.git$/, "")}/`;
  const calls = writesOf(forge).filter(({ method, path }) => {
    const place = path.startsWith(repository) ? `${method} ${decodeURIComponent(path.slice(repository.length))}` : "";
    return !written.some((form) => form.test(place));
  });
  const pushes = forge.gitCalls.filter(({ path }) => path.includes("git-receive-pack"));
  const branches = ownPulls(forge).filter(({ head }) => !head.ref.startsWith("rectify/"));
  return [
    ...[...calls, ...pushes].map(({ method, path }) => `Z4: ${method} ${path} is nothing that may be written`),
    ...branches.map(({ head }) => `Z4: ${head.ref} is no branch of ours`),
  ];
}

function nothingTold({ audit }: LedgerRows, forge: Seen, secrets: readonly string[]): string[] {
  const ours = (number: number) => forge.comments(number).filter(({ user }) => user?.type === "Bot");
  const texts = [
    ...ownPulls(forge).flatMap(({ title, body, head }) => [title, body, JSON.stringify(forge.checks(head.sha))]),
    ...[...forge.pulls(), ...forge.issues()].flatMap(({ number }) => ours(number).map(({ body }) => body)),
    ...forge.issues().flatMap(({ user, title, body }) => (user?.type === "Bot" ? [title, body] : [])),
    JSON.stringify(audit),
  ];
  const told = secrets.filter((secret) => texts.some((text) => text?.includes(secret)));
  return told.map((secret) => `Z5: a secret (${secret.slice(0, 3)}…) can be read`);
}

const ownPulls = (forge: Pick<Seen, "pulls">) => forge.pulls().filter(({ user }) => user?.type === "Bot");

const writesOf = ({ calls }: Pick<Seen, "calls">) => writesAmong(calls);

function nothingHurried({ calls }: Seen): string[] {
  // What runs here does not space its writes: a burst is spread over two minutes.
  const most = mostWritesInTwoMinutes(calls);
  return most > 160 ? [`Z8: ${most} writes to GitHub within two minutes`] : [];
}

function nothingLost({ waiting, unfinished }: LedgerRows): string[] {
  return [
    ...(waiting > 0 ? [`Z1: ${waiting} deliveries have no outcome`] : []),
    ...unfinished.map((workflow) => `Z1: ${workflow} has no ending`),
  ];
}

function nothingTwice(forge: Seen): string[] {
  const pulls = ownPulls(forge).map((pull) => ({ ...pull, ...named(pull.body ?? "") }));
  const open = pulls.filter(({ state }) => state === "open").map(({ incident }) => incident);
  const effects = pulls.map(({ incident, effect }) => `${incident} ${effect}`);
  const sticky = pulls.filter(({ number }) => {
    const ours = forge.comments(number).filter(({ user }) => user?.type === "Bot");
    return ours.filter(({ body }) => body?.startsWith(stickyMarker)).length > 1;
  });
  return [
    ...repeats(open).map((incident) => `Z2: ${incident} has two open pull requests`),
    ...repeats(effects).map((effect) => `Z2: two pull requests for ${effect}`),
    ...sticky.map(({ number }) => `Z2: two sticky comments on #${number}`),
  ];
}

function nothingUnaudited({ audit }: LedgerRows, forge: Seen): string[] {
  const writes = writesOf(forge);
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

/** The levels of risk, as the bodies of pull requests write them, in ascending order. */
const levels = ["Low", "Medium", "High"];

/**
 * Read from the pull requests alone, by the words of their titles: the code that judges the risk is not asked. What was
 * merged by nobody's word was of low risk.
 */
function nothingBelowItsFloor({ audit }: LedgerRows, forge: Seen): string[] {
  const alone = new Set(
    audit.flatMap(({ action, detail: { pull, approvedBy } }) =>
      action === "merge" && Array.isArray(approvedBy) && approvedBy.length === 0 ? [pull] : [],
    ),
  );
  return ownPulls(forge).flatMap(({ number, title, body }) => {
    const said = /\*\*Risk:\*\* (Low|Medium|High):/.exec(body ?? "")?.[1];
    if (said === undefined) return [];
    const floor = floorOf(title);
    return [
      ...(levels.indexOf(said) < levels.indexOf(floor) ? [`Z7: #${number} says ${said}, "${title}" is ${floor}`] : []),
      ...(alone.has(number) && said !== "Low" ? [`Z7: #${number} merged itself at ${said} risk`] : []),
    ];
  });
}

/** More than twice as much, less than before, or something else than a number: never low. More than three times: high. */
function floorOf(title: string): string {
  if (!/^(?:Revert #\d+: )?(?:scale|set back|change) /i.test(title)) return "Medium";
  const [, from, unit, to, sameUnit] = / from (\d+)(\S*) to (\d+)(\S*)/.exec(title) ?? [];
  // Units apart are left to the tests of the judge.
  if (unit !== sameUnit) return "Low";
  const growth = Number(to) / Number(from);
  if (growth > 3) return "High";
  return growth > 2 || growth < 1 ? "Medium" : "Low";
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
