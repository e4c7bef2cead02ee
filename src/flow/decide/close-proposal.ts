import { isInShadow, type Modes, modeSubject } from "../../domain/guardrails/mode.ts";
import { settledTitle } from "../../domain/proposal/body/check-title.ts";
import { renderReport } from "../../domain/proposal/body/sticky.ts";
import type { Decision } from "../../domain/proposal/decision.ts";
import { Refused, Shut } from "../../ports/errors.ts";
import type { Ports } from "../../ports/ports.ts";
import { guardrailsOf } from "../collect/load-guardrails.ts";
import type { Pending } from "./pending.ts";

/** What was opened live, and is in shadow mode now, is merged by nobody of us, whoever approved it. */
export function isShadowed(
  { incident, remedy, target }: Pick<Pending, "incident" | "remedy" | "target">,
  modes: Modes,
) {
  return isInShadow(modes, modeSubject(incident, { kind: remedy, workload: target }));
}

/** Why it is open still; undefined = it is closed. A stored format. `left` = for good, `shut` = for now. */
type NotClosed = { readonly kind: "left" | "shut"; readonly because: string } | undefined;

type Closing = Extract<Decision, { readonly kind: "close" }>;

/**
 * Closes it with the reason. In shadow mode that is a withdrawal, the last that is written here; where even that is refused,
 * the incident says that it is open and how it can still be merged.
 */
export async function closeProposal(
  pending: Pending,
  { because, approvedBy }: Closing,
  ports: Pick<Ports, "github" | "telemetry">,
): Promise<NotClosed> {
  const { proposal, incident } = pending;
  const { github, telemetry } = ports;
  const guardrails = await guardrailsOf({ github });
  const report = renderReport({ state: "closed", because, approvedBy });
  const withdraws = guardrails.ok && isShadowed(pending, guardrails.value);
  try {
    if (withdraws) await github.withdraw(proposal, report);
    else {
      await github.report(proposal, report, settledTitle("closed", because));
      await github.close(proposal);
    }
  } catch (error) {
    if (error instanceof Shut) return { kind: "shut", because: error.message };
    if (!withdraws || !(error instanceof Refused)) throw error;
    const left = `#${proposal.number} could not be withdrawn and is still open (${error.message}): close it by hand, or take it out of the merge queue, because GitHub may still merge it`;
    telemetry.log(incident.uid, "decide", left);
    return { kind: "left", because: `${because}; ${left}` };
  }
  if (withdraws) telemetry.log(incident.uid, "decide", `withdrew #${proposal.number}: ${because}`);
}
