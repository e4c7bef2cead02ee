import {
  endEveryState,
  everyStateFiles,
  everyStateGuardrails,
  problemsOfEveryState,
  standInEveryState,
  type Town,
} from "../crash/every-state.ts";
import type { RealStage } from "./stage.ts";
import type { RealStory } from "./stories.ts";

const kustomization = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/shop";

export const upgrades: Readonly<Record<string, RealStory>> = {
  upgrade: {
    about: "Rectify is upgraded with a story in each state: each goes on where it stood, and ends as it should",
    engines: ["flux"],
    ownDatabase: true,
    patienceMs: 600_000,
    files: everyStateFiles,
    guardrails: everyStateGuardrails,
    notInThePast: "eight workloads that are in no other story",
    play: async (stage) => {
      const town = townOf(stage);
      await standInEveryState(town);
      await stage.upgrade(() => stage.model.release());
      stage.say("machine", "Rectify is upgraded");
      await endEveryState(town);
    },
    judge: (stage) => problemsOfEveryState(townOf(stage)),
    expected: { ending: "recovered", pulls: 9, recovered: true },
  },
};

function townOf({ forge, model, database, shop, plane, say, told }: RealStage): Town {
  if (database === undefined) throw new Error("the story has no database of its own");
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
