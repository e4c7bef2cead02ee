import { randomBytes } from "node:crypto";
import { Ollama } from "ollama";
import { z } from "zod";
import { answerTokens } from "../../domain/llm/question.ts";
import { estimateTokens, leastTokens } from "../../domain/llm/prompt-budget.ts";
import type { Model, ModelAnswer } from "../../ports/model.ts";
import { Refused, Unavailable } from "../../ports/errors.ts";
import { breaker } from "./breaker.ts";
import { isSameModel } from "./names.ts";
import { roomFor, thinkingOf } from "./thinking.ts";
import { priorityQueue } from "../dbos/priority-queue.ts";

/** Where the model is and how it is asked. */
export interface OllamaOptions {
  readonly host: string;
  readonly model: string;
  /** The context that is asked for, in tokens: the server's own default is small, and it cuts without a word. */
  readonly contextTokens?: number;
  /** How long the server keeps the model in memory after a call, as Ollama writes durations. */
  readonly keepAlive?: string;
  /** Questions that may wait while one is answered. */
  readonly mostWaiting?: number;
  /** How long the breaker rests before it tries again. */
  readonly restMs?: number;
  /** Hears of every call that reached the server, for metrics and Watchtower mode. */
  readonly onCall?: (call: { readonly durationMs: number; readonly ok: boolean }) => void;
}

/** The model, what stands around it, and the way to stop it. */
export interface OllamaModel extends Model {
  state(): { readonly breakerOpen: boolean; readonly waiting: number };
  /** Breaks off the call in flight and every waiting one. */
  close(): void;
}

const defaultContextTokens = 8192;
const defaultMostWaiting = 32;
const defaultRestMs = 30_000;
const defaultEmbedDeadlineMs = 60_000;
const failuresToOpen = 3;
const largestAnswerBytes = 4 * 1024 * 1024;

/**
 * The local model through Ollama: https://github.com/ollama/ollama/blob/main/docs/api.md
 * Throws `Unavailable` (no answer in time, busy, broken, breaker open, no such model) or `Refused` (prompt too long).
 */
export function ollamaModel(options: OllamaOptions): OllamaModel {
  const inHand = new Set<() => void>();
  let closed = false;
  const line = priorityQueue("Ollama", { atOnce: 1, mostWaiting: options.mostWaiting ?? defaultMostWaiting });
  const guard = breaker("Ollama", {
    failures: failuresToOpen,
    restMs: options.restMs ?? defaultRestMs,
    counts: (error) => (error instanceof Unavailable || error instanceof Refused) && !closed,
  });
  return {
    ask: async (request) => {
      const tooLong = overBudget(options, request);
      if (tooLong !== undefined) throw new Refused(tooLong);
      if (closed) throw new Unavailable("Ollama: we are shutting down");
      const { signal, stop, release } = endOf(request);
      inHand.add(stop);
      const call = () => guard.guard(() => told(options, askOnce(options, request, signal)));
      return line.take(call, { urgency: request.urgency ?? 0, signal }).finally(() => {
        inHand.delete(stop);
        release();
      });
    },
    state: () => ({ breakerOpen: guard.isOpen(), waiting: line.waiting() }),
    close: () => {
      closed = true;
      for (const stop of inHand) stop();
    },
  };
}

type Request = Parameters<Model["ask"]>[0];

/** Refused before it is sent: a server that cuts a prompt cuts the rules first. */
function overBudget({ contextTokens = defaultContextTokens }: OllamaOptions, request: Request): string | undefined {
  const estimate = estimateTokens(`${request.system}\n${request.prompt}`) + answerTokens;
  return estimate > contextTokens
    ? `Ollama: the question needs ${estimate} tokens, the context has ${contextTokens}`
    : undefined;
}

async function told(options: OllamaOptions, call: Promise<ModelAnswer>): Promise<ModelAnswer> {
  const started = performance.now();
  const tell = (ok: boolean) => options.onCall?.({ durationMs: performance.now() - started, ok });
  try {
    const answer = await call;
    tell(true);
    return answer;
  } catch (error) {
    tell(false);
    throw error;
  }
}

/** One signal for the deadline, the caller and ourselves. */
function endOf({ deadlineMs, signal }: Request): { readonly signal: AbortSignal; stop(): void; release(): void } {
  // Not AbortSignal.any with AbortSignal.timeout: Node 20 may collect such a pair as garbage before it fires.
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(new DOMException("no answer in time", "TimeoutError")), deadlineMs);
  const stop = () => end.abort();
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  const release = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  };
  return { signal: end.signal, stop, release };
}

const ChatAnswer = z.object({
  message: z.object({ content: z.string() }),
  done: z.literal(true),
  // Servers before 0.1.38 do not say why they stopped.
  done_reason: z.string().default("stop"),
  prompt_eval_count: z.number().int().nonnegative().default(0),
  eval_count: z.number().int().nonnegative().default(0),
});

async function askOnce(options: OllamaOptions, request: Request, signal: AbortSignal): Promise<ModelAnswer> {
  const client = clientOf(options.host, signal, traceHeaders(request));
  const started = performance.now();
  const digest = await digestOf(client, options.model);
  const context = options.contextTokens ?? defaultContextTokens;
  const thinks = await thinkingOf(() => translated(client.show({ model: options.model })));
  const raw = await translated(
    client.chat({
      model: options.model,
      stream: false,
      format: request.schema,
      keep_alive: options.keepAlive ?? "30m",
      messages: [
        { role: "system", content: request.system },
        { role: "user", content: request.prompt },
      ],
      options: {
        temperature: 0,
        seed: 1,
        num_ctx: context,
        num_predict: roomFor(`${request.system}\n${request.prompt}`, context, thinks),
      },
      // No `tools`, and `think` only where the model can: others answer 400. The client's types lag behind the server.
      ...{ truncate: false, shift: false, ...thinks },
    }),
  );
  const answer = ChatAnswer.safeParse(raw);
  if (!answer.success) throw new Refused("Ollama: the answer has an unknown shape");
  const { message, done_reason, prompt_eval_count, eval_count } = answer.data;
  const cut = cutPrompt(request, prompt_eval_count, context);
  if (cut !== undefined) throw new Refused(cut);
  return {
    ...{ text: message.content, doneReason: done_reason, model: options.model, digest },
    ...{ promptTokens: prompt_eval_count, answerTokens: eval_count },
    durationMs: Math.round(performance.now() - started),
  };
}

