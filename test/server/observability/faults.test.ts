import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { logTelemetry } from "../../../src/adapters/telemetry/telemetry.ts";
import { openFaults, watchProcess } from "../../../src/server/observability/faults.ts";

function watched() {
  const told: string[] = [];
  const faults = openFaults({ log: (_incident, _verb, text) => told.push(text) });
  const process = new EventEmitter();
  const clock = { now: 0 };
  let ended = 0;
  watchProcess(process, faults, { end: () => (ended += 1), now: () => clock.now });
  return { told, faults, process, clock, ended: () => ended };
}

test("a rejection that nobody handles is logged with its stack, counted, and ends nothing", () => {
  const { told, faults, process, ended } = watched();
  process.emit("unhandledRejection", new Error("nobody waited"));
  process.emit("unhandledRejection", "a word");
  expect(told[0]).toMatch(/^rejection: Error: nobody waited\n +at .*faults\.test/);
  expect(told[1]).toBe("rejection: a word");
  expect(faults.counts()).toMatchObject({ rejection: 2, exception: 0 });
  expect(ended()).toBe(0);
});

test("an exception ends the process after it was logged, and so does a flood of rejections", () => {
  const exception = watched();
  exception.process.emit("uncaughtException", new Error("half done"));
  expect(exception.told).toHaveLength(1);
  expect(exception.ended()).toBe(1);

  const flood = watched();
  for (let index = 0; index < 300; index += 1) {
    flood.process.emit("unhandledRejection", new Error("slow"));
    flood.clock.now += 1_000;
  }
  expect(flood.ended()).toBe(0);
  for (let index = 0; index < 100; index += 1) flood.process.emit("unhandledRejection", new Error("fast"));
  expect(flood.ended()).toBeGreaterThan(0);
});

test("a fault of the log is counted and not told to the log", () => {
  const { told, faults } = watched();
  faults.record("log", new Error("EPIPE"));
  expect(told).toEqual([]);
  expect(faults.counts().log).toBe(1);
});

test("a log line is one line, whatever the stack holds", () => {
  const lines: string[] = [];
  const faults = openFaults(logTelemetry({ write: (line) => void lines.push(line) }));
  faults.record("rejection", new Error("a\nb\u001b[31m"));
  expect(lines.join("").trimEnd().split("\n")).toHaveLength(1);
});
