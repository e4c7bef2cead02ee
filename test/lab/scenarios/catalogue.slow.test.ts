import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { scenarioNames } from "../../../src/lab/scenarios/names.ts";
import { built, builtDirectory } from "../../built.ts";
import { scratchDirectory } from "../../scratch.ts";
import { goldenFolder, goldenTexts, toldScenarios } from "./golden.ts";
import { masked } from "./masked.ts";
import type { Texts } from "./read-texts.ts";

beforeAll(built, 300_000);

// The durable engine takes one workflow per process, and so does the lab: each scenario is run in a process of its own,
// two at a time, as a workflow waits for half of its time. What people read of the others may follow the pace: one at a time.
const told: readonly string[] = toldScenarios;
test.concurrent.each(scenarioNames.filter((name) => !told.includes(name)))(
  "%s ends as it should",
  async (name) => {
    const ran = await ranAlone(join(builtDirectory, "cli.js"), "lab", "--scenario", name, "--json");
    expect(ran.code, ran.printed).toBe(0);
  },
  400_000,
);

describe.each(toldScenarios)("%s", (name) => {
  // What another pace of the machine changed is not the same a second and a third time; another text is.
  test("ends as it should, and people read what they read before", { timeout: 400_000, retry: 2 }, async () => {
    const file = join(scratchDirectory(), "texts.json");
    const ran = await ranAlone("--import", "tsx", "test/lab/scenarios/read-texts.ts", name, file);
    expect(ran.code, ran.printed).toBe(0);
    const texts = JSON.parse(readFileSync(file, "utf8")) as Texts;
    const before = existsSync(goldenFolder(name)) ? goldenTexts(name) : {};
    for (const [path, text] of Object.entries(texts)) {
      // As a run wrote it, with its own times and numbers: only what these do not explain is a difference. -u renews.
      const isTheSame = masked(before[path] ?? "") === masked(text);
      const kept = isTheSame ? (before[path] ?? "") : text;
      await expect(kept, differing(before[path] ?? "", text)).toMatchFileSnapshot(join(goldenFolder(name), path));
    }
    expect(Object.keys(texts).sort()).toEqual(Object.keys(goldenTexts(name)));
  });
});

/** The masked lines that only one of the two has. */
function differing(before: string, now: string): string {
  const [old, young] = [before, now].map((text) => masked(text).split("\n")) as [string[], string[]];
  const lost = old.filter((line) => !young.includes(line)).map((line) => `- ${line}`);
  return [...lost, ...young.filter((line) => !old.includes(line)).map((line) => `+ ${line}`)].join("\n");
}

function ranAlone(...command: readonly string[]): Promise<{ readonly code: unknown; readonly printed: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...command], { timeout: 390_000 }, (error, _result, printed) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal), printed });
    });
  });
}
