import { expect, test } from "vitest";
import { renderDefaultGuardrails } from "../../../src/domain/guardrails/guardrails.ts";
import { readGuardrails } from "../../../src/manifests/repository/guardrails-file.ts";

const encoder = new TextEncoder();

function placesOf(text: string): [number, string][] {
  const read = readGuardrails(encoder.encode(text));
  return read.ok ? [] : read.problems.map((problem) => [problem.line, problem.text.split(":")[0] ?? ""]);
}

test.each<[string, string, [number, string][]]>([
  ["an unknown field", "namespaces: [shop]\n\n# a comment\nmaxReplica: 5\n", [[4, "maxReplica"]]],
  ["a value", "maxReplicas: many\n", [[1, "maxReplicas"]]],
  [
    "a value deep inside",
    "approvers:\n  approve-scale:\n    teams: [a/b]\n    count: 0\n",
    [[4, "approvers.approve-scale.count"]],
  ],
  ["an item of a list", "namespaces:\n  - shop\n  - Shop!\n", [[3, "namespaces.1"]]],
  ["a field that is missing", "priceBook:\n  cpuHour: 1\n  currency: EUR\n", [[1, "priceBook.memoryGiBHour"]]],
  ["fields that contradict each other", "freeze: false\nminReplicas: 20\n", [[2, "minReplicas"]]],
  [
    "a field behind an anchor",
    "x-a: &a {zone: 1}\nleases: *a\n",
    [
      [1, "leases.zone"],
      [1, "x-a"],
    ],
  ],
  ["Windows' line ends and a byte order mark", "\uFEFFfreeze: true\r\nmaxReplica: 5\r\n", [[2, "maxReplica"]]],
  ["broken YAML", "freeze: true\nnamespaces: [\n", [[3, "the file"]]],
  ["two documents", "freeze: true\n---\nfreeze: false\n", [[1, "the file"]]],
  ["something else than fields", "- freeze\n", [[1, "the file"]]],
])("names the line of %s", (_, text, places) => {
  expect(placesOf(text)).toEqual(places);
});

test("sorts the problems by line", () => {
  expect(placesOf("windows: 1\nzzz: 1\nkinds: 1\n").map(([line]) => line)).toEqual([1, 2, 3]);
});

test("takes the file that it proposes, and an empty one", () => {
  expect(readGuardrails(encoder.encode(renderDefaultGuardrails())).ok).toBe(true);
  expect(readGuardrails(encoder.encode("")).ok).toBe(true);
});

test("a file that is far too big is not parsed", () => {
  expect(placesOf(`# ${"x".repeat(300_000)}\n`)).toEqual([[1, "the file"]]);
});
