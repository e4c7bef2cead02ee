import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { ollamaEmbedding, ollamaModel, type OllamaOptions } from "../../../src/adapters/ollama/ollama.ts";
import { loadPrompts } from "../../../src/adapters/ollama/prompts.ts";
import type { Behaviour } from "../../../src/lab/model/behaviour.ts";
import { labModelName, startModel } from "../../../src/lab/model/model.ts";
import type { Model, ModelAnswer } from "../../../src/ports/model.ts";
import { Refused, Unavailable } from "../../../src/ports/errors.ts";
import { readAnswer } from "../../../src/domain/llm/question.ts";
import { anIncident } from "../../builders.ts";
import { aQuestion } from "../../domain/llm/a-question.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const question = aQuestion();
const incident = anIncident();
type Request = Parameters<Model["ask"]>[0];

function aRequest(change: Partial<Request> = {}): Request {
  return {
    system: loadPrompts().diagnose,
    prompt: question.prompt,
    schema: question.schema,
    deadlineMs: 5_000,
    incident: incident.uid,
    traceId: incident.traceId,
    ...change,
  };
}

async function standIn(behaviour: Behaviour = "honest", delayMs?: number) {
  const server = await startModel(delayMs === undefined ? { behaviour } : { behaviour, delayMs });
  closing.push(() => server.close());
  return server;
}

function modelAt(host: string, options: Partial<OllamaOptions> = {}) {
  const model = ollamaModel({ host, model: labModelName, ...options });
  closing.push(() => model.close());
  return model;
}

