import { dashboardNameOf } from "../../domain/proposal/dashboard.ts";
import { watchtowerLabel } from "../../domain/guardrails/watchtower.ts";
import { approve, passCi, pullOpened, type Scenario } from "../scenario.ts";
import { type LabRun, until } from "../start.ts";

const slowMs = 3_000;
const peak = 260;
const mildPeak = 190;

const quickWatchtower = { everyMs: 300, limits: { p99Ms: 2_000, windowMs: 20_000, goodCalls: 3, quietMs: 1_500 } };

/** Stories about the model: what it does, and what Rectify then does not. */
export const modelScenarios = {
  watchtower: {
    about: "the model answers too slowly: Rectify analyses and writes nothing until it is fast again",
    world: {
      scriptedModel: true,
      watchtower: quickWatchtower,
    },
    run: async (stage: LabRun) => {
      stage.model?.setBehaviour("slow", slowMs);
      stage.say("visitors", `${peak} requests a second, while the model takes ${slowMs / 1000} s`);
      stage.cluster.setLoad("web", peak);
      await until("Watchtower mode", () => stage.rectify.watchtower().mode === "watching");
      await until("the story to wait", () => told(stage, "Watchtower mode"));
      await new Promise((resume) => setTimeout(resume, 2 * slowMs));
      if (stage.rectify.watchtower().mode !== "watching") throw new Error("Watchtower mode ended under a slow model");
      await until("the dashboard to say so", () => dashboardSays(stage, /Watchtower mode: .*watching since/));
      await until("the label on the dashboard", () => isMarked(stage));
      const writes = writesIn(stage);
      if (writes.length > 0) throw new Error(`written in Watchtower mode: ${writes.join(", ")}`);
      stage.say("model", "fast again");
      stage.model?.setBehaviour("honest");
      const pull = await pullOpened(stage);
      await until("the dashboard to forget it", () => !dashboardSays(stage, /watching since/) && !isMarked(stage));
      await passCi(stage, pull);
      await approve(stage, pull);
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 1 },
  },
  "model-required": {
    about: "the guardrails require the model and it is away: the story waits for it instead of ending",
    guardrails: { model: "required" },
    world: { scriptedModel: true, watchtower: quickWatchtower },
    run: async (stage: LabRun) => {
      stage.model?.setBehaviour("broken");
      stage.say("visitors", `${peak} requests a second, while the model is broken`);
      stage.cluster.setLoad("web", peak);
      await until("the story to wait", () => told(stage, "the guardrails require the model"));
      // Longer than three looks: as long as a story without the requirement would go on looking.
      await new Promise((resume) => setTimeout(resume, 8_000));
      if ((await stage.rectify.store.unfinished()).length !== 1) throw new Error("the story did not wait");
      const [reason = ""] = stage.rectify.watchtower().reasons;
      if (!/model/.test(reason)) throw new Error(`Watchtower mode says: ${reason}`);
      const writes = writesIn(stage);
      if (writes.length > 0) throw new Error(`written without the model: ${writes.join(", ")}`);
      stage.say("model", "is back");
      stage.model?.setBehaviour("honest");
      // A model that failed several times in a row is left alone for half a minute.
      await until("the end of Watchtower mode", () => stage.rectify.watchtower().mode === "acting", 60_000);
      const pull = await pullOpened(stage);
      await passCi(stage, pull);
      await approve(stage, pull);
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 1 },
  },
  liar: {
    about: "the model names a poisoned target: refused and explained, the ranker's remedy waits for a person",
    guardrails: { autoMerge: "low-risk" },
    past: 3,
    world: { scriptedModel: true },
    run: async (stage: LabRun) => {
      stage.model?.setBehaviour("liar");
      stage.say("visitors", `${mildPeak} requests a second, and a model that lies`);
      stage.cluster.setLoad("web", mildPeak);
      const pull = await pullOpened(stage);
      const body = stage.forge.pulls()[0]?.body ?? "";
      if (!/the model.{0,8}s answer was not used/.test(body)) throw new Error("the refusal is not explained");
      if (/coredns|delete-everything/.test(body)) throw new Error("the poisoned target is repeated");
      await passCi(stage, pull);
      await new Promise((resume) => setTimeout(resume, 1_500));
      if (stage.forge.pulls()[0]?.merged) throw new Error("it merged without a person");
      await approve(stage, pull);
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 1 },
  },
} satisfies Readonly<Record<string, Scenario>>;

async function told({ rectify }: LabRun, words: string): Promise<boolean> {
  const [record] = await rectify.store.incidents(1);
  const events = record === undefined ? [] : await rectify.store.eventsOf(record.incident.uid);
  return events.some(({ text }) => text.includes(words));
}

function dashboardSays({ forge, settings }: LabRun, words: RegExp): boolean {
  return forge
    .issues()
    .some(({ title, body }) => title === dashboardNameOf(settings.cluster).title && words.test(body ?? ""));
}

function isMarked({ forge }: LabRun): boolean {
  return forge.issues().some(({ labels }) => JSON.stringify(labels).includes(`"${watchtowerLabel}"`));
}

/** Asking for an access token changes nothing, and the dashboard goes on. */
function writesIn({ forge }: LabRun): string[] {
  return forge.calls
    .filter(({ method, path }) => method !== "GET" && !path.endsWith("/access_tokens") && !/\/issues(\/|$)/.test(path))
    .map(({ method, path }) => `${method} ${path}`);
}
