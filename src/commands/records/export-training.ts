import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadPrompts } from "../../adapters/ollama/prompts.ts";
import { type Environment, noRepository, postMortemsIn } from "../repository/checkout.ts";
import { modelfileOf, trainingSetOf } from "../../domain/records/training.ts";
import type { Told } from "../told.ts";

export interface TrainingExport {
  readonly out: string;
  readonly repository?: string;
  /** As Ollama names it. */
  readonly base: string;
}

const contextTokens = 8192;

/** Writes what a trainer needs from the verified post-mortems that nobody withdrew. */
export async function exportTraining(asked: TrainingExport, env: Environment, now: Date): Promise<Told> {
  const source = await postMortemsIn(asked.repository, env);
  if (source === undefined) return { lines: [noRepository], code: 1 };
  const modelfile = modelfileOf({ base: asked.base, adapter: "../adapter", contextTokens });
  if (modelfile.kind === "problem") return { lines: [modelfile.because], code: 1 };
  const set = trainingSetOf(source.records, { system: loadPrompts().diagnose, now: now.toISOString() });
  const [pairs, kept] = [set.train, set.validation].map((text) => text.split("\n").length - 1);
  if (pairs === 0) return { lines: [`no verified post-mortem is in ${source.place}: nothing was written`], code: 1 };
  mkdirSync(asked.out, { recursive: true });
  const files = {
    "train.jsonl": set.train,
    "validation.jsonl": set.validation,
    "README.md": set.card,
    Modelfile: modelfile.text,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(asked.out, name), text);
  const seals = source.sealed ? [] : ["The seals of the post-mortems were not checked: set SEAL_KEY."];
  return {
    lines: [`${pairs} pairs to train, ${kept} to validate, in ${asked.out}; read README.md first`, ...seals],
    code: 0,
  };
}
