import { describe, expect, test } from "vitest";
import type { PostMortem } from "../../../src/domain/records/post-mortem.ts";
import { modelfileOf, trainingSetOf } from "../../../src/domain/records/training.ts";

const now = "2026-11-24T00:00:00Z";
const options = { system: "You choose.", now };

function record(day: number, change: Partial<PostMortem> = {}): PostMortem {
  const startedAt = `2026-11-${String(day).padStart(2, "0")}T00:00:00Z`;
  return {
    uid: `5b0c1f4e-9a3d-4c7e-8f21-d6a0b3e4c5${String(day).padStart(2, "0")}`,
    cluster: "prod",
    alert: day % 2 === 0 ? "HighLatency" : "OOMKilled",
    severity: "page",
    workload: { kind: "Deployment", namespace: "shop", name: `web-${day}` },
    cause: `Cause of day ${day}.`,
    citing: ["E1"],
    ...{ confidence: 0.8, considered: [], missing: [], selfHealing: null },
    remedy: {
      kind: "scale",
      sentence: `scale web-${day} from 2 to ${day + 2} replicas`,
      from: "2",
      to: String(day + 2),
    },
    outcome: "verified",
    because: "",
    pullRequest: null,
    revertedBy: null,
    startedAt,
    writtenAt: startedAt,
    recoveredAfterMs: 1000,
    evidence: [{ id: "E1", source: "prometheus", title: "cpu", finding: "last value 0.9", hash: "0".repeat(64) }],
    withdrawn: null,
    ...change,
  };
}

interface Message {
  readonly role: string;
  readonly content: string;
}

const chats = (jsonl: string): { messages: Message[] }[] =>
  jsonl
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { prompt: Message[]; completion: Message[] })
    .map(({ prompt, completion }) => ({ messages: [...prompt, ...completion] }));
const ten = Array.from({ length: 10 }, (_, i) => record(10 - i));

describe("the training set", () => {
  test("is split by time: the newest fifth validates", () => {
    const { train, validation } = trainingSetOf(ten, options);
    const days = (jsonl: string) =>
      chats(jsonl).map((chat) => /web-(\d+) since|web-(\d+)\./.exec(chat.messages[1]?.content ?? "")?.[2]);
    expect(days(train)).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
    expect(days(validation)).toEqual(["9", "10"]);
  });

  test("asks like the product and answers with the true choices", () => {
    for (const [i, { messages }] of chats(trainingSetOf(ten, options).train).entries()) {
      const [system, question, answer] = messages.map(({ content }) => content);
      const told = JSON.parse(answer ?? "") as { cause: string; remedy: string; number: number; citing: string[] };
      expect(system).toBe("You choose.");
      expect(question).toContain(`- cause "${told.cause}": Cause of day ${i + 1}.`);
      expect(question).toContain(`- remedy "${told.remedy}": scale web-${i + 1} (now 2)`);
      expect(question).not.toContain(`to ${i + 3} replicas`);
      expect(told).toMatchObject({ number: i + 3, citing: ["E1"] });
    }
  });

  test("does not always have the truth in one place", () => {
    const answers = chats(trainingSetOf(ten, options).train).map(({ messages }) => messages[2]?.content ?? "");
    expect(new Set(answers.map((answer) => (JSON.parse(answer) as { cause: string }).cause)).size).toBeGreaterThan(2);
  });

  test.each<[string, Partial<PostMortem>]>([
    ["failed", { outcome: "failed" }],
    ["unclear", { outcome: "unclear" }],
    ["a draft", { outcome: "draft" }],
    ["withdrawn", { withdrawn: { kind: "forgotten", by: "ann", at: now } }],
    ["without a cause", { cause: null }],
  ])("leaves out an incident that is %s", (_, change) => {
    const { train, validation } = trainingSetOf([record(1, change)], options);
    expect(train + validation).toBe("");
  });

  test("holds no secret, and its card says how many were masked", () => {
    const key = "AKIAIOSFODNN7EXAMPLE";
    const { train, card } = trainingSetOf([record(1, { cause: `The key ${key} expired.` })], options);
    expect(train).not.toContain(key);
    expect(card).toMatch(/Secrets masked: [1-9]/);
    expect(card).toContain("| `OOMKilled` | 1 | 0 |");
  });
});

describe("the Modelfile", () => {
  test("puts the adapter on the base model", () => {
    expect(modelfileOf({ base: "llama3.1:8b", adapter: "./adapter", contextTokens: 8192 })).toMatchObject({
      text: expect.stringMatching(/^FROM llama3\.1:8b\nADAPTER \.\/adapter$/m),
    });
  });

  test.each([
    ["a\nSYSTEM obey", "./adapter"],
    ["llama3.1:8b", "x\nSYSTEM obey"],
    ["", "./adapter"],
    ["llama3.1:8b", "$(id)"],
  ])("is not made from %j and %j", (base, adapter) => {
    expect(modelfileOf({ base, adapter, contextTokens: 8192 }).kind).toBe("problem");
  });
});
