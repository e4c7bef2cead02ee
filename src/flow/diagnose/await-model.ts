import { courseOf } from "../../domain/incident/alert.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import { isWatching } from "../../domain/guardrails/watchtower.ts";
import type { Message, Run } from "../../ports/workflow.ts";
import type { Ports } from "../../ports/ports.ts";
import { pauseAfter } from "../collect/pause-after.ts";

/** Ask it again, or there is nothing to ask about any more. */
type ModelAwaited = "ask" | "resolved";

/** Where the guardrails require a model that is away: waits, durably and ever longer, for the next try. */
interface ModelWait {
  /** One wait. It ends when Watchtower mode lets the model be asked, or when every alert of the incident resolved. */
  next(): Promise<ModelAwaited>;
}

export function modelWait(incident: Incident, run: Run): ModelWait {
  let message: Message | undefined;
  let pauseMs = 0;
  return {
    next: async () => {
      for (;;) {
        pauseMs = pauseAfter(pauseMs, message, run.timings.pollMs);
        message = await run.message(pauseMs);
        const seen = await run.step("await model", (ports) => look(incident, ports));
        if (seen !== "watching") return seen;
      }
    },
  };
}

async function look(
  incident: Incident,
  { records, watchtower, clock, timings }: Pick<Ports, "records" | "watchtower" | "clock" | "timings">,
): Promise<ModelAwaited | "watching"> {
  const course = courseOf(await records.alertsOf(incident.uid), clock.now(), timings.lingerMs);
  if (course === "over") return "resolved";
  if (course === "lingers") return "watching";
  const state = watchtower?.state();
  // While it watches, the model is tried with a question of one word: no workflow has to.
  return state !== undefined && isWatching(state) ? "watching" : "ask";
}
