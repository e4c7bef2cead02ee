import { dashboardNameOf } from "../../domain/proposal/dashboard.ts";
import { watchtowerLabel } from "../../domain/guardrails/watchtower.ts";
import { approve, passCi, pullOpened, type Scenario } from "../scenario.ts";
import { type LabRun, until } from "../start.ts";

const slowMs = 3_000;
const peak = 260;
const mildPeak = 190;

const quickWatchtower = { everyMs: 300, limits: { p99Ms: 2_000, windowMs: 20_000, goodCalls: 3, quietMs: 1_500 } };

/** Scenarios about the model: what it does, and what Rectify then does not. */
export const modelScenarios = {
  watchtower: {
    about: "the model answers too slowly: Rectify analyses and writes nothing until it is fast again",
    world: {
      scriptedModel: true,
      watchtower: quickWatchtower,
    },
    run: async (run: LabRun) => {
      run.model?.setBehaviour("slow", slowMs);
      run.say("visitors", `${peak} requests a second, while the model takes ${slowMs / 1000} s`);
      run.cluster.setLoad("web", peak);
      await until("Watchtower mode", () => run.rectify.watchtower().mode === "watching");
      await until("the workflow to wait", () => told(run, "Watchtower mode"));
      await new Promise((resume) => setTimeout(resume, 2 * slowMs));
      if (run.rectify.watchtower().mode !== "watching") throw new Error("Watchtower mode ended under a slow model");
      await until("the dashboard to say so", () => dashboardSays(run, /Watchtower mode: .*watching since/));
      await until("the label on the dashboard", () => isMarked(run));
      const writes = writesIn(run);
      if (writes.length > 0) throw new Error(`written in Watchtower mode: ${writes.join(", ")}`);
      run.say("model", "fast again");
      run.model?.setBehaviour("honest");
      const pull = await pullOpened(run);
      await until("the dashboard to forget it", () => !dashboardSays(run, /watching since/) && !isMarked(run));
      await passCi(run, pull);
      await approve(run, pull);
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 1 },
  },
  "model-required": {
    about: "the guardrails require the model and it is away: the workflow waits for it instead of ending",
    guardrails: { model: "required" },
    world: { scriptedModel: true, watchtower: quickWatchtower },
    run: async (run: LabRun) => {
      run.model?.setBehaviour("broken");
      run.say("visitors", `${peak} requests a second, while the model is broken`);
      run.cluster.setLoad("web", peak);
      await until("the workflow to wait", () => told(run, "the guardrails require the model"));
      // Longer than three looks: as long as a workflow without the requirement would go on looking.
      await new Promise((resume) => setTimeout(resume, 8_000));
      if ((await run.rectify.store.unfinished()).length !== 1) throw new Error("the workflow did not wait");
      const [reason = ""] = run.rectify.watchtower().reasons;
      if (!/model/.test(reason)) throw new Error(`Watchtower mode says: ${reason}`);
      const writes = writesIn(run);
      if (writes.length > 0) throw new Error(`written without the model: ${writes.join(", ")}`);
      run.say("model", "is back");
      run.model?.setBehaviour("honest");
      // A model that failed several times in a row is left alone for half a minute.
      await until("the end of Watchtower mode", () => run.rectify.watchtower().mode === "acting", 60_000);
      const pull = await pullOpened(run);
      await passCi(run, pull);
      await approve(run, pull);
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 1 },
  },
  liar: {
    about: "the model names a poisoned target: refused and explained, the ranker's remedy waits for a person",
    guardrails: { autoMerge: "low-risk" },
    past: 3,
    world: { scriptedModel: true },
    run: async (run: LabRun) => {
      run.model?.setBehaviour("liar");
      run.say("visitors", `${mildPeak} requests a second, and a model that lies`);
      run.cluster.setLoad("web", mildPeak);
      const pull = await pullOpened(run);
      const body = run.forge.pulls()[0]?.body ?? "";
      if (!/the model.{0,8}s answer was not used/.test(body)) throw new Error("the refusal is not explained");
      if (/coredns|delete-everything/.test(body)) throw new Error("the poisoned target is repeated");
      await passCi(run, pull);
      await new Promise((resume) => setTimeout(resume, 1_500));
      if (run.forge.pulls()[0]?.merged) throw new Error("it merged without a person");
      await approve(run, pull);
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