/** What the server says it read, against what we sent; 0 = an old server that does not say. */
function cutPrompt(request: Request, read: number, context: number): string | undefined {
  if (read === 0) return undefined;
  const least = leastTokens(request.prompt);
  if (read < least) return `Ollama: the server read ${read} tokens of a prompt of at least ${least}`;
  return read >= context ? `Ollama: the prompt filled the whole context of ${context} tokens` : undefined;
}

function traceHeaders({ incident, traceId }: Request): Record<string, string> {
  const headers: Record<string, string> = {};
  if (/^[\w-]{1,64}$/.test(incident)) {
    headers["incident-uid"] = incident;
    headers.baggage = `incident.uid=${incident}`;
  }
  // https://www.w3.org/TR/trace-context/#traceparent-header
  if (/^[0-9a-f]{32}$/.test(traceId)) headers.traceparent = `00-${traceId}-${randomBytes(8).toString("hex")}-01`;
  return headers;
}

/** The digest of the model as the server holds it now: a name may get other weights behind our back. */
async function digestOf(client: Ollama, model: string): Promise<string> {
  const list = ModelList.safeParse(await translated(client.list()));
  if (!list.success) throw new Refused("Ollama: the list of models has an unknown shape");
  const found = list.data.models.find(({ name }) => isSameModel(name, model));
  // Not `Refused`: a server that lost its volume has the model again as soon as somebody pulls it.
  if (!found) throw new Unavailable(`Ollama: there is no model ${model}: run "ollama pull ${model}"`);
  return found.digest;
}

const ModelList = z.object({ models: z.array(z.object({ name: z.string(), digest: z.string() })) });

/** Vectors of texts, and whose they are: vectors of two digests must never be compared. */
interface Embedded {
  readonly vectors: readonly (readonly number[])[];
  readonly digest: string;
}

/** A model that turns texts into vectors. */
interface Embedding {
  readonly model: string;
  embed(texts: readonly string[]): Promise<Embedded>;
}

const EmbedAnswer = z.object({ embeddings: z.array(z.array(z.number()).min(1)) });

/** Ollama's embedding endpoint. Texts beyond the model's context are refused by the server, never cut. */
export function ollamaEmbedding(options: {
  readonly host: string;
  readonly model: string;
  readonly deadlineMs?: number;
}): Embedding {
  return {
    model: options.model,
    embed: async (texts) => {
      const client = clientOf(options.host, AbortSignal.timeout(options.deadlineMs ?? defaultEmbedDeadlineMs), {});
      const digest = await digestOf(client, options.model);
      const raw = await translated(client.embed({ model: options.model, input: [...texts], truncate: false }));
      const answer = EmbedAnswer.safeParse(raw);
      const vectors = answer.success ? answer.data.embeddings : [];
      const sizes = new Set(vectors.map((vector) => vector.length));
      if (vectors.length !== texts.length || sizes.size > 1)
        throw new Refused("Ollama: the vectors do not fit the texts");
      return { vectors, digest };
    },
  };
}

/** A client whose every call ends with the signal: on its own it waits 300 seconds, and reads without limit. */
function clientOf(host: string, signal: AbortSignal, headers: Record<string, string>): Ollama {
  return new Ollama({
    host,
    headers,
    fetch: async (input, init) => {
      const response = await fetch(input, { ...init, signal, redirect: "error" });
      const text = await readCapped(response);
      // Here and not in the client, which prints to the console when it meets an error.
      if (!response.ok) throw new HttpFailure(response.status, text, response.headers.get("retry-after"));
      return new Response(text, { status: 200 });
    },
  });
}

class HttpFailure extends Error {
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, text: string, retryAfter: string | null) {
    super(`HTTP ${status} ${/"error"\s*:\s*"((?:[^"\\]|\\.){0,200})/.exec(text)?.[1] ?? ""}`.trim());
    this.status = status;
    this.retryAfterMs = /^\d{1,5}$/.test(retryAfter ?? "") ? Number(retryAfter) * 1000 : undefined;
  }
}

async function readCapped(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > largestAnswerBytes) throw new Refused(`Ollama: the answer is larger than ${largestAnswerBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

const passing = new Set([408, 425, 429, 499]);

async function translated<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    if (cause instanceof Refused || cause instanceof Unavailable) throw cause;
    if (!(cause instanceof HttpFailure)) throw new Unavailable(`Ollama: ${reasonOf(cause)}`, { cause });
    if (cause.status < 500 && !passing.has(cause.status)) throw new Refused(`Ollama: ${cause.message}`, { cause });
    const wait = cause.retryAfterMs === undefined ? {} : { retryAfterMs: cause.retryAfterMs };
    throw new Unavailable(`Ollama: ${cause.message}`, { cause, ...wait });
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === "TimeoutError") return "no answer in time";
  if (cause.name === "AbortError") return "the call was broken off";
  if (cause instanceof SyntaxError) return "the answer is not JSON";
  const inner = cause.cause;
  return inner instanceof Error && "code" in inner ? String(inner.code) : cause.message;
}
