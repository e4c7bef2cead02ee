import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ollamaEmbedding, ollamaModel, type OllamaOptions } from "../../../src/adapters/ollama/ollama.ts";
import { loadPrompts } from "../../../src/adapters/ollama/prompts.ts";
import { readAnswer } from "../../../src/domain/llm/question.ts";
import type { Model } from "../../../src/ports/model.ts";
import { anIncident } from "../../builders.ts";
import { aQuestion } from "../../domain/llm/a-question.ts";
import { builtOllama, type OllamaServer, startOllama } from "../../ollama/server.ts";
import { tinyDimension } from "../../ollama/tiny-model.ts";

const binary = builtOllama();
const needed = process.env.RECTIFY_NEEDS_OLLAMA === "1";

/*
 * The protocol with a real server. The models are of random weights: what they choose means nothing, that it fits the
 * schema is the server's doing.
 */
describe.skipIf(binary === undefined && !needed)(
  "with a real Ollama (skipped until `bash test/tools/build.sh ollama` has built it)",
  () => {
    let server: OllamaServer;
    const question = aQuestion({ remedies: [{ id: "R1", sentence: "scale web from 3 replicas to 5" }] });
    const incident = anIncident();
    // Each sign is a token for these models: six times more than for a real one.
    const roomy = 24_576;
    const modelOf = (model: string, options: Partial<OllamaOptions> = {}) =>
      ollamaModel({ host: server.url, model, contextTokens: roomy, ...options });
    const request = (change: Partial<Parameters<Model["ask"]>[0]> = {}): Parameters<Model["ask"]>[0] => ({
      ...{ system: loadPrompts().diagnose, prompt: question.prompt, schema: question.schema, deadlineMs: 120_000 },
      ...{ incident: incident.uid, traceId: incident.traceId, ...change },
    });
    const failure = (call: Promise<unknown>) => call.catch((error: unknown) => error);
    const tags = async () => (await fetch(`${server.url}/api/tags`).then((answer) => answer.json())) as Tags;

    beforeAll(async () => {
      if (binary === undefined)
        throw new Error("RECTIFY_NEEDS_OLLAMA=1, and there is none: bash test/tools/build.sh ollama");
      server = await startOllama(binary);
      await server.create("closing", "closing");
      await server.create("endless", "endless");
    }, 120_000);
    afterAll(() => server?.stop());

    test("an answer under the grammar is an answer to our question, with the digest of the weights", async () => {
      const answer = await modelOf("closing").ask(request());
      expect(readAnswer(answer.text, answer.doneReason, question)).toMatchObject({ kind: "answered" });
      const { models } = await tags();
      expect(models.map(({ name }) => name).sort()).toEqual(["closing:latest", "endless:latest"]);
      expect(answer.digest).toBe(models.find(({ name }) => name === "closing:latest")?.digest);
      expect(answer.promptTokens).toBeGreaterThan(question.prompt.length / 2);
      expect(answer.answerTokens).toBeGreaterThan(0);
    }, 180_000);

    test("the same question has the same answer", async () => {
      const [first, second] = [await modelOf("closing").ask(request()), await modelOf("closing").ask(request())];
      expect(second.text).toBe(first.text);
    }, 180_000);

    test("a model that does not come to an end is cut at our number of tokens, and its answer is not used", async () => {
      const answer = await modelOf("endless").ask(request());
      expect(answer).toMatchObject({ doneReason: "length", answerTokens: 700 });
      expect(readAnswer(answer.text, answer.doneReason, question)).toMatchObject({
        kind: "unusable",
        because: expect.stringContaining("ran out of tokens"),
      });
    }, 180_000);

    test("our deadline ends the call at the server too", async () => {
      const ended = endedCalls(server);
      const error = await failure(modelOf("endless").ask(request({ deadlineMs: 150 })));
      expect(error).toMatchObject({ name: "Unavailable", message: "Ollama: no answer in time" });
      await expect.poll(() => endedCalls(server), { timeout: 10_000 }).toBe(ended + 1);
    }, 180_000);

    test("a caller that takes its question back ends the call at the server too", async () => {
      const ended = endedCalls(server);
      const cancel = new AbortController();
      const asked = failure(modelOf("endless").ask(request({ signal: cancel.signal })));
      setTimeout(() => cancel.abort(), 150);
      expect(await asked).toMatchObject({ name: "Unavailable", message: "Ollama: the call was broken off" });
      await expect.poll(() => endedCalls(server), { timeout: 10_000 }).toBe(ended + 1);
      expect(await modelOf("closing").ask(request())).toMatchObject({ doneReason: "stop" });
    }, 180_000);

    test("a prompt over the context is refused by the server, not cut", async () => {
      // By our estimate it fits; by the tokenizer of this model it does not.
      const error = await failure(modelOf("closing", { contextTokens: 2048 }).ask(request()));
      expect(error).toMatchObject({ name: "Refused", message: expect.stringMatching(/HTTP 400 .*context/) });
    }, 180_000);

    test("a model that nobody created is away, with what to do", async () => {
      expect(await failure(modelOf("llama9").ask(request()))).toMatchObject({
        message: 'Ollama: there is no model llama9: run "ollama pull llama9"',
      });
    });

    test("texts become vectors of the model's size, and a text over its context is refused", async () => {
      const embedding = ollamaEmbedding({ host: server.url, model: "closing" });
      const { vectors, digest } = await embedding.embed(["web is slow", "web is slow", "the disk is full"]);
      expect(vectors.map((vector) => vector.length)).toEqual([tinyDimension, tinyDimension, tinyDimension]);
      expect(vectors[0]).toEqual(vectors[1]);
      expect(vectors[0]).not.toEqual(vectors[2]);
      expect(digest).toBe((await tags()).models.find(({ name }) => name === "closing:latest")?.digest);
      expect(await failure(embedding.embed(["x".repeat(40_000)]))).toMatchObject({ name: "Refused" });
    }, 180_000);
  },
);

interface Tags {
  readonly models: readonly { readonly name: string; readonly digest: string }[];
}

/** Questions that the server gave up because the asker hung up. */
function endedCalls(server: OllamaServer): number {
  return server.log().match(/\| (?:499|500) \|[^\n]*"\/api\/chat"/g)?.length ?? 0;
}
