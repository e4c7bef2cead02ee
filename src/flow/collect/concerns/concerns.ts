import type { AlertMapping } from "../../../domain/guardrails/alert-mapping.ts";
import type { Concern } from "../../../domain/incident/incident.ts";
import { known } from "../../../ports/errors.ts";
import type { GitHost } from "../../../ports/github.ts";
import type { Concerns } from "../../../ports/monitoring.ts";
import { guardrailsOf } from "../load-guardrails.ts";
import { resolveAlert, type Surveyed } from "./resolve-alert.ts";
import { keepNewest } from "../../../domain/text/keep-newest.ts";

interface Kept {
  readonly concern: Promise<Concern>;
  readonly until: number;
}

// As long as an alert fires its workload stays the same; what led nowhere may have been repaired meanwhile.
const keptMs = { workload: 30 * 60_000, nobody: 2 * 60_000, ignored: 0, beside: 0, unknown: 0 };
const mostKept = 5_000;

/** Whom alerts concern; what was found once is not asked again for each delivery and each look. */
export function openConcerns(around: Surveyed & { readonly github: Pick<GitHost, "head"> }): Concerns {
  const kept = new Map<string, Kept>();
  return {
    of: async (alert) => {
      const mappings = await mappingsOf(around.github);
      const now = around.clock.now().getTime();
      const key = JSON.stringify([alert.fingerprint, alert.labels, mappings]);
      const before = kept.get(key);
      if (before !== undefined && now < before.until) return before.concern;
      const concern = resolveAlert(alert, mappings, around);
      const answer = await concern;
      keepNewest(kept, key, { concern, until: now + keptMs[answer.kind] }, mostKept);
      return answer;
    },
  };
}

/** Without readable guardrails nobody mapped anything, and nothing is written either. */
async function mappingsOf(github: Pick<GitHost, "head">): Promise<readonly AlertMapping[]> {
  const guardrails = await known(() => guardrailsOf({ github }));
  return guardrails?.ok ? guardrails.value.alerts : [];
}
