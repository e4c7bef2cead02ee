import type { Evidence } from "../../evidence/evidence.ts";
import type { Effect, OwnerLink } from "../../kubernetes/manifest-edit.ts";
import type { Cost } from "../../remedy/cost.ts";
import type { OutcomeCause } from "../outcome.ts";
import type { ProposalReason } from "./reason.ts";

/** What a proposal's texts are rendered from: the same values that the rules looked at. */
export interface ProposalBody extends ProposalReason {
  readonly evidence: readonly Evidence[];
  /** What is wrong, in one sentence of ours, and the ids that show it. */
  readonly cause: OutcomeCause;
  /** What such alerts mostly do when nobody does anything, in a sentence of ours. */
  readonly selfHealing?: string | undefined;
  readonly owners: readonly OwnerLink[];
  readonly warnings: readonly string[];
  readonly effect: Effect;
  readonly risk: { readonly level: "low" | "medium" | "high"; readonly reasons: readonly string[] };
  readonly policy: string;
  readonly selfMergeLacks: readonly string[];
  /** What it adds by the price book, and the budget with its arithmetic; undefined = not stated. */
  readonly cost?: Cost | undefined;
  readonly budget?: string | undefined;
  /** When the lease of this scale-up will expire, RFC 3339. */
  readonly leaseExpires?: string | undefined;
  readonly chart: string | undefined;
  /** What the model said beside the ranking; absent where it was not asked. */
  readonly secondWitness?: SecondOpinion | undefined;
  /** What earlier incidents came to, one inert line each. */
  readonly precedents?: readonly string[];
  /** Why names of pods and nodes are left out, such as "this repository is public"; absent = they are shown. */
  readonly namesHidden?: string | undefined;
  /** The first line of each file that changes. */
  readonly places?: readonly ChangedPlace[];
  /** What follows the merge; absent = it is not told. */
  readonly course?: Course | undefined;
  /** When this was written, RFC 3339. */
  readonly writtenAt?: string | undefined;
  /** Addresses that the guardrails allow, for those who want to see more. */
  readonly links?: readonly BodyLink[];
}

export interface ChangedPlace {
  readonly path: string;
  /** Counted from 1 in the file after the change. */
  readonly line: number;
}

interface Course {
  /** The controller's object that applies it: `Kustomization flux-system/apps`; undefined = nobody knows. */
  readonly appliedBy: string | undefined;
  readonly watchedMs: number;
}

/** A name of ours and an address that was parsed and allowed. */
export interface BodyLink {
  readonly name: string;
  readonly url: string;
}

/** The model's part in the diagnosis. Its free text is text of others. */
export interface SecondOpinion {
  /** Name and digest of the model; undefined when none answered. */
  readonly model: string | undefined;
  /** How the opinions agree, in sentences of ours. */
  readonly notes: readonly string[];
  readonly explanation: string | undefined;
}
