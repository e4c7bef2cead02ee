import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { keepPart, type Part } from "../../../src/server/several/part.ts";
import type { Settings } from "../../../src/settings/settings.ts";
import { scratchDirectory } from "../../scratch.ts";

const program = fileURLToPath(new URL("./part-program.mjs", import.meta.url));
const patience = { timeout: 30_000, interval: 50 };
let told: string[] = [];
let part: Part | undefined;
afterEach(async () => {
  await part?.close();
  part = undefined;
});

function start(cluster: string, limits = { watchMs: 10_000, startMs: 180_000 }): Part {
  told = [];
  const settings = { repository: { owner: "acme", repo: "bank" }, cluster } as unknown as Settings;
  const log = (incident: string, verb: string, text: string) => void told.push(`${incident} ${verb} ${text}`);
  part = keepPart({ settings, program, telemetry: { log }, limits });
  return part;
}

const pidOf = (running: Part) => running.pid() ?? 0;

test("a process that was killed is told, and started again", async () => {
  const running = start("lab");
  expect(await running.begun).toBeUndefined();
  const first = pidOf(running);
  process.kill(first, "SIGKILL");
  await vi.waitFor(() => expect(running.ports()).toBeUndefined(), patience);
  expect(running.trouble()).toBe("ended by SIGKILL");
  await vi.waitFor(() => expect(pidOf(running)).not.toBe(0), patience);
  expect(pidOf(running)).not.toBe(first);
  expect(running.trouble()).toBeUndefined();
  expect(told.filter((line) => line.startsWith("i-1"))).toEqual(Array(2).fill("i-1 plan acme/bank: scale"));
  expect(told).toContain(" serve acme/bank: its process has ended and is started again: ended by SIGKILL");
});

test.each([
  ["refuses", "the App is not installed"],
  ["dies", "exit code 3"],
])("what %s at its start says why", async (cluster, because) => {
  const running = start(cluster);
  expect(running.trouble()).toBe("it is starting");
  expect(await running.begun).toBe(because);
  expect([running.ports(), running.pid(), running.trouble()]).toEqual([undefined, undefined, because]);
  expect(told).toEqual([` serve acme/bank: it cannot start: ${because}`]);
});

test("what cannot start is started again until it can", async () => {
  const sign = join(scratchDirectory(), "may-start");
  const running = start(`refuses-until ${sign}`);
  expect(await running.begun).toBe("no answer");
  writeFileSync(sign, "");
  await vi.waitFor(() => expect(running.trouble()).toBeUndefined(), patience);
  expect(pidOf(running)).not.toBe(0);
});

test("it ends with the one that started it", async () => {
  const running = start("lab");
  await running.begun;
  const pid = pidOf(running);
  await running.close();
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});

test("a process that hangs is ended, and started again", async () => {
  const running = start("lab", { watchMs: 1_000, startMs: 180_000 });
  await running.begun;
  const first = pidOf(running);
  // It never answers this.
  void fetch(`http://127.0.0.1:${running.ports()?.internal}/hang`).catch(() => undefined);
  await vi.waitFor(() => expect([0, first]).not.toContain(pidOf(running)), patience);
  expect(told).toContain(
    " serve acme/bank: its process is ended: it gave no answer 3 times in a row (no answer in time)",
  );
  expect(() => process.kill(first, 0)).toThrow("ESRCH");
});

test("a start that comes to no end is a failed one", async () => {
  const running = start("never-begins", { watchMs: 1_000, startMs: 2_000 });
  expect(await running.begun).toBe("it did not begin within 2 s");
});
