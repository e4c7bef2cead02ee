import {
  endEveryState,
  everyStateFiles,
  everyStateGuardrails,
  problemsOfEveryState,
  standInEveryState,
  type Town,
} from "../crash/every-state.ts";
import type { RealRun } from "./real-run.ts";
import type { RealScenario } from "./scenarios.ts";

const kustomization = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/shop";

export const upgrades: Readonly<Record<string, RealScenario>> = {
  upgrade: {
    about: "Rectify is upgraded with a scenario in each state: each goes on where it stood, and ends as it should",
    engines: ["flux"],
    ownDatabase: true,
    patienceMs: 600_000,
    files: everyStateFiles,
    guardrails: everyStateGuardrails,
    notInThePast: "eight workloads that are in no other scenario",
    run: async (run) => {
      const town = townOf(run);
      await standInEveryState(town);
      await run.upgrade(() => run.model.release());
      run.say("machine", "Rectify is upgraded");
      await endEveryState(town);
    },
    judge: (run) => problemsOfEveryState(townOf(run)),
    expected: { ending: "recovered", pulls: 9, recovered: true },
  },
};

function townOf({ forge, model, database, shop, plane, say, told }: RealRun): Town {
  if (database === undefined) throw new Error("the scenario has no database of its own");
  return {
    ...{ forge, model, say, databaseUrl: database.url, told: () => told },
    setLoad: (workload, rate) => {
      say("visitors", `${rate} requests a second to ${workload}`);
      shop.setLoad(workload, rate);
    },
    suspendSync: async (on) => {
      say("machine", on ? "Flux is suspended" : "Flux goes on");
      const contentType = "application/merge-patch+json";
      await plane.kube.ask("PATCH", kustomization, { body: { spec: { suspend: on } }, contentType });
    },
  };
}
