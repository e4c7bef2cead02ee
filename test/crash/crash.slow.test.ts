import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "vitest";
import { approver, ciApp, scenarioOf } from "../../src/lab/scenarios/catalogue.ts";
import { until } from "../../src/lab/start.ts";
import { type LabWorld, openWorld } from "../../src/lab/world.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Line {
  readonly point?: string;
  readonly verb?: string;
  readonly text?: string;
  readonly webhookPort?: number;
  readonly internalPort?: number;
}

/** A world for a story that is interrupted all the time: nothing in it gives up waiting. */
async function patientWorld(): Promise<LabWorld> {
  const directory = mkdtempSync(join(tmpdir(), "rectify-crash-"));
  const scenario = scenarioOf("scale");
  if (!scenario) throw new Error("the scenario is gone");
  const world = await openWorld(directory, scenario);
  closing.push(async () => {
    await world.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const long = 3_600_000;
  const timings = { ...world.settings.timings, decideTimeoutMs: long, syncTimeoutMs: long, verifyTimeoutMs: long };
  return { ...world, settings: { ...world.settings, timings, mostRecoveries: 100 } };
}

/** Keeps Rectify running: whenever its process dies, the next one starts, and learns which points were survived. */
function keepAlive(world: LabWorld, survived: Set<string>, killAtSteps: boolean, only?: string) {
  let child: ChildProcess;
  let wanted = true;
  const told: Line[] = [];
  let deaths = 0;
  const start = () => {
    child = spawn(process.execPath, ["--import", "tsx", "test/crash/child.ts"], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin?.end(JSON.stringify({ settings: world.settings, survived: [...survived], kill: killAtSteps, only }));
    createInterface({ input: child.stdout ?? process.stdin }).on("line", (text) => {
      const line = JSON.parse(text) as Line;
      if (line.point !== undefined) survived.add(line.point);
      else if (line.webhookPort !== undefined)
        void world.join({ webhookPort: line.webhookPort, internalPort: line.internalPort ?? 0 });
      else told.push(line);
    });
    child.on("exit", () => {
      if (!wanted) return;
      deaths += 1;
      start();
    });
  };
  start();
  return {
    told,
    deaths: () => deaths,
    kill: () => child.kill("SIGKILL"),
    stop: async () => {
      wanted = false;
      const gone = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await gone;
    },
  };
}

/** What people and CI do, once each, however often the bot dies meanwhile. */
async function people(world: LabWorld): Promise<void> {
  const { forge } = world;
  const pull = await until("the pull request", () => forge.pulls()[0], 600_000);
  await forge.reportCheck({ sha: pull.head.sha, name: "rectify-policy", appId: ciApp, conclusion: "success" });
  await forge.comment(pull.number, approver, "/approve-scale");
}

async function expectOneOfEach({ forge }: LabWorld): Promise<void> {
  expect(forge.pulls().map((pull) => pull.merged)).toEqual([true]);
  const [pull] = forge.pulls();
  const detail = await forge.pull(pull?.number ?? 0);
  expect(detail.commits).toBe(1);
  const own = forge.comments(pull?.number ?? 0).filter((comment) => comment.user?.type === "Bot");
  expect(own).toHaveLength(1);
  expect(own[0]?.body).toContain("Ended");
  const checks = forge.checks(pull?.head.sha ?? "").filter((check) => check.name === "rectify");
  expect(checks).toHaveLength(1);
}

const isOver = (told: readonly Line[]) => told.some((line) => line.verb === "learn");

test("killed at every step boundary, the story ends with one of everything", { timeout: 900_000 }, async () => {
  const world = await patientWorld();
  const survived = new Set<string>();
  const bot = keepAlive(world, survived, true);
  closing.push(bot.stop);
  await until("a quiet shop", () => world.cluster.isSynced());
  world.cluster.setLoad("web", 260);
  await people(world);
  await until("the end of the story", () => isOver(bot.told) && survived.has("learn/recorded"), 800_000);
  await until("the last report", () => world.forge.comments(1).some((comment) => comment.body?.includes("Ended")));
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
  const bot = keepAlive(world, survived, true, "plan/begin");
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
  const bot = keepAlive(world, new Set(), false);
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
  await people(world);
  await until("the end of the story", () => isOver(bot.told), 800_000);
  await until("the last report", () => world.forge.comments(1).some((comment) => comment.body?.includes("Ended")));
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
