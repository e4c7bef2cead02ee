import { afterEach, expect, test } from "vitest";
import { ollamaModel } from "../../../src/adapters/ollama/ollama.ts";
import { loadPrompts } from "../../../src/adapters/ollama/prompts.ts";
import { parseGuardrails } from "../../../src/domain/guardrails/guardrails.ts";
import { askModel } from "../../../src/flow/diagnose/ask-model.ts";
import type { Behaviour } from "../../../src/lab/model/behaviour.ts";
import { labModelName, startModel } from "../../../src/lab/model/model.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";
import { someEvidence } from "../../domain/llm/a-question.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface World {
  readonly behaviour?: Behaviour;
  /** The name that is asked for. */
  readonly model?: string;
  readonly contextTokens?: number;
}

/** One question to the real adapter, with a stand-in for the server behind it. */
async function word({ behaviour = "honest", model = labModelName, contextTokens = 8192 }: World) {
  const server = await startModel({ behaviour });
  closing.push(server.close);
  const guardrails = parseGuardrails({ namespaces: ["shop-production"], model: "required" });
  if (!guardrails.ok) throw new Error("the guardrails of this test are invalid");
  const asking = { incident: anIncident(), evidence: someEvidence, causes: [], remedies: [], precedents: [] };
  const ports = {
    ...{ model: ollamaModel({ host: server.url, model, contextTokens }), prompts: loadPrompts() },
    ...{ random: () => "0".repeat(32), timings: { modelDeadlineMs: 10_000 } as Ports["timings"] },
  };
  return askModel({ ...asking, guardrails: guardrails.value }, ports);
}

test.each<[string, World, object]>([
  ["that is broken", { behaviour: "broken" }, { kind: "absent", mayReturn: true }],
  ["that is busy", { behaviour: "busy" }, { kind: "absent", mayReturn: true }],
  ["that nobody pulled yet", { model: "llama9" }, { kind: "absent", mayReturn: true }],
  ["that the question does not fit", { contextTokens: 100 }, { kind: "absent", mayReturn: false }],
  ["that answers nonsense", { behaviour: "garbage" }, { kind: "unusable" }],
])("a required model %s is waited for only where that can help", async (_what, world, expected) => {
  expect(await word(world)).toMatchObject(expected);
});
