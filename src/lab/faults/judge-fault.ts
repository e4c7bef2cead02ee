import type { FaultFile } from "./fault-file.ts";
import type { FaultRun } from "./quick.ts";

/** How one run compares with what the file expects. */
export interface Judged {
  readonly remedy: string;
  readonly right: boolean;
  /** A change was proposed that the file does not expect: worse than none. */
  readonly wrongRemedy: boolean;
  readonly missed: boolean;
  readonly causeRight: boolean | undefined;
  readonly healed: boolean;
  readonly differs: readonly string[];
}

/** Compares the run with the expectation: remedy, commit, files, ending, cause and whether it healed. */
export function judgeFault({ expect }: Pick<FaultFile, "expect">, ran: FaultRun): Judged {
  const remedy = remedyOf(ran);
  const isChange = !["refused", "none"].includes(remedy);
  const named = expect.remedy.some((one) => one === remedy);
  const commit = expect.commit ?? ran.commits.length - 1;
  const wrongCommit = isChange && expect.commit !== undefined && isOther(ran, ran.commits[commit]);
  const wrongFiles = isChange && expect.files !== undefined && !sameFiles(expect.files, ran.files);
  const shouldHeal = expect.healed ?? isChange;
  const ending = ran.outcome?.ending;
  const differs = [
    ...(named ? [] : [`remedy ${remedy}, not ${expect.remedy.join(" or ")}`]),
    ...(wrongCommit ? ["the wrong commit is reverted"] : []),
    ...(wrongFiles ? [`files ${ran.files.join(", ")}`] : []),
    ...endingProblems(expect.ending, ending),
    ...(shouldHeal && !ran.healed ? ["it did not heal"] : []),
  ];
  const causeRight = expect.cause === undefined ? undefined : expect.cause.includes(ran.cause ?? "");
  return {
    ...{ remedy, right: differs.length === 0, healed: ran.healed, causeRight },
    wrongRemedy: isChange && (!named || wrongCommit || wrongFiles),
    missed: !isChange && expect.remedy.every((one) => !["refused", "none"].includes(one)),
    differs: [...differs, ...(causeRight === false ? [`cause ${String(ran.cause)} is not expected`] : [])],
  };
}

/** What came of it: the remedy that was proposed, that one was found and may not be done, or that there is none. */
function remedyOf({ outcome, files }: FaultRun): string {
  if (files.length > 0) return outcome?.remediation?.kind ?? "none";
  return outcome?.ending === "refused" ? "refused" : "none";
}

function sameFiles(left: readonly string[], right: readonly string[]): boolean {
  return [...left].sort().join("\n") === [...right].sort().join("\n");
}

function isOther({ outcome }: FaultRun, sha: string | undefined): boolean {
  const change = outcome?.remediation?.change;
  return change?.kind === "commit" && change.sha !== sha;
}

function endingProblems(wanted: readonly string[] | undefined, ending: string | undefined): string[] {
  if (wanted === undefined || ending === undefined || wanted.includes(ending)) return [];
  return [`ending ${ending}, not ${wanted.join(" or ")}`];
}
