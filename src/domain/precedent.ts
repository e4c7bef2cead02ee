import type { Incident } from "./incident.ts";
import { inert, inertCode } from "./inert.ts";
import { type Outcome, type PostMortem, type ReadPostMortem, type Remedy, sealOf } from "./post-mortem.ts";
import type { Runbook } from "./runbook.ts";
import { workloadKey } from "./workload.ts";

/** One past incident as the memory holds it. Everything in it was once text in Git: data, never an order. */
export interface Remembered {
  readonly uid: string;
  readonly namespace: string;
  readonly workload: string;
  readonly alert: string;
  readonly cause: string | null;
  readonly remedy: Remedy;
  readonly outcome: "verified" | "failed";
  readonly because: string;
  readonly startedAt: string;
  readonly pullRequest: string | null;
  /** What its vector is made from. */
  readonly text: string;
}

/** A past incident with its similarity to this one, -1 to 1. */
export interface Neighbour {
  readonly remembered: Remembered;
  readonly similarity: number;
}

/** What we already know. It is shown and it is evidence; target, bounds and risk never depend on it. */
export interface Precedents {
  readonly runbook: Runbook | undefined;
  /** Remedies that were verified to work, nearest first. */
  readonly advice: readonly Neighbour[];
  /** Remedies that were tried and did not help, nearest first. */
  readonly warnings: readonly Neighbour[];
}

/** Groups of namespaces that may learn from each other; a namespace in no group learns only from itself. */
export type SharingGroups = readonly (readonly string[])[];

/** True for a record that carries our seal, or for any readable one where there is no key to seal with. */
export function isOurs(record: ReadPostMortem, key: string | undefined): boolean {
  return record.kind === "post-mortem" && (key === undefined || record.seal === sealOf(record.postMortem, key));
}

/**
 * Of our records those that count: a verified or failed remedy, not withdrawn, and of several files with one uid the
 * latest. A copied file therefore adds nothing. Newest incident first.
 */
export function rememberedOf(records: readonly PostMortem[]): readonly Remembered[] {
  const latest = new Map<string, PostMortem>();
  for (const postMortem of records) {
    const known = latest.get(postMortem.uid);
    if (known === undefined || laterThan(postMortem, known)) latest.set(postMortem.uid, postMortem);
  }
  return [...latest.values()]
    .sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt) || (a.uid < b.uid ? -1 : 1))
    .flatMap((postMortem) => {
      const remembered = remember(postMortem);
      return remembered === undefined ? [] : [remembered];
    });
}

// A withdrawal is final: no older or newer copy brings the record back.
function laterThan(one: PostMortem, other: PostMortem): boolean {
  if ((one.withdrawn === null) !== (other.withdrawn === null)) return one.withdrawn !== null;
  return Date.parse(one.writtenAt) > Date.parse(other.writtenAt);
}

function remember(postMortem: PostMortem): Remembered | undefined {
  const { remedy, outcome, withdrawn, workload, uid, alert, cause, because, startedAt, pullRequest } = postMortem;
  if (remedy === null || withdrawn !== null || !counts(outcome)) return undefined;
  return {
    uid,
    namespace: workload.namespace,
    workload: workloadKey(workload),
    alert,
    cause,
    remedy,
    outcome,
    because,
    startedAt,
    pullRequest,
    text: textOf(postMortem),
  };
}

function counts(outcome: Outcome): outcome is Remembered["outcome"] {
  return outcome === "verified" || outcome === "failed";
}

/** What the vector of a record is made from: the signs of the incident, not its remedy or outcome. */
export function textOf(postMortem: Pick<PostMortem, "alert" | "workload" | "severity" | "cause" | "evidence">): string {
  const { alert, workload, severity, cause, evidence } = postMortem;
  const signs = evidence.map(({ title, finding }) => `${title}: ${finding}`);
  return [`${alert} ${severity}`, `${workload.kind} ${workload.name}`, cause ?? "", ...signs].join("\n");
}

/** The namespaces whose past an incident in `namespace` may see. */
export function visibleFrom(namespace: string, groups: SharingGroups): readonly string[] {
  const shared = groups.filter((group) => group.includes(namespace)).flat();
  return [...new Set([namespace, ...shared])];
}

/** Sorts what the search found into advice and warnings. What the search should not have given is dropped here too. */
export function precedentsOf(
  incident: Pick<Incident, "uid" | "workload">,
  found: { readonly runbook: Runbook | undefined; readonly neighbours: readonly Neighbour[] },
  limits: { readonly groups: SharingGroups; readonly leastSimilarity: number; readonly most: number },
): Precedents {
  const visible = new Set(visibleFrom(incident.workload.namespace, limits.groups));
  const near = found.neighbours
    .filter(({ remembered, similarity }) => {
      return (
        similarity >= limits.leastSimilarity && visible.has(remembered.namespace) && remembered.uid !== incident.uid
      );
    })
    .toSorted((a, b) => b.similarity - a.similarity);
  const of = (outcome: Remembered["outcome"]) =>
    near.filter(({ remembered }) => remembered.outcome === outcome).slice(0, limits.most);
  return { runbook: found.runbook, advice: of("verified"), warnings: of("failed") };
}

/** Below 0.6 the lexical embedding finds only the words that all post-mortems share (measured 0.36 to 0.53). */
export const precedentLimits = { leastSimilarity: 0.6, most: 3 };

/** One line a precedent, for people and as data for the model: what was tried, and what came of it. Text is inert. */
export function renderPrecedents({ runbook, advice, warnings }: Precedents): readonly string[] {
  return [
    ...(runbook === undefined ? [] : [`Runbook ${inertCode(runbook.path)}`]),
    ...advice.map((neighbour) => `Worked: ${lineOf(neighbour)}`),
    ...warnings.map((neighbour) => `Did not help: ${lineOf(neighbour)}`),
  ];
}

function lineOf({ remembered, similarity }: Neighbour): string {
  const { alert, workload, remedy, because, startedAt, cause } = remembered;
  const what = `${inert(remedy.sentence, 200)} for ${inertCode(alert, 100)} on ${inertCode(workload, 200)}`;
  const why = cause === null ? "" : `; cause: ${inert(cause, 300)}`;
  return `${what}, ${inert(startedAt.slice(0, 10))}${why}; ${inert(because, 300)} (${(similarity * 100).toFixed(0)} % alike)`;
}
