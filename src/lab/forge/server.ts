import type { SignInPages } from "./sign-in.ts";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Tokens } from "./api/auth.ts";
import type { Answer, Call, Caller, Match } from "./http.ts";
import { Problem, notFound, problemBody } from "./http.ts";
import { serveGit } from "./git/smart-http.ts";
import type { ForgeOptions, ForgeState } from "./world.ts";

/** One call to the API, as it was answered. Status 0: the connection was cut. */
export interface LoggedCall {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** When it came, in milliseconds of the epoch. */
  readonly at: number;
}

/** The most writes that came within any two minutes; tokens and questions by GraphQL are none. */
export function mostWritesInTwoMinutes(calls: readonly LoggedCall[]): number {
  const moments = writesAmong(calls).map(({ at }) => at);
  const within = moments.map((from) => moments.filter((at) => at >= from && at < from + 120_000).length);
  return Math.max(0, ...within);
}

/** The calls that changed something, or tried to. */
export function writesAmong(calls: readonly LoggedCall[]): readonly LoggedCall[] {
  return calls.filter(
    ({ method, path }) => method !== "GET" && !path.endsWith("/access_tokens") && path !== "/graphql",
  );
}

/** What goes wrong with one call. */
export interface Fault {
  /** `before`: the call has no effect. `after`: the work is done and its answer is replaced. */
  readonly when: "before" | "after";
  /** The wrong answer, a cut connection, or nothing but the delay. */
  readonly answer:
    | {
        readonly status: number;
        readonly message?: string;
        readonly headers?: Readonly<Record<string, string>>;
        /** In place of an error: what a list that lags would say. */
        readonly body?: unknown;
      }
    | "drop"
    | "none";
  readonly delayMs?: number;
}

/** Looks at each call before it is handled; `index` counts from 0 since the last reset. */
export type Faults = (call: {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly index: number;
}) => Fault | undefined;

export interface Traffic {
  readonly calls: LoggedCall[];
  /** What git itself asked for. */
  readonly gitCalls: LoggedCall[];
  faults: Faults | undefined;
}

/** The parts that a request passes through. */
interface Stations {
  readonly world: ForgeState;
  readonly tokens: Tokens;
  readonly find: (method: string, path: string) => Match | undefined;
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly traffic: Traffic;
  readonly page: (path: string) => Promise<string | undefined>;
  readonly signIn: SignInPages;
}

// GitHub takes no larger JSON; blobs are far below it here.
const largestBody = 40 * 1024 * 1024;

/** Listens on a port of 127.0.0.1. `stations` is asked for at each request, as it needs the address. */
export async function listen(
  { port = 0, hostName = "127.0.0.1", origin }: Pick<ForgeOptions, "port" | "hostName" | "origin">,
  stations: () => Stations,
): Promise<{ server: Server; origin: string; listensAt: string }> {
  const server = createServer((request, response) => {
    respond(stations(), request, response).catch(() => response.destroy());
  });
  // Longer than any client keeps a connection: closing it first would look like a lost answer.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const listensAt = `http://${hostName}:${(server.address() as AddressInfo).port}`;
  return { server, origin: origin ?? listensAt, listensAt };
}

async function respond(stations: Stations, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", stations.world.origin);
  const { owner, repo } = stations.world.options;
  const git = `/${owner}/${repo}.git`;
  if (await stations.signIn(request, response, url)) return;
  if (url.pathname.startsWith("/api/v3/") || url.pathname === "/api/graphql")
    return answerApi(stations, { request, response, url });
  if (url.pathname.startsWith(`${git}/`)) {
    response.once("close", () =>
      stations.traffic.gitCalls.push({
        ...{ method: request.method ?? "GET", path: `${url.pathname}${url.search}`, status: response.statusCode },
        at: Date.now(),
      }),
    );
    if (!mayFetch(stations, request)) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="GitHub"' }).end("Authentication required\n");
      return;
    }
    return serveGit(
      stations.world.store.directory,
      { path: url.pathname.slice(git.length), query: url.search.slice(1) },
      request,
      response,
    );
  }
  const html = request.method === "GET" ? await stations.inTurn(() => stations.page(url.pathname)) : undefined;
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
  };
  response.writeHead(html === undefined ? 404 : 200, headers).end(html ?? "Not Found");
}

