import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Behaviour, reply } from "./behaviour.ts";

/** One question as the stand-in received it. */
interface ModelCall {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** System and user text together. */
  readonly prompt: string;
}

/** A running stand-in for Ollama. */
export interface LabModel {
  readonly url: string;
  readonly calls: readonly ModelCall[];
  setBehaviour(behaviour: Behaviour, delayMs?: number): void;
  close(): Promise<void>;
}

/** The name under which the stand-in offers its model. */
export const labModelName = "llama3.1:8b";
const digest = "46e0c10c039e019119339687c3c1757cc81b9da49709a3b3924863ba87ca666e";
const dimension = 64;

/** Starts a scripted stand-in that speaks Ollama's HTTP API on 127.0.0.1. */
export async function startModel(
  options: { behaviour?: Behaviour; delayMs?: number; model?: string } = {},
): Promise<LabModel> {
  const calls: ModelCall[] = [];
  let behaviour = options.behaviour ?? "honest";
  let delayMs = options.delayMs;
  const server = createServer((request, response) => {
    void answer(request, response, { model: options.model ?? labModelName, behaviour, delayMs, calls });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    setBehaviour: (next, delay) => {
      behaviour = next;
      delayMs = delay;
    },
    close: () => closed(server),
  };
}

interface Setup {
  readonly model: string;
  readonly behaviour: Behaviour;
  readonly delayMs: number | undefined;
  readonly calls: ModelCall[];
}

async function answer(request: IncomingMessage, response: ServerResponse, setup: Setup): Promise<void> {
  const path = new URL(request.url ?? "/", "http://model").pathname;
  const body = await bodyOf(request);
  switch (path) {
    case "/api/version":
      return send(response, 200, { version: "0.12.6" });
    case "/api/tags":
      return send(response, 200, { models: [{ name: setup.model, model: setup.model, digest, size: 1, details: {} }] });
    case "/api/show":
      return send(response, 200, {
        details: { family: "llama" },
        model_info: {},
        capabilities: ["completion", "embedding"],
      });
    case "/api/embed":
      return send(response, 200, { model: setup.model, embeddings: textsOf(body.input).map(embedding) });
    case "/api/chat":
    case "/api/generate":
      return talk({ path, request, response, body }, setup);
    default:
      return send(response, 404, { error: "not found" });
  }
}

interface Talk {
  readonly path: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Readonly<Record<string, unknown>>;
}

async function talk({ path, request, response, body }: Talk, setup: Setup): Promise<void> {
  const refusal = refusalOf(body, setup.model);
  if (refusal) return send(response, refusal.status, { error: refusal.text });
  const messages = Array.isArray(body.messages) ? (body.messages as { content?: string }[]) : [];
  const prompt = [body.system, body.prompt, ...messages.map(({ content }) => content)].filter(Boolean).join("\n\n");
  setup.calls.push({ path, headers: request.headers as Record<string, string>, body, prompt });
  const said = reply(setup.behaviour, { prompt, asked: setup.calls.length });
  const delay = setup.delayMs ?? said.delayMs;
  if (delay === "forever") return;
  await new Promise((done) => setTimeout(done, delay));
  if (said.status !== 200) return send(response, said.status, { error: said.text });
  const costs = {
    done_reason: said.doneReason,
    total_duration: delay * 1e6,
    prompt_eval_count: said.promptTokens ?? Math.ceil(prompt.length / 4),
    eval_count: Math.ceil(said.text.length / 4),
  };
  const part = (text: string) => ({
    ...{ model: setup.model, created_at: new Date().toISOString() },
    ...(path === "/api/chat" ? { message: { role: "assistant", content: text } } : { response: text }),
  });
  if (body.stream === false) return send(response, 200, { ...part(said.text), done: true, ...costs });
  const pieces = said.text.match(/[\s\S]{1,16}/g) ?? [];
  const lines = [...pieces.map((text) => ({ ...part(text), done: false })), { ...part(""), done: true, ...costs }];
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

/** What a server with an older model refuses. */
function refusalOf(
  body: Readonly<Record<string, unknown>>,
  model: string,
): { status: number; text: string } | undefined {
  if (body.model !== model) return { status: 404, text: `model '${String(body.model)}' not found` };
  if (body.think === true) return { status: 400, text: `"${model}" does not support thinking` };
  return body.tools === undefined ? undefined : { status: 400, text: `"${model}" does not support tools` };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}

function textsOf(input: unknown): string[] {
  return (Array.isArray(input) ? input : [input]).map(String);
}

/** Words hashed into a few dimensions: texts with the same words are near each other. */
function embedding(text: string): number[] {
  const vector = new Array<number>(dimension).fill(0);
  for (const word of text.toLowerCase().match(/[a-z0-9]+/g) ?? []) {
    let hash = 2166136261;
    for (const sign of word) hash = Math.imul(hash ^ sign.charCodeAt(0), 16777619) >>> 0;
    vector[hash % dimension] = (vector[hash % dimension] ?? 0) + 1;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

function closed(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}
