import { afterEach, expect, test } from "vitest";
import { until } from "../../src/lab/start.ts";
import type { LabWorld } from "../../src/lab/world.ts";
import { approveOnce, keepAlive, type Line, openPatientWorld } from "./keep-alive.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A world for a story that is interrupted all the time. */
async function patientWorld(): Promise<LabWorld> {
  const { world, close } = await openPatientWorld("crash");
  closing.push(close);
  return world;
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

const isOver = (told: readonly Line[]) => told.some((line) => line.verb === "learn");

test("killed at every step boundary, the story ends with one of everything", { timeout: 900_000 }, async () => {
  const world = await patientWorld();
  const survived = new Set<string>();
  const bot = await keepAlive(world, { survived, killAtSteps: true });
  closing.push(bot.stop);
  await until("a quiet shop", () => world.cluster.isSynced());
  world.cluster.setLoad("web", 260);
  await approveOnce(world);
  await until("the end of the story", () => isOver(bot.told) && survived.has("learn/recorded"), 800_000);
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

test("L07 killed after the model's answer, the story keeps that answer and asks no second time", {
  timeout: 300_000,
}, async () => {
  const world = await patientWorld();
  const { model } = world;
  if (model === undefined) throw new Error("this needs the scripted model: unset OLLAMA_HOST");
  // The first point at which a diagnosis with the model's answer is on record.
  const survived = new Set<string>();
  const bot = await keepAlive(world, { survived, killAtSteps: true, only: "plan/begin" });
  closing.push(bot.stop);
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

test("killed inside every write to GitHub, the story ends with one of everything", { timeout: 900_000 }, async () => {
  const world = await patientWorld();
  const bot = await keepAlive(world, { survived: new Set(), killAtSteps: false });
  closing.push(bot.stop);
  const died = new Set<string>();
  world.forge.faults = ({ method, path }) => {
    if (method === "GET" || path.includes("access_tokens")) return undefined;
    const call = `${method} ${path.replace(/[0-9a-f]{40}|\d+/g, "N")}`;
    const when = (["before", "after"] as const).find((moment) => !died.has(`${call} ${moment}`));
    if (when === undefined) return undefined;
    died.add(`${call} ${when}`);
    bot.kill();
    return { when, answer: "drop" };
  };
  await until("a quiet shop", () => world.cluster.isSynced());
  world.cluster.setLoad("web", 260);
  await approveOnce(world);
  await until("the end of the story", () => isOver(bot.told), 800_000);
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
  expect(bot.deaths()).toBeGreaterThanOrEqual(died.size);
  await expectOneOfEach(world);
});
