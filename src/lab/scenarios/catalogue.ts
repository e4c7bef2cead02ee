import { modelScenarios } from "./model.ts";
import { causeScenarios } from "./causes.ts";
import { governance } from "./governance.ts";
import { leaseScenarios } from "./leases.ts";
import { memoryScenarios } from "./memory/memory.ts";
import { clusterScenarios } from "./clusters/clusters.ts";
import { worldScenarios } from "./names.ts";
import { platformScenarios } from "./platform.ts";
import { shadowScenarios } from "./shadow.ts";
import { stormScenarios } from "./storm.ts";
import { approve, passCi, peak, pullOpened, type Scenario } from "../scenario.ts";

export { approver, ciApp } from "../scenario.ts";

const mildPeak = 190;

const scenarios = {
  scale: {
    about: "more visitors than two replicas of web can serve; a person approves by command",
    run: async (run) => {
      run.say("visitors", `${peak} requests a second`);
      run.cluster.setLoad("web", peak);
      const pull = await pullOpened(run);
      await passCi(run, pull);
      await approve(run, pull);
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 1 },
  },
  "low-risk": {
    about: "a small step within the guardrails, required checks green: auto-merge",
    guardrails: { autoMerge: "low-risk" },
    past: 3,
    run: async (run) => {
      run.say("visitors", `${mildPeak} requests a second`);
      run.cluster.setLoad("web", mildPeak);
      await passCi(run, await pullOpened(run));
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 1 },
  },
  "resolved-first": {
    about: "the visitors leave before anyone decides: the proposal closes itself",
    run: async (run) => {
      run.say("visitors", `${peak} requests a second`);
      run.cluster.setLoad("web", peak);
      await pullOpened(run);
      run.say("visitors", "gone home");
      run.cluster.setLoad("web", 60);
    },
    expected: { ending: "resolved-before-merge", merged: false, recovered: true, pulls: 1 },
  },
  worse: {
    about: "the replicas are not what is missing: the fix does not help and is reverted",
    world: { noHelp: "web" },
    run: async (run) => {
      run.say("visitors", `${peak} requests a second, and a database that locks`);
      run.cluster.setLoad("web", peak);
      const first = await pullOpened(run);
      await passCi(run, first);
      await approve(run, first);
      const revert = await pullOpened(run, 2);
      await passCi(run, revert);
      await approve(run, revert);
    },
    expected: { ending: "reverted", merged: true, recovered: false, pulls: 2 },
  },
  ...causeScenarios,
  ...governance,
  ...leaseScenarios,
  ...memoryScenarios,
  ...clusterScenarios,
  ...platformScenarios,
  ...shadowScenarios,
  ...stormScenarios,
  ...modelScenarios,
} satisfies Readonly<Record<(typeof worldScenarios)[number], Scenario>>;

/** Undefined when there is no scenario of that name. */
export function scenarioOf(name: string): Scenario | undefined {
  const found = worldScenarios.find((each) => each === name);
  return found && scenarios[found];
}
