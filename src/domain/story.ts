import type { Cost, Reserved } from "./cost.ts";
import type { Effect, Entry } from "./manifest-edit.ts";
import type { Ending } from "./incident.ts";
import type { Proposal } from "./pull-request.ts";
import type { Remediation } from "./remediation.ts";
import type { Verification } from "./verification.ts";

/** What happened to one incident, as far as it came. */
export interface Story {
  readonly ending: Ending;
  readonly because: string;
  readonly cause?: { readonly sentence: string; readonly citing: readonly string[] } | undefined;
  readonly remediation?: Remediation | undefined;
  readonly effect?: Effect | undefined;
  readonly entry?: Entry | undefined;
  readonly proposal?: Proposal | undefined;
  readonly mergedSha?: string | undefined;
  readonly syncedSha?: string | undefined;
  /** What the change reserves more, and what that costs by the price book. */
  readonly reserved?: Reserved | undefined;
  readonly cost?: Cost | undefined;
  readonly verification?: Verification | undefined;
  readonly revert?: { readonly proposal: Proposal | undefined; readonly mergedSha: string | undefined } | undefined;
}
