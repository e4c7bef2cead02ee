import type { Guardrails } from "../guardrails/guardrails.ts";
import type { Workload } from "../kubernetes/workload.ts";

/** Names a repository may have rules about: the branch, the title, the subject of the commit. */
export type WordingRules = Pick<Guardrails, "branchPrefix" | "titleTemplate">;

/** The cluster that needs no mention: the name of those who never gave theirs one. */
export const unnamedCluster = "default";

/** The one branch of a workload in a cluster: there is never a second proposal for it. */
export function branchOf(
  workload: Workload,
  cluster: string,
  { branchPrefix }: Pick<WordingRules, "branchPrefix">,
): string {
  const place = cluster === unnamedCluster ? "" : `${refPart(cluster)}/`;
  return `${branchPrefix}${place}${refPart(`${workload.namespace}-${workload.name}`)}`;
}

/** What git takes as one part of a ref: https://git-scm.com/docs/git-check-ref-format */
function refPart(name: string): string {
  const plain = name
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/\.{2,}/g, ".")
    .replace(/^\.|\.$/g, "");
  return plain.replace(/\.lock$/, "-lock");
}

/**
 * A title as the repository writes its own: by the template of the guardrails, or as a conventional commit where most
 * of the newest subjects are.
 */
export function titleAs(
  title: string,
  { titleTemplate }: Pick<WordingRules, "titleTemplate">,
  subjects: readonly string[],
): string {
  if (titleTemplate !== undefined) return titleTemplate.replaceAll("{title}", () => title);
  return isConventional(subjects) ? `fix: ${lowerFirst(title)}` : title;
}

// https://www.conventionalcommits.org/en/v1.0.0/, with the types of its best known convention.
const conventional = /^(?:build|chore|ci|docs|feat|fix|perf|refactor|revert|style|test)(?:\([^()]+\))?!?: \S/;
const fewestSubjects = 5;

function isConventional(subjects: readonly string[]): boolean {
  const own = subjects.filter((subject) => !/^(?:Merge|Revert) /.test(subject));
  const fitting = own.filter((subject) => conventional.test(subject)).length;
  return own.length >= fewestSubjects && fitting * 3 >= own.length * 2;
}

/** "Scale" becomes "scale"; "HPA" stays. */
function lowerFirst(text: string): string {
  return /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
