import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { type Part, startPart } from "../../../src/server/several/part.ts";
import type { Settings } from "../../../src/settings/settings.ts";

const program = fileURLToPath(new URL("./part-program.mjs", import.meta.url));
const patience = { timeout: 30_000, interval: 50 };
let told: string[] = [];
let part: Part | undefined;
afterEach(async () => {
  await part?.close();
  part = undefined;
});

async function start(cluster: string): Promise<Part> {
  told = [];
  const settings = { repository: { owner: "acme", repo: "bank" }, cluster } as unknown as Settings;
  const log = (incident: string, verb: string, text: string) => void told.push(`${incident} ${verb} ${text}`);
  part = await startPart({ settings, program, telemetry: { log } });
  return part;
}

const pidOf = (running: Part | undefined) => running?.ports()?.webhooks ?? 0;

test("a process that was killed is told, and started again", async () => {
  const running = await start("lab");
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

test("what cannot start says why, and is not started again", async () => {
  await expect(start("refuses")).rejects.toThrow("the App is not installed");
  await expect(start("dies")).rejects.toThrow("exit code 3");
});

test("it ends with the one that started it", async () => {
  const running = await start("lab");
  const pid = pidOf(running);
  await running.close();
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});
