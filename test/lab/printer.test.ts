import { expect, test, vi } from "vitest";
import { labPrinter } from "../../src/lab/printer.ts";

test("a long silence is broken while the scenario goes on, and not once it is over", () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  const printer = labPrinter((line) => lines.push(line), false);
  vi.advanceTimersByTime(10_000);
  printer.stillThere();
  printer.rest();
  vi.advanceTimersByTime(10_000);
  printer.stillThere();
  vi.useRealTimers();
  expect(lines).toEqual([" 10.0s  lab       still going"]);
});
