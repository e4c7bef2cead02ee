import { type IncomingHttpHeaders, request } from "node:http";
import type { Reply } from "../../adapters/http/listener.ts";
import { Unavailable } from "../../ports/errors.ts";

/** One request for a listener of ours on this machine. */
interface Forwarded {
  readonly method: "GET" | "POST";
  readonly port: number;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body?: Buffer;
  /** Who asks may have to answer sooner than others. */
  readonly deadlineMs?: number;
}

const longestMs = 9_000;
const largestReply = 64 * 1024 * 1024;
// What is about the one connection that it came by.
const hops = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te", "trailer"]);
const passing = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !hops.has(name)));

/** Hands a request on as it came, and its answer back. Throws `Unavailable` where nobody answers in time. */
export function forward({ method, port, path, headers, body, deadlineMs = longestMs }: Forwarded): Promise<Reply> {
  return new Promise((answer, failed) => {
    const fail = (because: string) => failed(new Unavailable(because));
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const sent = request(
      // A connection of its own: one that is kept open may be closed by the other side just now.
      { host: "127.0.0.1", port, path, method, agent: false, headers: { ...passing(headers), ...length } },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > largestReply) response.destroy(new Error("the answer is too large"));
          else chunks.push(chunk);
        });
        response.on("error", (error) => fail(error.message));
        response.on("end", () =>
          answer({
            status: response.statusCode ?? 502,
            headers: passing(response.headers) as Record<string, string>,
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      },
    );
    const late = setTimeout(() => sent.destroy(new Error("no answer in time")), deadlineMs);
    sent.on("close", () => clearTimeout(late));
    sent.on("error", (error) => fail(error.message));
    sent.end(body);
  });
}
