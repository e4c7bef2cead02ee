import { execFile } from "node:child_process";
import { expect, test } from "vitest";
import { scenarioNames } from "../../../src/lab/scenarios/catalogue.ts";

// The durable engine takes one story per process, and so does the lab: each scenario is played in a process of its own.
test.each(scenarioNames)(
  "%s ends as it should",
  async (name) => {
    const played = await playedAlone(name);
    expect(played.code, played.story).toBe(0);
  },
  400_000,
);

function playedAlone(scenario: string): Promise<{ readonly code: unknown; readonly story: string }> {
  const command = ["--import", "tsx", "src/cli.ts", "lab", "--scenario", scenario, "--json"];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { timeout: 390_000 }, (error, _result, story) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal), story });
    });
  });
}
