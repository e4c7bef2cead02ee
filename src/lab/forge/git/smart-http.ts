import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { basename, dirname } from "node:path";

/**
 * Serves `git fetch` and `git clone` of one bare repository through `git http-backend`. Pushing is not offered.
 * `path` is what follows `/owner/repo.git`.
 */
export function serveGit(
  directory: string,
  { path, query }: { path: string; query: string },
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const wanted = `${request.method} ${path}`;
  const offered =
    (wanted === "GET /info/refs" && query === "service=git-upload-pack") || wanted === "POST /git-upload-pack";
  if (!offered) {
    response.writeHead(403, { "content-type": "text/plain" }).end("only fetching is offered\n");
    return;
  }
  const child = spawn("git", ["http-backend"], {
    env: environmentOf(directory, { path, query }, request),
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.on("error", () => response.destroy());
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
  response.on("close", () => child.kill());
  let head: Buffer | undefined = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (head === undefined) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const cut = head.indexOf("\r\n\r\n");
    if (cut < 0) return;
    const headers = headersOf(head.subarray(0, cut).toString());
    response.writeHead(headers.status, headers.fields);
    response.write(head.subarray(cut + 4));
    head = undefined;
  });
  child.stdout.on("end", () => (head === undefined ? response.end() : response.destroy()));
}

function environmentOf(
  directory: string,
  { path, query }: { path: string; query: string },
  request: IncomingMessage,
): Record<string, string> {
  const header = (name: string) => String(request.headers[name] ?? "");
  return {
    PATH: process.env.PATH ?? "",
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_PROJECT_ROOT: dirname(directory),
    GIT_HTTP_EXPORT_ALL: "1",
    PATH_INFO: `/${basename(directory)}${path}`,
    QUERY_STRING: query,
    REQUEST_METHOD: request.method ?? "GET",
    CONTENT_TYPE: header("content-type"),
    CONTENT_LENGTH: header("content-length"),
    HTTP_CONTENT_ENCODING: header("content-encoding"),
    GIT_PROTOCOL: header("git-protocol"),
    REMOTE_ADDR: "127.0.0.1",
  };
}

function headersOf(text: string): { status: number; fields: Record<string, string> } {
  const fields: Record<string, string> = {};
  let status = 200;
  for (const line of text.split("\r\n")) {
    const [name = "", ...rest] = line.split(":");
    const value = rest.join(":").trim();
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else fields[name] = value;
  }
  return { status, fields };
}
