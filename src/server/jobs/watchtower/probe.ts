import type { OllamaModel } from "../../../adapters/ollama/ollama.ts";
import { guardrailsOf, type LoadedGuardrails } from "../../../flow/collect/load-guardrails.ts";
import { isWatching } from "../../../domain/guardrails/watchtower.ts";
import type { Ports } from "../../../ports/ports.ts";
import { repeat } from "../../../adapters/http/repeat.ts";
import { known } from "../../../ports/errors.ts";

/**
 * Looks now and then at what suspends writing: breaker, guardrails, and while watching the model itself, by a question
 * of one word, because no workflow asks it then. `seen` gets the guardrails each time. Returns the way to stop.
 */
export function probeWatchtower(
  ports: Pick<Ports, "github" | "watchtower" | "timings">,
  model: OllamaModel | undefined,
  everyMs: number,
  seen: (guardrails: LoadedGuardrails) => void = () => undefined,
): () => Promise<void> {
  const { watchtower, github, timings } = ports;
  let stopped = false;
  const look = async () => {
    // A repository that gives no answer says nothing of its guardrails: the workflows wait for it anyway.
    const guardrails = await known(() => guardrailsOf({ github }));
    if (guardrails !== undefined) seen(guardrails);
    watchtower?.record({
      kind: "signals",
      ...(guardrails === undefined ? {} : { guardrailsReadable: guardrails.ok }),
      ...(guardrails?.ok ? { modelRule: guardrails.value.model } : {}),
      ...(model === undefined ? {} : { breakerOpen: model.state().breakerOpen }),
    });
    const probing = watchtower !== undefined && isWatching(watchtower.state()) && !stopped;
    if (probing && watchtower.state().signals.modelRule !== "off") await probe(model, timings.modelDeadlineMs);
  };
  const looking = repeat(everyMs, look);
  return async () => {
    stopped = true;
    model?.close();
    await looking.stop();
    await watchtower?.saved();
  };
}

/** Its time and its success are heard through `onCall`, as those of every call. */
async function probe(model: OllamaModel | undefined, deadlineMs: number): Promise<void> {
  const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
  const question = { system: "Answer with one JSON object.", prompt: 'Answer {"ok": true}.', schema, deadlineMs };
  await known(async () => model?.ask({ ...question, incident: "", traceId: "" }));
}
