import { expect, test } from "vitest";
import { playScenario } from "../../src/lab/play.ts";
import { scenarioOf } from "../../src/lab/scenarios.ts";
import { storyTeller } from "../../src/lab/story.ts";

test.each(["bad-deploy", "noisy-neighbour", "quota", "predictive"])(
  "%s ends as it should",
  async (name) => {
    const scenario = scenarioOf(name);
    if (scenario === undefined) throw new Error(`no scenario ${name}`);
    const teller = storyTeller(() => undefined, false);
    expect((await playScenario(name, scenario, { teller, keep: false })).wrong).toEqual([]);
  },
  120_000,
);
