import type { PastRecord } from "../domain/backtest/record.ts";
import type { Watchtower, WatchtowerEvent } from "../domain/guardrails/watchtower.ts";
import type { Alert } from "../domain/incident/alert.ts";
import type { Dependencies } from "../domain/incident/reexamination.ts";
import type { Ending, Incident } from "../domain/incident/incident.ts";
import type { MergedRemedy, RevertedChange } from "../domain/gate/repetition.ts";
import type { Workload } from "../domain/kubernetes/workload.ts";
import type { Candidate, CapLimits, CapUse } from "../domain/proposal/caps.ts";
import type { Dashboard, OpenRequest } from "../domain/proposal/dashboard.ts";
import type { Lease } from "../domain/proposal/lease.ts";
import type { Rollback } from "../domain/proposal/rollback.ts";
import type { WithdrawalRecord } from "../domain/records/precedent.ts";
import type { Reserved } from "../domain/remedy/cost.ts";

/** How an incident ended, and what that hung on where another look may end otherwise. */
export interface EndedIncident {
  readonly ending: Ending;
  readonly because: string;
  readonly outcome: unknown;
  readonly depends?: Dependencies;
}

/** What is written about one incident. */
interface IncidentRecords {
  /** Written before a mutating call leaves. */
  audit(entry: {
    incident: string;
    actor: string;
    action: string;
    detail: Readonly<Record<string, unknown>>;
  }): Promise<void>;
  /** Keeps everything that the diagnosis was made of; the last one of an incident stays: the decision used it. */
  saveCapsule(incident: string, document: string): Promise<void>;
  recordPull(number: number, incident: string): Promise<void>;
  alertsOf(incident: string): Promise<readonly Alert[]>;
  /** The newest proposal of the incident; undefined when it never had one. */
  lastPullOf(incident: string): Promise<number | undefined>;
  endIncident(uid: string, ended: EndedIncident): Promise<void>;
}

/** What happened before, and elsewhere. */
interface PastRecords {
  /** One line for each incident that stands parked since then, and whose workload had no other one since. */
  parkedSince(since: Date): Promise<readonly string[]>;
  /** What shadow mode came to since then, oldest first. */
  shadowVerdicts(since: Date): Promise<readonly PastRecord[]>;
  /** How many proposals other incidents opened for this workload (`namespace/Kind/name`) since then (RFC 3339). */
  changesSince(workload: string, since: string, exceptIncident: string): Promise<number>;
  /** How often this very alert began to fire since then (RFC 3339). */
  firingsSince(fingerprint: string, since: string): Promise<number>;
  /** When changes of ours were merged for this workload (`namespace/Kind/name`) since then, RFC 3339. */
  mergesSince(workload: string, since: string): Promise<readonly string[]>;
  /** The incidents that these workloads (`namespace/Kind/name`) of a cluster have open now. */
  openIncidents(cluster: string, workloads: readonly string[]): Promise<readonly { readonly incident: Incident }[]>;
}

/** Files that the next proposal carries along. */
interface PendingFiles {
  addPendingFile(path: string, content: string, incident: string): Promise<void>;
  /** What the next proposal carries along, the file of this incident first. */
  pendingFiles(first?: string): Promise<readonly { path: string; content: string }[]>;
  /** Drops what is in Git now, word for word: what was changed meanwhile stays. */
  dropPendingFiles(landed: readonly { path: string; content: string }[]): Promise<void>;
}

/** What must outlive one workflow: our own records. */
export interface Records extends IncidentRecords, PastRecords, PendingFiles, WithdrawalRecord {}

/** Who may open a proposal now, under the caps of the guardrails. Asking and leaving twice is safe. */
export interface ProposalQueue {
  ask(
    candidate: Candidate,
    limits: CapLimits,
    now: Date,
  ): Promise<{ readonly kind: "open" } | { readonly kind: "listed"; readonly because: string }>;
  /** What is open, what waits with the reason, and whose turn it is now. */
  overview(
    limits: CapLimits,
    now: Date,
  ): Promise<Pick<Dashboard, "open" | "listed"> & { readonly ready: readonly Candidate[]; readonly used: CapUse }>;
  /** The proposal of this incident is merged, closed, or will never be. */
  leave(incident: string): Promise<void>;
  /** Puts on record that people ask to open waiting proposals now. */
  request(requests: readonly OpenRequest[]): Promise<void>;
  /** The requests that nobody judged yet, oldest first. */
  unjudged(): Promise<readonly OpenRequest[]>;
  /** Without a reason the request passes the caps. */
  judge(proof: string, refusedBecause: string | undefined): Promise<void>;
}

/** Watchtower mode: acting, or analysing without writing. */
export interface WatchtowerMode {
  state(): Watchtower;
  record(event: WatchtowerEvent): void;
  /** Resolves when everything heard so far was put on record. */
  saved(): Promise<void>;
}

/** Scale-ups that are kept until they expire. Each call is safe to repeat. */
export interface LeaseStore {
  begin(lease: Lease): Promise<void>;
  running(): Promise<readonly Lease[]>;
  renew(
    incident: string,
    renewal: Pick<Lease, "termSince" | "expires" | "because" | "latestPull" | "renewals">,
  ): Promise<void>;
  end(incident: string, because: string): Promise<void>;
}

/** One change of ours that is on the default branch. */
interface MergedChange {
  readonly pull: number;
  readonly incident: string;
  readonly workload: Workload;
  /** What it reserves more; a revert has less than nothing. Undefined = unreadable. */
  readonly reserved: Reserved | undefined;
  /** RFC 3339. */
  readonly mergedAt: string;
  /** Absent in what an older release recorded. */
  readonly remedy?: MergedRemedy;
}

/** Our merged changes, for budgets and cool-downs. Each call is safe to repeat. */
export interface MergedChanges {
  record(change: MergedChange): Promise<void>;
  /** What the changes in a namespace reserve that are still ours to count. */
  reservedIn(namespace: string): Promise<readonly (Reserved | undefined)[]>;
  /** People decided otherwise: the changes of this incident count no more. */
  settle(incident: string): Promise<void>;
  /** What was merged for a workload (`namespace/Kind/name`) and reverted since then (RFC 3339), newest first. */
  revertedChanges(workload: string, since: string): Promise<readonly RevertedChange[]>;
}

/** The merged changes that people want back. */
export interface RollbackStore {
  /** False when one is under way for this pull request; the same comment may ask again. */
  ask(rollback: Omit<Rollback, "latestPull">): Promise<boolean>;
  end(pull: number, because: string): Promise<void>;
}
