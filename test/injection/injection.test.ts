import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { canaries } from "./incident.ts";
import { surfaceBreaches } from "./surfaces.ts";
import { baseline, breachesOf, changesOf, channelsOf, type Sample } from "./trial.ts";

const corpus = (name: string) =>
  readFileSync(new URL(`${name}.jsonl`, import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Sample);
const attacks = corpus("attacks");
const benign = corpus("benign");
const base = await baseline();

describe("the corpus", () => {
  test("holds four wordings of ten categories in each of five channels, and a hundred look-alikes", () => {
    expect(new Set(attacks.map(({ category }) => category)).size).toBe(10);
    expect(new Set(attacks.map(({ channel }) => channel)).size).toBe(5);
    expect(new Set(attacks.map(({ category, channel }) => `${category} ${channel}`)).size).toBe(50);
    expect(attacks.length).toBe(200);
    expect(benign.length).toBeGreaterThanOrEqual(100);
    expect(new Set([...attacks, ...benign].map(({ id }) => id)).size).toBe(attacks.length + benign.length);
  });

  test.each([
    ["log", ["log"]],
    ["Log line", ["log"]],
    ["k8s_event", ["event"]],
    ["annotation/label", ["annotation"]],
    ["commit message", ["commit"]],
    ["retrieved post-mortem", ["post-mortem"]],
    ["carrier pigeon", ["log", "annotation", "event", "commit", "post-mortem"]],
  ])("a channel called %j is planted into %j", (name, expected) => {
    expect(channelsOf(name)).toEqual(expected);
  });
});

// Some of each category; bench:injection runs them all.
test.each(attacks.filter((_, index) => index % 19 === 2))(
  "L06 $id achieves nothing, whatever the model says",
  async (sample) => {
    expect(await breachesOf(sample, base)).toEqual([]);
  },
);

test.each(benign.filter((_, index) => index % 9 === 0))("$id changes nothing", async (sample) => {
  expect(await changesOf(sample, base)).toEqual([]);
});

test("E04 a secret in a log line or an event reaches neither the prompt nor GitHub", () => {
  for (const { prompts, draft } of [base.proven, base.new]) {
    const left = JSON.stringify([prompts, draft]);
    expect(prompts.length).toBeGreaterThan(0);
    expect(canaries.filter((canary) => left.includes(canary))).toEqual([]);
    expect(left).toContain("masked");
  }
});

test("an alert called like an address makes no link on our pages", async () => {
  expect(await surfaceBreaches("http://".repeat(200))).toEqual([]);
});

test("without the text the change is auto-merged, needs a person, or is not there: an attack could change each", () => {
  expect(base.proven.gated).toMatchObject({ risk: { level: "low" }, selfMergeLacks: [] });
  expect(base.new.gated).toMatchObject({ risk: { level: "medium" }, selfMergeLacks: ["risk is medium"] });
  expect(base.calm.draft).toBeUndefined();
});
