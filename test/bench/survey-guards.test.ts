import { expect, test } from "vitest";
import { isForbidden } from "./survey-guards.ts";

const values = "replicaCount: 2\nimage: {repository: web, tag: '1'}\n";

test.each([
  ["# image.tag is owned by CI, never edit", "replicas", false],
  ["# image.tag is owned by CI, never edit", "image-tag", true],
  ["# never edit this file", "replicas", true],
  ["# see other.yaml, never edit", "replicas", true],
  ["# a file of values", "replicas", false],
] as const)("%s forbids another %s: %s", (head, kind, expected) => {
  expect(isForbidden([`${head}\n${values}`], { kind })).toBe(expected);
});
