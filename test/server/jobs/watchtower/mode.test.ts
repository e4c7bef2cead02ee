import { expect, test } from "vitest";
import { openWatchtower } from "../../../../src/server/jobs/watchtower/mode.ts";

const limits = { p99Ms: 2_000, windowMs: 20_000, goodCalls: 3, quietMs: 1_000 };

function world() {
  let stored: unknown;
  let now = 1_000_000;
  const told: string[] = [];
  const open = () =>
    openWatchtower({
      record: {
        readWatchtower: async () => stored,
        saveWatchtower: async (state) => {
          stored = JSON.parse(JSON.stringify(state));
        },
      },
      clock: { now: () => new Date(now) },
      telemetry: { log: (_incident, _verb, text) => void told.push(text) },
      limits,
    });
  return { open, told, later: (ms: number) => void (now += ms) };
}

test("a slow call begins the mode, it is told once, and a restart does not end it", async () => {
  const { open, told } = world();
  const mode = await open();
  mode.record({ kind: "call", durationMs: 3_000, ok: true });
  mode.record({ kind: "call", durationMs: 3_000, ok: true });
  await mode.saved();
  expect((await open()).state().mode).toBe("watching");
  expect(told).toEqual([expect.stringContaining("watching since")]);
});

test("it ends by itself when good calls outweigh the slow ones and the reasons stayed away", async () => {
  const { open, told, later } = world();
  const mode = await open();
  mode.record({ kind: "call", durationMs: 3_000, ok: true });
  for (let count = 0; count < 3; count += 1) mode.record({ kind: "call", durationMs: 10, ok: true });
  expect(mode.state().mode).toBe("watching");
  later(limits.quietMs);
  mode.record({ kind: "tick" });
  expect(mode.state().mode).toBe("acting");
  expect(told).toHaveLength(2);
});
