import { isInShadow } from "../../domain/guardrails/mode.ts";
import { channelsFor, type Notice } from "../../domain/proposal/notice.ts";
import type { Ports } from "../../ports/ports.ts";
import { guardrailsOf } from "../collect/load-guardrails.ts";

/**
 * Tells people where the guardrails say so. Nothing waits for it, and nothing fails by it. Of what is in shadow mode nothing
 * leaves the process.
 */
export async function tellPeople(
  notice: Notice,
  { notifier, github, clock }: Pick<Ports, "notifier" | "github" | "clock">,
): Promise<void> {
  if (notifier === undefined) return;
  const guardrails = await guardrailsOf({ github });
  const { alert, workload } = notice.incident;
  const about = { alert: alert.name, namespaces: [workload.namespace], remedy: undefined };
  if (!guardrails.ok || isInShadow(guardrails.value, about)) return;
  const channels = channelsFor(notice, guardrails.value.notify, clock.now());
  if (channels.length > 0) notifier.tell(notice, channels);
}
