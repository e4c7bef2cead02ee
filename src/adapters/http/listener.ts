import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Unavailable } from "../../ports/errors.ts";
import { heldBodies } from "./held-bodies.ts";

/** What a route answers: status, text, headers. */
export interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One route of a listener. `limit` bytes of body are read at most, and none before `admit` has agreed. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly limit?: number;
  /** Looks at the headers alone; a reply ends the request with the body unread. */
  readonly admit?: (headers: IncomingMessage["headers"]) => Reply | undefined;
  readonly answer: (request: { body: Buffer; headers: IncomingMessage["headers"]; url: URL }) => Promise<Reply>;
}

interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Hears of what a route threw that is not `Unavailable`: a fault of ours. */
  readonly onFault?: ((error: unknown) => void) | undefined;
  /** Of all bodies that come in and are answered at a moment; 64 MB unless told. */
  readonly mostBytes?: number;
}

// Above this many open connections a new one is dropped: nobody that we know holds a tenth of it.
const mostConnections = 2_000;
const defaultMostBytes = 64 * 1024 * 1024;

/**
 * An HTTP listener with our own limits: body size while streaming, of one and of all, header and body time, no inflating. Every request
 * ends in an answer or a closed connection, whatever a route throws.
 */
export async function listen(
  routes: readonly Route[],
  options: ListenOptions,
): Promise<{ port: number; close(): Promise<void> }> {
  // Node looks for overdue requests every 30 s by default: a slow sender would get six times its time.
  const limits = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 };
  const bodies = heldBodies(options.mostBytes ?? defaultMostBytes);
  const server = createServer(limits, (request, response) => {
    serve({ routes, bodies }, request, response).catch((error: unknown) => {
      options.onFault?.(error);
      if (response.headersSent) response.destroy();
      else refuse(request, response, ourFault);
    });
  });
  server.maxConnections = mostConnections;
  await new Promise<void>((ready, failed) => {
    server.once("error", failed);
    server.listen(options.port, options.host, ready);
  }).catch((cause: NodeJS.ErrnoException) => {
    const what =
      cause.code === "EADDRINUSE" ? `port ${options.port} is taken: free it or set another one` : cause.message;
    throw new Unavailable(what, { cause });
  });
  const address = server.address();
  return { port: typeof address === "object" && address ? address.port : options.port, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 1000).unref();
  });
}

interface Serving {
  readonly routes: readonly Route[];
  readonly bodies: ReturnType<typeof heldBodies>;
}

async function serve({ routes, bodies }: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Without a listener a connection that breaks would be an exception.
  response.on("error", () => request.destroy());
  const url = targetOf(request.url ?? "/");
  if (url === undefined) return refuse(request, response, { status: 400, body: "no such target" });
  const here = routes.filter((route) => matches(route.path, url.pathname));
  // HEAD is GET without the body, which Node leaves out by itself.
  const method = request.method === "HEAD" ? "GET" : request.method;
  const route = here.find((item) => item.method === method);
  if (!route) return refuse(request, response, { status: here.length > 0 ? 405 : 404 });

  const early = route.admit?.(request.headers) ?? tooLargeByHeader(request, route);
  if (early) return refuse(request, response, early);
  const { held, whole } = readBody(request, route.limit ?? 0, bodies);
  try {
    const body = await whole;
    if (body === "too large") return refuse(request, response, { status: 413, body: "the body is too large" });
    if (body === "broken off") return;
    if (body === "too much") return refuse(request, response, comeBack);
    held.complete();
    send(response, await route.answer({ body, headers: request.headers, url }));
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    send(response, comeBack);
  } finally {
    held.end();
  }
}

// 503 asks the sender to come back; Alertmanager never repeats a 4xx.
const comeBack: Reply = { status: 503, headers: { "retry-after": "5" }, body: "come back soon" };

/**
 * The address that a request line names, always below our own host: a path (`//` is one, and not a host), or the
 * whole address as a proxy is asked. Undefined for everything else, such as `*` and what cannot be read.
 */
function targetOf(target: string): URL | undefined {
  const address = target.startsWith("/") ? `http://listener${target}` : target;
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return undefined;
  return new URL(address);
}

/** A path may hold one `*` for any text; of two routes that match, the first one answers. */
function matches(pattern: string, path: string): boolean {
  const [start = "", end] = pattern.split("*");
  if (end === undefined) return pattern === path;
  return path.length >= start.length + end.length && path.startsWith(start) && path.endsWith(end);
}

function tooLargeByHeader(request: IncomingMessage, route: Route): Reply | undefined {
  if (request.headers["content-encoding"] !== undefined) return { status: 415, body: "no content-encoding, please" };
  return Number(request.headers["content-length"] ?? 0) > (route.limit ?? 0)
    ? { status: 413, body: "the body is too large" }
    : undefined;
}

type Body = Buffer | "too large" | "broken off" | "too much";

/** `too much` = all bodies together hold more than they may, and this one was let go. */
function readBody(request: IncomingMessage, limit: number, bodies: Serving["bodies"]) {
  const chunks: Buffer[] = [];
  let size = 0;
  let answer: (body: Body) => void = () => undefined;
  const whole = new Promise<Body>((give) => {
    answer = give;
  });
  const held = bodies.begin(() => answer("too much"));
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) return answer("too large");
    chunks.push(chunk);
    held.add(chunk.length);
  });
  request.on("end", () => answer(Buffer.concat(chunks)));
  request.on("error", () => answer("broken off"));
  request.on("close", () => answer("broken off"));
  return { held, whole };
}

const ourFault: Reply = { status: 500, body: "this is our fault" };

/** The rest of the body is not wanted: answer, then hang up. */
function refuse(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  response.once("finish", () => request.destroy());
  send(response, { ...reply, headers: { ...reply.headers, connection: "close" } });
}

function send(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, { "content-type": "text/plain; charset=utf-8", ...reply.headers });
  response.end(reply.body ?? "");
}

/** True when the header carries the secret as bearer token or as basic password. Constant time. */
export function bearsSecret(authorization: string | undefined, secret: string): boolean {
  const [scheme = "", credentials = ""] = (authorization ?? "").split(" ");
  const given =
    scheme.toLowerCase() === "basic"
      ? Buffer.from(credentials, "base64")
          .toString("utf8")
          .replace(/^[^:]*:/, "")
      : credentials;
  const known = ["basic", "bearer"].includes(scheme.toLowerCase());
  return known && isSameSecret(given, secret);
}

/** In constant time: digests are of one length, so that not even the length of the secret can be timed. */
export function isSameSecret(given: string, secret: string): boolean {
  const [a, b] = [given, secret].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
