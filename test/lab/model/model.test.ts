import { afterEach, describe, expect, test } from "vitest";
import { readAnswer } from "../../../src/domain/llm/question.ts";
import type { Behaviour } from "../../../src/lab/model/behaviour.ts";
import { labModelName, startModel } from "../../../src/lab/model/model.ts";
import { aQuestion } from "../../domain/llm/a-question.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function aModel(behaviour?: Behaviour) {
  const model = await startModel(behaviour === undefined ? {} : { behaviour });
  closing.push(() => model.close());
  const post = async (path: string, body: object) => {
    const response = await fetch(model.url + path, { method: "POST", body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { ...model, post };
}

const question = aQuestion();
const chat = { model: labModelName, stream: false, messages: [{ role: "user", content: question.prompt }] };
const contentOf = (body: Record<string, unknown>) => (body.message as { content: string }).content;

describe("the lab's stand-in for the model", () => {
  test("answers a question honestly: listed ids, a number in the middle, evidence that is shown", async () => {
    const { body } = await (await aModel()).post("/api/chat", chat);
    expect(readAnswer(contentOf(body), String(body.done_reason), question)).toMatchObject({
      ...{ kind: "answered", causeId: "C1", remedyId: "R1", number: 5, citing: ["E1", "E2", "E3"] },
    });
  });

  test("answers the same over /api/generate", async () => {
    const model = await aModel();
    const { body } = await model.post("/api/generate", { model: labModelName, prompt: question.prompt, stream: false });
    expect(readAnswer(String(body.response), String(body.done_reason), question).kind).toBe("answered");
  });

  test("cites only what the prompt shows when there is no evidence", async () => {
    const empty = aQuestion({ evidence: [] });
    const { body } = await (await aModel()).post("/api/chat", { ...chat, messages: [{ content: empty.prompt }] });
    expect(JSON.parse(contentOf(body))).toMatchObject({ citing: [] });
  });

  test("streams when it is asked to, as a server does without being told otherwise", async () => {
    const model = await aModel();
    const response = await fetch(`${model.url}/api/chat`, {
      method: "POST",
      body: JSON.stringify({ ...chat, stream: true }),
    });
    const lines = (await response.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: "stop" });
    expect(readAnswer(lines.map(contentOf).join(""), "stop", question).kind).toBe("answered");
  });

  test("lies, and can be told to stop lying", async () => {
    const model = await aModel("liar");
    const lie = await model.post("/api/chat", chat);
    expect(readAnswer(contentOf(lie.body), "stop", question)).toMatchObject({ kind: "unusable" });
    model.setBehaviour("honest");
    const truth = await model.post("/api/chat", chat);
    expect(readAnswer(contentOf(truth.body), "stop", question).kind).toBe("answered");
  });

  test("keeps what it heard: path, headers, body, the whole prompt", async () => {
    const model = await aModel();
    await model.post("/api/chat", { ...chat, messages: [{ role: "system", content: "rules" }, ...chat.messages] });
    expect(model.calls).toHaveLength(1);
    expect(model.calls[0]).toMatchObject({
      path: "/api/chat",
      prompt: `rules\n\n${question.prompt}`,
      body: { model: labModelName },
    });
  });

  test("knows only its own model, as a server does", async () => {
    const model = await aModel();
    expect(await model.post("/api/chat", { ...chat, model: "other" })).toMatchObject({
      status: 404,
      body: { error: "model 'other' not found" },
    });
    expect(await (await fetch(`${model.url}/api/tags`)).json()).toMatchObject({ models: [{ name: labModelName }] });
    expect(await (await fetch(`${model.url}/api/version`)).json()).toHaveProperty("version");
    expect((await model.post("/api/show", { model: labModelName })).body).toMatchObject({
      capabilities: ["completion", "embedding"],
    });
    expect((await fetch(`${model.url}/api/none`)).status).toBe(404);
  });

  test("refuses what models without it refuse: thinking and tools", async () => {
    const model = await aModel();
    expect(await model.post("/api/chat", { ...chat, think: true })).toMatchObject({ status: 400 });
    expect(await model.post("/api/chat", { ...chat, tools: [{ type: "function" }] })).toMatchObject({ status: 400 });
  });

  test("gives texts with the same words vectors that are near", async () => {
    const { body } = await (await aModel()).post("/api/embed", {
      model: labModelName,
      input: ["web is slow", "slow is web", "disk full"],
    });
    const [a = [], b = [], c = []] = body.embeddings as number[][];
    const near = (x: number[], y: number[]) => x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0);
    expect(near(a, b)).toBeCloseTo(1);
    expect(near(a, c)).toBeLessThan(0.9);
  });
});
