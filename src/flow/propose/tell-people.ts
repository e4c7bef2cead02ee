import { isInShadow, modeSubject } from "../../domain/guardrails/mode.ts";
import type { Remediation } from "../../domain/kubernetes/remediation.ts";
import { channelsFor, type Notice } from "../../domain/proposal/notice.ts";
import type { Ports } from "../../ports/ports.ts";
import { guardrailsOf } from "../collect/load-guardrails.ts";

/** What the notice is about: the workload that is changed, and the remedy by which the change has its mode. */
export type ToldChange = Pick<Remediation, "kind" | "workload">;

/**
 * Tells people where the guardrails say so. Nothing waits for it, and nothing fails by it. Of what is in shadow mode nothing
 * leaves the process.
 */
export async function tellPeople(
  notice: Notice,
  change: ToldChange | undefined,
  { notifier, github, clock }: Pick<Ports, "notifier" | "github" | "clock">,
): Promise<void> {
  if (notifier === undefined) return;
  const guardrails = await guardrailsOf({ github });
  if (!guardrails.ok || isInShadow(guardrails.value, modeSubject(notice.incident, change))) return;
  const channels = channelsFor(notice, guardrails.value.notify, clock.now());
  if (channels.length > 0) notifier.tell(notice, channels);
}
