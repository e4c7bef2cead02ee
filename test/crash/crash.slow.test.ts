import { expect, test, type TestContext } from "vitest";
import { until } from "../../src/lab/start.ts";
import type { LabWorld } from "../../src/lab/world.ts";
import {
  approveOnce,
  type KeepingAlive,
  type KeptAlive,
  keepAlive,
  killAtWrites,
  type Line,
  openPatientWorld,
} from "./keep-alive.ts";

/** A world for a workflow that is interrupted all the time, and the Rectify in it, until the test ends. */
async function ran(
  { onTestFinished }: TestContext,
  died: Pick<KeepingAlive, "killAtSteps" | "only">,
): Promise<{ world: LabWorld; bot: KeptAlive; survived: ReadonlySet<string> }> {
  const survived = new Set<string>();
  const { world, close } = await openPatientWorld("crash");
  onTestFinished(close);
  const bot = await keepAlive(world, { survived, ...died });
  // The last to be named is the first to be called.
  onTestFinished(bot.stop);
  return { world, bot, survived };
}

async function expectOneOfEach({ forge }: LabWorld): Promise<void> {
  expect(forge.pulls().map((pull) => pull.merged)).toEqual([true]);
  const [pull] = forge.pulls();
  const detail = await forge.pull(pull?.number ?? 0);
  expect(detail.commits).toBe(1);
  const own = forge.comments(pull?.number ?? 0).filter((comment) => comment.user?.type === "Bot");
  expect(own).toHaveLength(1);
  expect(own[0]?.body).toContain("**Recovered**");
  const checks = forge.checks(pull?.head.sha ?? "").filter((check) => check.name === "rectify");
  expect(checks).toHaveLength(1);
}

// It only ends what hangs: dying some forty times takes minutes, on a busy machine a quarter of an hour.
const timeout = 1_800_000;
// Sooner, so that a hang says what was waited for.
const patienceMs = 1_700_000;

const isOver = (told: readonly Line[]) => told.some((line) => line.verb === "learn");

test.concurrent("killed at every step boundary, the workflow ends with one of everything", {
  timeout,
}, async (context) => {
  const { world, bot, survived } = await ran(context, { killAtSteps: true });
  await until("a quiet shop", () => world.cluster.isSynced());
  world.cluster.setLoad("web", 260);
  await approveOnce(world);
  await until("the end of the incident", () => isOver(bot.told) && survived.has("learn/recorded"), patienceMs);
  await until("the last report", () =>
    world.forge.comments(1).some((comment) => comment.body?.includes("**Recovered**")),
  );
  // Every step died at its beginning, with its answer in hand, and with its answer on record.
  const steps = new Set([...survived].map((point) => point.split("/")[0]));
  for (const step of steps) expect([...survived].filter((point) => point.startsWith(`${step}/`))).toHaveLength(3);
  for (const step of [
    "collect",
    "diagnose",
    "plan",
    "gate",
    "draft",
    "propose",
    "hear",
    "decide",
    "merge",
    "sync",
    "verify",
    "learn",
  ]) {
    expect(steps).toContain(step);
  }
  expect(bot.deaths()).toBeGreaterThanOrEqual(3 * steps.size - 1);
  await expectOneOfEach(world);
});

test.concurrent("L07 killed after the model's answer, the workflow keeps that answer and asks no second time", {
  timeout,
}, async (context) => {
  // The first point at which a diagnosis with the model's answer is on record.
  const { world, bot, survived } = await ran(context, { killAtSteps: true, only: "plan/begin" });
  const { model } = world;
  if (model === undefined) throw new Error("this needs the scripted model: unset OLLAMA_HOST");
  await until("a quiet shop", () => world.cluster.isSynced());
  world.cluster.setLoad("web", 260);
  await until("the death", () => survived.has("plan/begin"), 120_000);
  model.setBehaviour("liar");
  const asked = model.calls.length;
  const pull = await until("the pull request", () => world.forge.pulls()[0], 120_000);
  expect(bot.deaths()).toBe(1);
  expect(model.calls.length).toBe(asked);
  expect(asked).toBeGreaterThan(0);
  expect(pull.body).toContain("The measurements fit this cause best");
  expect(pull.body).not.toContain("was not used");
});

test.concurrent("killed inside every write to GitHub, the workflow ends with one of everything", {
  timeout,
}, async (context) => {
  const { world, bot } = await ran(context, { killAtSteps: false });
  const died = killAtWrites(world, bot);
  await until("a quiet shop", () => world.cluster.isSynced());
  world.cluster.setLoad("web", 260);
  await approveOnce(world);
  await until("the end of the incident", () => isOver(bot.told), patienceMs);
  await until("the last report", () =>
    world.forge.comments(1).some((comment) => comment.body?.includes("**Recovered**")),
  );
  for (const call of [
    "git/trees",
    "git/commits",
    "git/refs",
    "pulls",
    "issues/N/labels",
    "issues/N/comments",
    "check-runs",
  ]) {
    const name = `POST /repos/rectify-lab/shop/${call}`;
    expect([...died]).toEqual(expect.arrayContaining([`${name} before`, `${name} after`]));
  }
  const merge = "PUT /repos/rectify-lab/shop/pulls/N/merge";
  expect([...died]).toEqual(expect.arrayContaining([`${merge} before`, `${merge} after`]));
  await until("the last death", () => bot.deaths() >= died.size);
  await expectOneOfEach(world);
});
