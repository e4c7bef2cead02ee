import type { Store } from "../../../adapters/postgres/store.ts";
import {
  hasShadow,
  isInShadow,
  isShadowOnly,
  type KnownModes,
  modeSubject,
  type ModeSubject,
  readModes,
} from "../../../domain/guardrails/mode.ts";
import { type LoadedGuardrails, loadGuardrails } from "../../../flow/collect/load-guardrails.ts";
import { known } from "../../../ports/errors.ts";
import { type GitHost, leavingQueue, withdrawing } from "../../../ports/github.ts";

/** Whether the default branch keeps what is to be written in shadow mode. */
export interface ShadowLatch {
  /** Why this call may not write now; undefined = it may. Throws like the mirror: without an answer nothing is written. */
  refusal(action: string, detail?: Readonly<Record<string, unknown>>): Promise<string | undefined>;
  /** Nothing at all may be written, or nobody knows whether it may. */
  isOn(): Promise<boolean>;
}

interface Latching {
  readonly head: GitHost["head"];
  /** Where the last modes that could be read outlive a restart. */
  readonly kept: Pick<Store, "readModes" | "keepModes">;
  /** What the incident of this uid, or of this pull request of ours, is about; undefined = there is none. */
  readonly subjectOf: (of: {
    readonly incident?: unknown;
    readonly pull?: unknown;
  }) => Promise<ModeSubject | undefined>;
}

/** What the guardrails say; "unknown" = they cannot be read, and nobody knows what they said before. */
interface Said {
  readonly modes: KnownModes | "unknown";
  /** The file of now can be read, or there never was one. */
  readonly readable: boolean;
}

const ofDashboard = ["open issue", "update issue"];
// Before there ever was a file nothing merges, and only the proposal of one is written.
const withoutFile: KnownModes = { mode: "live", modes: [], dashboard: true };

/**
 * The last door: no write call about a class in shadow mode leaves the process, whoever makes it, and while every class is,
 * none at all but those of the dashboard issue. Two things pass: leaving a merge queue, which undoes a write that is under
 * way, and withdrawing a proposal of a class that a person switched. A file that becomes invalid, or goes, opens nothing
 * that it had shut, also after a restart; where nobody knows what it said, everything is shut.
 */
export function shadowLatch(latching: Latching): ShadowLatch {
  const { subjectOf } = latching;
  const read = looking(latching);
  return {
    isOn: async () => {
      const { modes } = await read();
      return modes === "unknown" || isShadowOnly(modes);
    },
    refusal: async (action, detail = {}) => {
      if (action === leavingQueue) return undefined;
      const { modes, readable } = await read();
      if (modes === "unknown") return `${unknownBecause}, so not this: ${action}`;
      if (readable && action.startsWith(withdrawing)) return undefined;
      const shut = `shadow mode: nothing is written (guardrails: mode), so not this: ${action}`;
      if (isShadowOnly(modes)) return modes.dashboard && ofDashboard.includes(action) ? undefined : shut;
      if (!hasShadow(modes)) return undefined;
      const subject = await subjectOf(detail);
      return subject !== undefined && isInShadow(modes, subject) ? shut : undefined;
    },
  };
}

const unknownBecause =
  "the guardrails cannot be read, and what they said before is not known: nothing is written until they can be read (rectify config check)";

function looking({ head, kept }: Latching): () => Promise<Said> {
  let before: KnownModes | undefined;
  let stored = "";
  const keep = async (modes: KnownModes) => {
    const text = JSON.stringify(modes);
    // What could not be kept now is kept with the next look.
    if (text !== stored) await known(() => kept.keepModes(modes).then(() => void (stored = text)));
  };
  let last: { readonly sha: string; readonly guardrails: LoadedGuardrails } | undefined;
  return async () => {
    // Never older than what anybody here has seen: the mirror alone decides how fresh it is.
    const { sha, tree } = await head();
    const guardrails = last?.sha === sha ? last.guardrails : loadGuardrails(tree);
    last = { sha, guardrails };
    if (guardrails.ok) {
      const { mode, modes, dashboard } = guardrails.value;
      before = { mode, modes, dashboard };
      await keep(before);
      return { modes: before, readable: true };
    }
    if (before === undefined) {
      const earlier = await kept.readModes();
      if (guardrails.missing && earlier === undefined) return { modes: withoutFile, readable: true };
      before = readModes(earlier);
    }
    return { modes: before ?? "unknown", readable: false };
  };
}

/** The latch over what this installation has on record. */
export function latchOver(store: Store, head: GitHost["head"]): ShadowLatch {
  const subjectOf: Latching["subjectOf"] = async ({ incident, pull }) => {
    const uid =
      typeof incident === "string" ? incident : typeof pull === "number" ? await uidOf(pull, store) : undefined;
    const record = uid === undefined ? undefined : await store.incident(uid);
    return record && modeSubject(record.incident, record.outcome?.remediation);
  };
  return shadowLatch({ head, kept: store, subjectOf });
}

async function uidOf(pull: number, store: Store): Promise<string | undefined> {
  return (await store.incidentOfPull(pull))?.uid;
}
