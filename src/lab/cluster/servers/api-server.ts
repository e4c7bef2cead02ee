import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What an API of the lab may do instead of answering well. */
export type Fault =
  /** Takes the connection and drops it. */
  | { readonly kind: "down" }
  | { readonly kind: "slow"; readonly ms: number }
  | { readonly kind: "status"; readonly status: 400 | 403 | 422 | 429 | 500 | 502 | 503 }
  /** Announces the whole body, sends half of it and hangs up. */
  | { readonly kind: "cut" }
  /** An HTML page with status 200, as a proxy in between sends it. */
  | { readonly kind: "wrong-type" }
  /** A good answer that holds half of the truth, with the server's own warning where its format has one. */
  | { readonly kind: "partial" };

export interface Answer {
  readonly status: number;
  /** Sent as JSON; a string is sent as plain text. */
  readonly body: unknown;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** As it was sent; empty for a GET. */
  readonly body: string;
  readonly partial: boolean;
}

export interface ApiServer {
  readonly url: string;
  setFault(fault: Fault | undefined): void;
  close(): Promise<void>;
}

/** Serves one API on a free port of 127.0.0.1. */
export async function serveApi(answer: (asked: Asked) => Answer): Promise<ApiServer> {
  let fault: Fault | undefined;
  const timers = new Set<NodeJS.Timeout>();
  const server = createServer((request, response) => {
    const current = fault;
    if (current?.kind !== "slow") {
      void respond({ request, response, fault: current, answer });
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      void respond({ request, response, fault: undefined, answer });
    }, current.ms);
    timers.add(timer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setFault: (next) => {
      fault = next;
    },
    close: () =>
      new Promise((resolve) => {
        for (const timer of timers) clearTimeout(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fault: Fault | undefined;
  readonly answer: (asked: Asked) => Answer;
}

async function respond({ request, response, fault, answer }: Exchange): Promise<void> {
  const body = await readBody(request);
  if (fault?.kind === "down") {
    request.socket.destroy();
    return;
  }
  if (fault?.kind === "wrong-type") {
    send(response, 200, "<html><body><h1>Sign in</h1></body></html>", "text/html");
    return;
  }
  const given =
    fault?.kind === "status" ? failureOf(fault.status) : answer(askedOf(request, body, fault?.kind === "partial"));
  const text = typeof given.body === "string" ? given.body : JSON.stringify(given.body);
  const type = typeof given.body === "string" ? "text/plain; charset=utf-8" : "application/json";
  if (fault?.kind === "cut") {
    response.writeHead(given.status, { "content-type": type, "content-length": Buffer.byteLength(text) });
    response.write(text.slice(0, Math.ceil(text.length / 2)), () => request.socket.destroy());
    return;
  }
  send(response, given.status, text, type);
}

function send(response: ServerResponse, status: number, text: string, type: string): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}

/** Prometheus and Kubernetes each look for their own field; the other's is ignored. */
function failureOf(status: number): Answer {
  const said: Readonly<Record<number, readonly [string, string]>> = {
    400: ["bad_data", "exceeded maximum resolution of 11,000 points per timeseries"],
    403: ["forbidden", "forbidden by the lab"],
    422: ["execution", "query processing would load too many samples into memory in query execution"],
    429: ["too_many_requests", "too many requests"],
    503: ["timeout", "query timed out in expression evaluation"],
  };
  const [errorType, error] = said[status] ?? ["internal", "the lab was told to fail"];
  return { status, body: { status: "error", errorType, error, kind: "Status", message: error, code: status } };
}

function askedOf(request: IncomingMessage, body: string, partial: boolean): Asked {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const query = new URLSearchParams(url.searchParams);
  if (request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
    for (const [name, value] of new URLSearchParams(body)) query.append(name, value);
  return { method: request.method ?? "GET", path: decodeURIComponent(url.pathname), query, body, partial };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    // The caller hung up: there is nobody left to answer.
  }
  return Buffer.concat(chunks).toString("utf8");
}