function mayFetch({ world, tokens }: Stations, request: IncomingMessage): boolean {
  try {
    return (
      tokens.callerOf(request.headers.authorization) === "installation" ||
      (!world.settings.private && request.headers.authorization === undefined)
    );
  } catch {
    return false;
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

async function answerApi(stations: Stations, { request, response, url }: Exchange): Promise<void> {
  const { traffic } = stations;
  const method = request.method ?? "GET";
  const path = url.pathname.replace(/^\/api(\/v3)?/, "");
  const body = await readBody(request);
  const entry = { method, path, status: 0, at: Date.now() };
  const index = traffic.calls.push(entry) - 1;
  const fault = traffic.faults?.({ method, path, body, index });
  const before = fault?.when === "before" && fault.answer !== "none";
  const work = () => handle(stations, { request, method, path, url, body });
  let answer = before ? undefined : await stations.inTurn(work);
  if (fault?.delayMs !== undefined) await new Promise((resume) => setTimeout(resume, fault.delayMs));
  if (fault?.answer === "drop") return void response.destroy();
  if (fault && typeof fault.answer === "object") answer = faultAnswer(fault.answer);
  const { status, body: payload, headers } = answer ?? { status: 500 };
  entry.status = status;
  const text = payload === undefined ? "" : JSON.stringify(payload);
  const type: Record<string, string> = text === "" ? {} : { "content-type": "application/json; charset=utf-8" };
  response.writeHead(status, { "x-github-media-type": "github.v3; format=json", ...type, ...headers }).end(text);
}

function faultAnswer(answer: Exclude<Fault["answer"], string>): Answer {
  const body = answer.body ?? problemBody(new Problem(answer.status, answer.message ?? "Server Error"));
  return { status: answer.status, body, ...(answer.headers ? { headers: answer.headers } : {}) };
}

interface ApiRequest {
  readonly request: IncomingMessage;
  readonly method: string;
  readonly path: string;
  readonly url: URL;
  readonly body: unknown;
}

async function handle(stations: Stations, { request, method, path, url, body }: ApiRequest): Promise<Answer> {
  try {
    if (body === malformed) throw new Problem(400, "Problems parsing JSON");
    const match = stations.find(method, path);
    if (!match) throw notFound();
    const caller = callerOf(stations, request);
    admit(stations.world, { path, method, caller, params: match.params, body });
    const fields = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
    const call: Call = {
      method,
      path,
      params: match.params,
      query: url.searchParams,
      body: fields,
      caller,
      apiUrl: `${stations.world.origin}/api/v3`,
    };
    return await match.handler(call);
  } catch (error) {
    if (error instanceof Problem) {
      return { status: error.status, body: problemBody(error), ...(error.headers ? { headers: error.headers } : {}) };
    }
    return { status: 500, body: problemBody(new Problem(500, `the forge failed: ${String(error)}`)) };
  }
}

function callerOf({ world, tokens }: Stations, request: IncomingMessage): Caller {
  const kind = tokens.callerOf(request.headers.authorization);
  return kind === "installation" ? { kind, account: world.bot } : { kind };
}

/** Who may ask what: the App's own routes want its JWT, writes and private repositories want the installation. */
function admit(
  world: ForgeState,
  {
    path,
    method,
    caller,
    params,
    body,
  }: { path: string; method: string; caller: Caller; params: Readonly<Record<string, string>>; body: unknown },
): void {
  const appOnly = path === "/app" || path.startsWith("/app/") || path.endsWith("/installation");
  if (appOnly) {
    if (caller.kind !== "app") throw new Problem(401, "A JSON web token could not be decoded");
  } else if (caller.kind === "app") {
    throw new Problem(401, "Bad credentials");
  }
  forbid(world, { path, method, caller, body });
  const { owner, repo } = params;
  const same = (one: string | undefined, other: string) =>
    one === undefined || one.toLowerCase() === other.toLowerCase();
  if (!same(owner, world.options.owner) || !same(repo, world.options.repo)) throw notFound();
  if (caller.kind !== "nobody" || path === "/rate_limit" || path === "/meta") return;
  // A private repository does not even say that it exists.
  if (world.settings.private) throw notFound();
  if (method !== "GET") throw new Problem(401, "Requires authentication");
}

/** What no caller may do in an archived repository, and what the installation may not do any more. */
function forbid(
  world: ForgeState,
  { path, method, caller, body }: { path: string; method: string; caller: Caller; body: unknown },
): void {
  if (caller.kind !== "installation") return;
  const { archived, withoutPermissions, readOnly } = world.settings;
  if (readOnly && isWrite({ method, path, body })) throw new Problem(403, "Resource not accessible by integration");
  if (archived && method !== "GET") throw new Problem(403, "Repository was archived so is read-only.");
  const needed = neededFor.find(([pattern]) => pattern.test(path))?.[1] ?? "";
  if (!withoutPermissions.includes(needed)) return;
  const accepted = `${needed}=${method === "GET" ? "read" : "write"}`;
  const headers = { "x-accepted-github-permissions": accepted };
  throw Object.assign(new Problem(403, "Resource not accessible by integration"), { headers });
}

/** Whether a call changes something: GraphQL's questions are POSTs, too. */
function isWrite({ method, path, body }: { method: string; path: string; body: unknown }): boolean {
  if (path !== "/graphql") return method !== "GET";
  const text = typeof body === "object" && body !== null && "query" in body ? String(body.query) : "";
  return !/^\s*(query\b|\{)/.test(text);
}

const neededFor: readonly (readonly [RegExp, string])[] = [
  [/\/statuses$|\/status$/, "statuses"],
  [/\/check-runs/, "checks"],
  [/\/pulls/, "pull_requests"],
  [/\/issues/, "issues"],
  [/\/git\/|\/contents\/|\/commits|\/branches/, "contents"],
];

const malformed = Symbol("not JSON");

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) throw new Error("body too large");
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return malformed;
  }
}
