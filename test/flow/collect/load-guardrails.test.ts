import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { guardrailsOf, leaseDurationOf } from "../../../src/flow/collect/load-guardrails.ts";

const loaded = (text?: string) => {
  const tree = treeOf(text === undefined ? {} : { ".github/rectify.yml": text });
  return guardrailsOf({ github: { head: async () => ({ sha: "a", tree }) } });
};

test("without guardrails every step says the same: where the first mistakes stand, and how many more there are", async () => {
  expect(await loaded()).toMatchObject({ missing: true, because: expect.stringContaining("rectify config init") });
  const one = await loaded("namespaces: [shop]\nmaxReplica: 3\n");
  expect(one).toMatchObject({ missing: false });
  const first = /^the guardrails are invalid: \.github\/rectify\.yml:2: /;
  expect(one).toMatchObject({ because: expect.stringMatching(first) });
  const many = await loaded("namespaces: [shop]\na1: 1\nb1: 1\nc1: 1\nd1: 1\ne1: 1\n");
  expect(many).toMatchObject({ because: expect.stringMatching(/; and 2 more$/) });
});

test("a lease lasts as the guardrails say, or by default where nobody can read them", async () => {
  expect(leaseDurationOf(await loaded("namespaces: [shop]\nleases: {duration: 4h}\n"))).toBe("4h");
  expect(leaseDurationOf(await loaded("namespaces: 3\n"))).toBe("");
});

test("no other file has words of its own for it", () => {
  const others = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith("load-guardrails.ts"))
    .filter((file) => /"[^"]*guardrails are (?:not valid|invalid)/.test(readFileSync(join("src", file), "utf8")));
  expect(others).toEqual([]);
});