/** A server that answers /api/tags properly and everything else as told. */
async function rawServer(chat: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume();
    request.on("error", () => undefined);
    if (request.url === "/api/tags") {
      response.end(JSON.stringify({ models: [{ name: labModelName, digest: "d1" }] }));
    } else if (request.url === "/api/show") response.writeHead(404).end("{}");
    else chat(request, response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const chatBody = (change: object = {}) =>
  JSON.stringify({
    message: { role: "assistant", content: "{}" },
    done: true,
    done_reason: "stop",
    prompt_eval_count: 900,
    eval_count: 3,
    ...change,
  });

const read = ({ text, doneReason }: ModelAnswer) => readAnswer(text, doneReason, question);
const failure = (call: Promise<unknown>) => call.catch((error: unknown) => error);

describe("a question to the model", () => {
  test("comes back with text, costs and the digest of the weights that answered", async () => {
    const server = await standIn();
    const answer = await modelAt(server.url).ask(aRequest());
    expect(read(answer)).toMatchObject({
      kind: "answered",
      causeId: "C1",
      remedyId: "R1",
      number: 5,
      citing: ["E1", "E2", "E3"],
    });
    expect(answer).toMatchObject({ model: labModelName, doneReason: "stop" });
    expect(answer.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(answer.promptTokens).toBeGreaterThan(0);
  });

  test("carries the incident and its trace in the headers and in the prompt", async () => {
    const server = await standIn();
    await modelAt(server.url).ask(aRequest());
    const [call] = server.calls;
    expect(call?.headers).toMatchObject({ "incident-uid": incident.uid, baggage: `incident.uid=${incident.uid}` });
    expect(call?.headers.traceparent).toMatch(new RegExp(`^00-${incident.traceId}-[0-9a-f]{16}-01$`));
    expect(call?.prompt).toContain(`Incident-UID: ${incident.uid}`);
    expect(call?.prompt).toContain(`Trace: ${incident.traceId}`);
  });

  test("is deterministic, bounded, closed by the schema, and free of switches that old models refuse", async () => {
    const server = await standIn();
    await modelAt(server.url, { contextTokens: 6000 }).ask(aRequest());
    const body = server.calls[0]?.body;
    expect(body).toMatchObject({ format: question.schema, stream: false, truncate: false, shift: false });
    expect(body?.options).toMatchObject({ temperature: 0, num_ctx: 6000, num_predict: 700 });
    expect(Object.keys(body ?? {})).not.toContain("think");
    expect(Object.keys(body ?? {})).not.toContain("tools");
  });

  test("begins with the rules, whole", async () => {
    const server = await standIn();
    await modelAt(server.url).ask(aRequest());
    expect(server.calls[0]?.prompt.startsWith(loadPrompts().diagnose)).toBe(true);
  });

  test("puts no illegal header on the wire when the trace id is none", async () => {
    const server = await standIn();
    await modelAt(server.url).ask(aRequest({ traceId: "x\r\nevil: 1", incident: "a b" }));
    expect(server.calls[0]?.headers).not.toHaveProperty("traceparent");
    expect(server.calls[0]?.headers).not.toHaveProperty("incident-uid");
  });
});

describe("a model that misbehaves (L01–L03)", () => {
  test.each<[Behaviour, string]>([
    ["garbage", "not one JSON object"],
    ["empty", "empty"],
    ["blank", "empty"],
    ["cut", "ran out of tokens"],
    ["chatty", "fields that nobody asked for"],
    ["greedy", "not between 4 and 6"],
    ["liar", "a cause that was not listed"],
  ])("%s: its answer is not used, %s", async (behaviour, because) => {
    const server = await standIn(behaviour);
    const answer = read(await modelAt(server.url).ask(aRequest()));
    expect(answer).toMatchObject({ kind: "unusable", because: expect.stringContaining(because) });
  });

  test("an answer in a fence is one, when nothing else stands there", async () => {
    const server = await standIn("fenced");
    expect(read(await modelAt(server.url).ask(aRequest())).kind).toBe("answered");
  });

  test("nonsense at first, and an answer when asked again", async () => {
    const server = await standIn("repentant");
    const model = modelAt(server.url);
    expect(read(await model.ask(aRequest())).kind).toBe("unusable");
    const again = aRequest({ system: `${loadPrompts().diagnose}\n\n${loadPrompts().repair}` });
    expect(read(await model.ask(again)).kind).toBe("answered");
  });

  test("never answering: we hang up at our own deadline", async () => {
    const server = await standIn("silent");
    const error = await failure(modelAt(server.url).ask(aRequest({ deadlineMs: 60 })));
    expect(error).toBeInstanceOf(Unavailable);
    expect(error).toMatchObject({ message: "Ollama: no answer in time" });
  });

  test("one drop at a time: the deadline counts for the whole answer", async () => {
    const url = await rawServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const timer = setInterval(() => response.write(" "), 10);
      response.on("close", () => clearInterval(timer));
    });
    expect(await failure(modelAt(url).ask(aRequest({ deadlineMs: 100 })))).toMatchObject({
      name: "Unavailable",
      message: "Ollama: no answer in time",
    });
  });

  test("the caller's own signal ends the call", async () => {
    const server = await standIn("silent");
    const cancel = new AbortController();
    const asked = failure(modelAt(server.url).ask(aRequest({ signal: cancel.signal })));
    await expect.poll(() => server.calls.length).toBe(1);
    cancel.abort();
    expect(await asked).toMatchObject({ name: "Unavailable", message: "Ollama: the call was broken off" });
  });

  test("closing ends what is in flight and what waits", async () => {
    const server = await standIn("silent");
    const model = modelAt(server.url);
    const asked = [1, 2].map(() => failure(model.ask(aRequest())));
    await expect.poll(() => server.calls.length).toBe(1);
    model.close();
    expect(await Promise.all(asked)).toEqual([
      expect.objectContaining({ message: "Ollama: the call was broken off" }),
      expect.objectContaining({ message: "Ollama: no turn in time" }),
    ]);
    expect(await failure(model.ask(aRequest()))).toMatchObject({ message: "Ollama: we are shutting down" });
  });

  test.each<[Behaviour, typeof Unavailable | typeof Refused, string]>([
    ["busy", Unavailable, "HTTP 503 server busy"],
    ["broken", Unavailable, "HTTP 500 llama runner"],
    ["absent", Refused, "HTTP 404 model"],
    ["truncating", Refused, "read 5 tokens"],
  ])("%s", async (behaviour, kind, text) => {
    const server = await standIn(behaviour);
    const error = await failure(modelAt(server.url).ask(aRequest()));
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toContain(text);
  });

  test("nobody there", async () => {
    const server = await standIn();
    await server.close();
    expect(await failure(modelAt(server.url).ask(aRequest()))).toMatchObject({
      name: "Unavailable",
      message: "Ollama: ECONNREFUSED",
    });
  });

  test("a model that was never pulled: says what to do", async () => {
    const server = await standIn();
    const error = await failure(modelAt(server.url, { model: "llama9" }).ask(aRequest()));
    expect(error).toMatchObject({
      name: "Unavailable",
      message: 'Ollama: there is no model llama9: run "ollama pull llama9"',
    });
  });

  test.each([
    [
      "half an answer",
      (response: ServerResponse) => {
        response.writeHead(200, { "content-length": "500" });
        response.write('{"message"');
        setTimeout(() => response.destroy(), 5);
      },
      "Unavailable",
    ],
    [
      "HTML of a proxy",
      (response: ServerResponse) => {
        response.end("<html>");
      },
      "Unavailable",
    ],
    [
      "another shape",
      (response: ServerResponse) => {
        response.end("{}");
      },
      "Refused",
    ],
    [
      "an answer that is not done",
      (response: ServerResponse) => {
        response.end(chatBody({ done: false }));
      },
      "Refused",
    ],
    [
      "a prompt that filled the context",
      (response: ServerResponse) => {
        response.end(chatBody({ prompt_eval_count: 8192 }));
      },
      "Refused",
    ],
    [
      "a redirect",
      (response: ServerResponse) => {
        response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
      },
      "Unavailable",
    ],
    [
      "400 thinking is not supported",
      (response: ServerResponse) => {
        response.writeHead(400).end('{"error":"does not support thinking"}');
      },
      "Refused",
    ],
    [
      "an answer without end",
      (response: ServerResponse) => {
        const flood = () => {
          while (!response.destroyed && response.write("x".repeat(65536)));
        };
        response.on("drain", flood);
        flood();
      },
      "Refused",
    ],
  ])("%s is a failure with a name", async (_what, chat, name) => {
    const url = await rawServer((_request, response) => chat(response));
    expect(await failure(modelAt(url).ask(aRequest()))).toMatchObject({ name });
  });

  test("an old server that counts no tokens is believed", async () => {
    const url = await rawServer((_request, response) => {
      response.end(JSON.stringify({ message: { content: "{}" }, done: true }));
    });
    expect(await modelAt(url).ask(aRequest())).toMatchObject({ doneReason: "stop", promptTokens: 0, digest: "d1" });
  });

  test("when the server says when to come back, we say it on", async () => {
    const url = await rawServer((_request, response) => response.writeHead(503, { "retry-after": "7" }).end("{}"));
    expect(await failure(modelAt(url).ask(aRequest()))).toMatchObject({ name: "Unavailable", retryAfterMs: 7000 });
  });
});

describe("a prompt over the context (L04)", () => {
  test("is refused before anything is sent", async () => {
    const server = await standIn();
    const error = await failure(modelAt(server.url, { contextTokens: 1000 }).ask(aRequest()));
    expect(error).toBeInstanceOf(Refused);
    expect((error as Error).message).toMatch(/needs \d+ tokens, the context has 1000/);
    expect(server.calls).toEqual([]);
  });
});

describe("many incidents (L02, L08)", () => {
  test("one call is in flight, the rest wait their turn, the most urgent first", async () => {
    const order: string[] = [];
    let inFlight = 0;
    let most = 0;
    const url = await rawServer((request, response) => {
      most = Math.max(most, ++inFlight);
      order.push(String(request.headers["incident-uid"]));
      setTimeout(() => {
        inFlight -= 1;
        response.end(chatBody());
      }, 5);
    });
    const model = modelAt(url);
    const wishes = [
      ["first", 0],
      ["low", 1],
      ["critical", 9],
      ["low-too", 1],
    ] as const;
    await Promise.all(wishes.map(([name, urgency]) => model.ask(aRequest({ incident: name, urgency }))));
    expect(most).toBe(1);
    expect(order).toEqual(["first", "critical", "low", "low-too"]);
  });

  test("beyond the queue the least urgent goes without", async () => {
    const server = await standIn("honest", 5);
    const model = modelAt(server.url, { mostWaiting: 2 });
    const calls = [0, 1, 2, 3].map((urgency) => failure(model.ask(aRequest({ urgency }))));
    const [first, dropped, ...rest] = await Promise.all(calls);
    expect(dropped).toMatchObject({ name: "Unavailable", message: "Ollama: 2 questions wait already" });
    expect([first, ...rest]).toEqual([0, 2, 3].map(() => expect.objectContaining({ doneReason: "stop" })));
  });

  test("500 at once all reach an end, and only 33 reach the model", async () => {
    const server = await standIn();
    const model = modelAt(server.url);
    // Far away: a busy machine needs more than five seconds for the 33.
    const patient = aRequest({ deadlineMs: 100_000 });
    const ends = await Promise.all(Array.from({ length: 500 }, () => failure(model.ask(patient))));
    expect(ends.filter((end) => end instanceof Unavailable)).toHaveLength(467);
    expect(server.calls).toHaveLength(33);
  });

  test("the deadline also ends the waiting", async () => {
    const server = await standIn("silent");
    const model = modelAt(server.url);
    const first = failure(model.ask(aRequest({ deadlineMs: 300 })));
    expect(await failure(model.ask(aRequest({ deadlineMs: 30 })))).toMatchObject({
      message: "Ollama: no turn in time",
    });
    expect(model.state().waiting).toBe(0);
    await first;
  });

  test("after three failures nobody is asked for a while, then one trial decides", async () => {
    const server = await standIn("broken");
    const model = modelAt(server.url, { restMs: 80 });
    for (let count = 0; count < 3; count += 1) await failure(model.ask(aRequest()));
    expect(model.state().breakerOpen).toBe(true);
    expect(await failure(model.ask(aRequest()))).toMatchObject({
      name: "Unavailable",
      message: expect.stringContaining("resting"),
    });
    expect(server.calls).toHaveLength(3);
    server.setBehaviour("honest");
    await expect
      .poll(() =>
        model.ask(aRequest()).then(
          () => "answered",
          () => "resting",
        ),
      )
      .toBe("answered");
    expect(model.state().breakerOpen).toBe(false);
  });

  test("every call that reached the server is told, with its time", async () => {
    const server = await standIn();
    const told: boolean[] = [];
    const model = modelAt(server.url, { onCall: ({ ok }) => told.push(ok) });
    await model.ask(aRequest());
    server.setBehaviour("busy");
    await failure(model.ask(aRequest()));
    expect(told).toEqual([true, false]);
  });
});

describe("vectors of texts", () => {
  test("come with the digest of the model that made them", async () => {
    const server = await standIn();
    const { vectors, digest } = await ollamaEmbedding({ host: server.url, model: labModelName }).embed([
      "web is slow",
      "web is slow",
      "disk full",
    ]);
    expect(vectors).toHaveLength(3);
    expect(vectors[0]).toEqual(vectors[1]);
    expect(vectors[0]).not.toEqual(vectors[2]);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each([
    ["too few", [[1, 2]]],
    ["of two sizes", [[1, 2], [1]]],
    ["empty", [[], []]],
  ])("%s are refused", async (_what, embeddings) => {
    const url = await rawServer((_request, response) => response.end(JSON.stringify({ embeddings })));
    expect(await failure(ollamaEmbedding({ host: url, model: labModelName }).embed(["a", "b"]))).toBeInstanceOf(
      Refused,
    );
  });
});
