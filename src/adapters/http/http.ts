import { readFile } from "node:fs/promises";
import { Denied, Refused, Unavailable } from "../../ports/errors.ts";

/** A JSON source behind plain HTTP: base address, credentials, deadline and size cap. */
export interface JsonSource {
  /** Who is asked, for error texts. */
  readonly name: string;
  readonly url: string;
  readonly authorization?: string | undefined;
  /** A file with the token, or with a user the password: read for every call. */
  readonly secretFile?: { readonly path: string; readonly user?: string | undefined } | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly deadlineMs?: number;
  readonly maxBytes?: number;
  /** Waits until one more request may leave: asked for each, also for the smaller one after a no. */
  readonly inTurn?: (<T>(request: () => Promise<T>) => Promise<T>) | undefined;
}

/** A clear no to a question that may be too large: a smaller one may be answered. */
class TooMuch extends Refused {}

/** Two tries at most: where the first question may have been too large, a smaller one is asked. */
export async function askSmaller<T>(first: () => Promise<T>, smaller: (because: string) => Promise<T>): Promise<T> {
  try {
    return await first();
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error;
    return smaller(error.message);
  }
}

const defaultDeadlineMs = 10_000;
const defaultMaxBytes = 8 * 1024 * 1024;

/** `GET path?query` as JSON. Throws `Unavailable` (no answer, 5xx, 429) or `Refused` (a clear no, or not JSON). */
export function getJson(
  source: JsonSource,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const request = () => requested(source, path, query);
  return source.inTurn === undefined ? request() : source.inTurn(request);
}

async function requested(source: JsonSource, path: string, query: Readonly<Record<string, string>>): Promise<unknown> {
  const url = new URL(source.url.replace(/\/$/, "") + path);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  const headers = new Headers(source.headers ?? {});
  const authorization = await authorizationOf(source);
  if (authorization !== undefined) headers.set("authorization", authorization);
  const signal = AbortSignal.timeout(source.deadlineMs ?? defaultDeadlineMs);
  let answer: { status: number; text: string };
  try {
    const response = await fetch(url, { headers, signal, redirect: "error" });
    answer = { status: response.status, text: await readCapped(response, source) };
  } catch (cause) {
    if (cause instanceof Refused) throw cause;
    throw new Unavailable(`${source.name} ${path}: ${reasonOf(cause)}`, { cause });
  }
  if (answer.status === 429 || answer.status >= 500)
    throw new Unavailable(`${source.name} ${path}: HTTP ${answer.status}`);
  const { status } = answer;
  // Prometheus and Loki say so to a wrong question too: nothing but their text would tell the two apart.
  if (status === 400 || status === 413 || status === 422)
    throw new TooMuch(`${source.name} ${path}: HTTP ${status} ${errorTextOf(answer.text)}`);
  if (answer.status >= 400)
    throw new Denied(`${source.name} ${path}: HTTP ${status} ${errorTextOf(answer.text)}`, status);
  return parse(source, path, answer);
}

/** What is kept in a file is renewed there behind our back. */
async function authorizationOf({ name, authorization, secretFile }: JsonSource): Promise<string | undefined> {
  if (secretFile === undefined) return authorization;
  const { path, user } = secretFile;
  const secret = await readFile(path, "utf8").catch((cause) => {
    throw new Unavailable(`${name}: the file ${path} with its secret cannot be read`, { cause });
  });
  if (user === undefined) return `Bearer ${secret.trim()}`;
  return `Basic ${Buffer.from(`${user}:${secret.replace(/\r?\n$/, "")}`).toString("base64")}`;
}

async function readCapped(response: Response, source: JsonSource): Promise<string> {
  const limit = source.maxBytes ?? defaultMaxBytes;
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > limit) throw new TooMuch(`${source.name}: the answer is larger than ${limit} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parse(source: JsonSource, path: string, { status, text }: { status: number; text: string }): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Denied(`${source.name} ${path}: the answer is not JSON`, status, { cause });
  }
}

/** Prometheus and its family put the reason into `error`; anything else is cut short. */
function errorTextOf(text: string): string {
  const match = /"(?:error|message)"\s*:\s*"((?:[^"\\]|\\.){0,200})/.exec(text);
  return match?.[1] ?? text.slice(0, 120).replace(/\s+/g, " ");
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === "TimeoutError") return "no answer in time";
  const inner = cause.cause;
  return inner instanceof Error && "code" in inner ? String(inner.code) : cause.message;
}
