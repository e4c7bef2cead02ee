import { expect, test } from "vitest";
import { parseQuantity, renderCpu, renderMemory } from "../../../src/domain/kubernetes/quantity.ts";

test.each([
  ["250m", 0.25],
  ["1.5", 1.5],
  [".5", 0.5],
  ["2", 2],
  ["1e3", 1000],
  ["1E", 1e18],
  ["1E3", 1000],
  ["512Mi", 512 * 2 ** 20],
  ["1Gi", 2 ** 30],
  ["1k", 1000],
  ["100n", 1e-7],
  ["", undefined],
  ["Mi", undefined],
  ["1 Gi", undefined],
  ["1KB", undefined],
  ["{{ x }}", undefined],
])("reads %s", (text, value) => {
  const read = parseQuantity(text);
  if (value === undefined) expect(read).toBeUndefined();
  else expect(read).toBeCloseTo(value, 12);
});

test.each([
  [0.25, "250m"],
  [0.3, "300m"],
  [0.251, "260m"],
  [0.001, "10m"],
  [1.21, "1300m"],
  [2, "2"],
])("writes %s cores", (cores, text) => expect(renderCpu(cores)).toBe(text));

test.each([
  [1, "16Mi"],
  [250 * 2 ** 20, "256Mi"],
  [2 ** 30, "1Gi"],
  [1.1 * 2 ** 30, "1152Mi"],
])("writes %s bytes", (bytes, text) => expect(renderMemory(bytes)).toBe(text));
