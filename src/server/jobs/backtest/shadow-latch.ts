import { isShadowOnly } from "../../../domain/guardrails/mode.ts";
import { loadGuardrails } from "../../../flow/collect/load-guardrails.ts";
import type { GitHost } from "../../../ports/github.ts";

/** Whether the default branch keeps everything in shadow mode. */
export interface ShadowLatch {
  /** Why this call may not write now; undefined = it may. Throws like the mirror: without an answer nothing is written. */
  refusal(action: string): Promise<string | undefined>;
  isOn(): Promise<boolean>;
}

const freshMs = 10_000;
const ofDashboard = ["open issue", "update issue"];

/**
 * The last door: while every class is in shadow mode no write call leaves the process, whoever makes it, but those of the
 * dashboard issue. Guardrails that are missing or invalid are others' matter: then only what says so is written. A file
 * that becomes invalid opens nothing that it had shut.
 */
export function shadowLatch(head: GitHost["head"], now: () => number): ShadowLatch {
  let before: Latched | undefined;
  let last: { readonly at: number; readonly answer: Promise<Latched> } | undefined;
  const read = () => {
    if (last === undefined || now() - last.at >= freshMs) {
      const answer = latched(head, before).then((found) => {
        before = found;
        return found;
      });
      const asked = { at: now(), answer };
      last = asked;
      answer.catch(() => {
        if (last === asked) last = undefined;
      });
    }
    return last.answer;
  };
  return {
    isOn: async () => (await read()).isOn,
    refusal: async (action) => {
      const { isOn, dashboard } = await read();
      if (!isOn || (dashboard && ofDashboard.includes(action))) return undefined;
      return `shadow mode: nothing is written (guardrails: mode), so not this: ${action}`;
    },
  };
}

interface Latched {
  readonly isOn: boolean;
  readonly dashboard: boolean;
}

async function latched(head: GitHost["head"], before: Latched | undefined): Promise<Latched> {
  const guardrails = loadGuardrails((await head()).tree);
  if (!guardrails.ok && !guardrails.missing && before !== undefined) return before;
  if (!guardrails.ok) return { isOn: false, dashboard: true };
  return { isOn: isShadowOnly(guardrails.value), dashboard: guardrails.value.dashboard };
}
