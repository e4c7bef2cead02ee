import { readFileSync } from "node:fs";
import { guardrailsSchema, renderDefaultGuardrails } from "../../domain/guardrails/guardrails.ts";
import type { Told } from "../told.ts";
import { guardrailsPath, linesOf } from "../../flow/collect/load-guardrails.ts";
import { whyNot } from "../why-not.ts";
import { readGuardrails } from "../../manifests/repository/guardrails-file.ts";

/** Judges a guardrails file as Rectify would: code 1 with every problem, its line and its remedy. */
export function checkConfig(path: string = guardrailsPath): Told {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const because = whyNot(error, "cannot be read");
    return { lines: [`${path} ${because}`, "begin with: rectify config init > FILE"], code: 1 };
  }
  const read = readGuardrails(bytes);
  if (!read.ok) return { lines: [...linesOf(path, read.problems)], code: 1 };
  const { namespaces } = read.value;
  const scope = namespaces.length === 0 ? "no namespace may be changed yet" : `may change ${namespaces.join(", ")}`;
  return { lines: [`${path}: valid, ${scope}`], code: 0 };
}

/** The JSON schema of the file, for editors. */
export function configSchema(): Told {
  return { lines: JSON.stringify(guardrailsSchema(), null, 2).split("\n"), code: 0 };
}

/** The file to begin with: every field with its default and what it means. */
export function initialConfig(namespaces: readonly string[]): Told {
  return { lines: renderDefaultGuardrails(namespaces).trimEnd().split("\n"), code: 0 };
}
