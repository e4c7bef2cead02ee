import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The scenarios whose texts are on file. */
export const toldScenarios = ["scale", "worse", "bad-deploy", "lease", "roll-back", "noisy-neighbour"] as const;

export const goldenFolder = (scenario: string) => fileURLToPath(new URL(`golden/${scenario}/`, import.meta.url));

/** The texts of a scenario as an earlier run left them, by the names of their files. */
export function goldenTexts(scenario: string): Readonly<Record<string, string>> {
  const folder = goldenFolder(scenario);
  const names = readdirSync(folder).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(`${folder}${name}`, "utf8")]));
}
