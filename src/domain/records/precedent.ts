import type { Incident } from "../incident/incident.ts";
import { inert, inertCode } from "../text/inert.ts";
import { masked } from "../text/masking.ts";
import type { Guardrails } from "../guardrails/guardrails.ts";
import {
  type Outcome,
  type PostMortem,
  type ReadPostMortem,
  type AppliedRemedy,
  sealOf,
  type Withdrawal,
} from "./post-mortem.ts";
import { workloadKey } from "../kubernetes/workload.ts";

/** One past incident as the memory holds it. Everything in it was once text in Git: data, never an order. */
export interface Remembered {
  readonly uid: string;
  readonly namespace: string;
  readonly workload: string;
  readonly alert: string;
  readonly cause: string | null;
  readonly remedy: AppliedRemedy;
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

/** Past incidents by likeness: a cache, made from the post-mortems of the default branch, which are the truth. */
export interface Memory {
  state(): MemoryState;
  /** The `k` nearest of these namespaces, without these incidents, nearest first. Nothing while it is off; no error. */
  nearest(
    text: string,
    k: number,
    among: { readonly namespaces: readonly string[]; readonly except: readonly string[] },
  ): Promise<readonly Neighbour[]>;
}

export type MemoryState =
  | {
      readonly kind: "ready";
      readonly entries: number;
      /** What answers: the index, or a comparison with every entry. */
      readonly engine: "faiss" | "scan";
      /** What it was made from. */
      readonly revision: string;
    }
  /** Searches find nothing until it is made anew. */
  | { readonly kind: "off"; readonly because: string };

/** What people took out of the memory, on our own record: it counts at once, whether Git says so already or not. */
export interface WithdrawalRecord {
  /** For good; the first word stands. Calling it twice is safe. */
  withdraw(incident: string, withdrawal: Withdrawal): Promise<void>;
  withdrawals(): Promise<readonly (Withdrawal & { readonly incident: string })[]>;
}

/** Incidents that are only alike. They are shown, and told to the model; target, bounds and risk never depend on them. */
export interface Precedents {
  /** Remedies that were verified to work, nearest first. */
  readonly advice: readonly Neighbour[];
  /** Remedies that were tried and did not help, nearest first. */
  readonly warnings: readonly Neighbour[];
}

/** True for a record that carries our seal, or for any readable one where there is no key to seal with. */
export function isOurs(record: ReadPostMortem, key: string | undefined): boolean {
  return record.kind === "post-mortem" && (key === undefined || record.seal === sealOf(record.postMortem, key));
}

/** Of several files with one uid the latest: a copied file adds nothing. Newest incident first. */
export function latestOf(records: readonly PostMortem[]): readonly PostMortem[] {
  const latest = new Map<string, PostMortem>();
  for (const postMortem of records) {
    const known = latest.get(postMortem.uid);
    if (known === undefined || laterThan(postMortem, known)) latest.set(postMortem.uid, postMortem);
  }
  return [...latest.values()].sort(
    (a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt) || (a.uid < b.uid ? -1 : 1),
  );
}

/** The records that count: a verified or failed remedy, and not withdrawn. Newest incident first. */
export function rememberedOf(records: readonly PostMortem[]): readonly Remembered[] {
  return latestOf(records).flatMap((postMortem) => remember(postMortem) ?? []);
}

/** A record as the memory holds it; undefined when it does not count. */
function remember(postMortem: PostMortem): Remembered | undefined {
  const { remedy, outcome, withdrawn, workload, uid, alert, cause, because, startedAt, pullRequest } = postMortem;
  if (remedy === null || withdrawn !== null || !counts(outcome)) return undefined;
  return {
    ...{ uid, alert, cause, remedy, outcome, because, startedAt, pullRequest },
    ...{ namespace: workload.namespace, workload: workloadKey(workload) },
    text: textOf(postMortem),
  };
}

// A withdrawal is final: no older or newer copy brings the record back.
function laterThan(one: PostMortem, other: PostMortem): boolean {
  if ((one.withdrawn === null) !== (other.withdrawn === null)) return one.withdrawn !== null;
  return Date.parse(one.writtenAt) > Date.parse(other.writtenAt);
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
export function visibleFrom(
  namespace: string,
  { memoryIsolation, namespaces }: Pick<Guardrails, "memoryIsolation" | "namespaces">,
): readonly string[] {
  return memoryIsolation ? [namespace] : [...new Set([namespace, ...namespaces])];
}

/** Sorts what the search found into advice and warnings. What the search should not have given is dropped here too. */
export function precedentsOf(
  incident: Pick<Incident, "uid">,
  neighbours: readonly Neighbour[],
  limits: {
    readonly visible: readonly string[];
    readonly except: readonly string[];
    readonly leastSimilarity: number;
    readonly most: number;
  },
): Precedents {
  const hidden = new Set([incident.uid, ...limits.except]);
  const near = neighbours
    .filter(({ remembered, similarity }) => {
      const { namespace, uid } = remembered;
      return similarity >= limits.leastSimilarity && limits.visible.includes(namespace) && !hidden.has(uid);
    })
    .toSorted((a, b) => b.similarity - a.similarity);
  const of = (outcome: Remembered["outcome"]) =>
    nearestOfEachFamily(near.filter(({ remembered }) => remembered.outcome === outcome)).slice(0, limits.most);
  return { advice: of("verified"), warnings: of("failed") };
}

/** The nearest of each alert on each workload: one that comes every night says no more for coming thrice. */
function nearestOfEachFamily(near: readonly Neighbour[]): readonly Neighbour[] {
  const families = new Set<string>();
  return near.filter(({ remembered: { alert, workload } }) => {
    const family = JSON.stringify([alert, workload]);
    return !families.has(family) && families.add(family);
  });
}

/** Below 0.6 the lexical embedding finds only the words that all post-mortems share (measured 0.36 to 0.53). */
export const precedentLimits = { leastSimilarity: 0.6, most: 3 };

/**
 * One line a precedent, for people and as data for the model: what was tried, and what came of it. `same` are incidents
 * of this alert on this workload, newest first. Text is inert.
 */
export function renderPrecedents(same: readonly Remembered[], { advice, warnings }: Precedents): readonly string[] {
  const alike = ({ remembered, similarity }: Neighbour) =>
    lineOf(remembered, `alike, ${(similarity * 100).toFixed(0)} %`);
  return [
    ...same.slice(0, precedentLimits.most).map((remembered) => lineOf(remembered, "this alert on this workload")),
    ...advice.map(alike),
    ...warnings.map(alike),
  ];
}

const outcomeWords = { verified: "Worked", failed: "Did not help" } as const;

function lineOf({ alert, workload, remedy, because, startedAt, cause, outcome }: Remembered, likeness: string): string {
  const what = `${said(remedy.sentence, 200)} for ${inertCode(clean(alert), 100)} on ${inertCode(clean(workload), 200)}`;
  const why = cause === null ? "" : `; cause: ${said(cause, 300)}`;
  const when = inert(startedAt.slice(0, 10));
  return `${outcomeWords[outcome]} (${likeness}): ${what}, ${when}${why}; ${said(because, 300)}`;
}

// Secrets are looked for in the text as it was written: what is made inert does not look like one any more.
function clean(text: string): string {
  return masked(text).text;
}

function said(text: string, most: number): string {
  return inert(clean(text), most);
}
