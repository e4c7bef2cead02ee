import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { lsRefs } from "./ls-refs.ts";

/**
 * Serves `git fetch` and `git clone` of one bare repository: packs by `git upload-pack`, the list of refs from their
 * files. Pushing is not offered. `path` is what follows `/owner/repo.git`.
 */
export function serveGit(
  directory: string,
  { path, query }: { path: string; query: string },
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const wanted = `${request.method} ${path}`;
  const protocol = String(request.headers["git-protocol"] ?? "");
  if (wanted === "GET /info/refs" && query === "service=git-upload-pack") {
    void advertisementOf(directory, protocol).then(
      (body) => response.writeHead(200, headers("advertisement")).end(body),
      () => response.destroy(),
    );
  } else if (wanted === "POST /git-upload-pack") {
    answer({ directory, protocol }, request, response).catch(() => response.destroy());
  } else response.writeHead(403, { "content-type": "text/plain" }).end("only fetching is offered\n");
}

const headers = (part: "advertisement" | "result") => ({
  "content-type": `application/x-git-upload-pack-${part}`,
  "cache-control": "no-cache",
});

// Protocol 2 tells what the server can, and no ref: that follows from its settings alone, and is asked before each fetch.
const capabilities = new Map<string, Promise<Buffer>>();

async function advertisementOf(directory: string, protocol: string): Promise<Buffer> {
  const ask = () => advertised(directory, protocol);
  if (!isSecond(protocol)) return Buffer.concat([Buffer.from("001e# service=git-upload-pack\n0000"), await ask()]);
  const key = `${protocol}\n${await readFile(join(directory, "config"), "utf8")}`;
  const known = capabilities.get(key) ?? ask();
  capabilities.set(key, known);
  known.catch(() => capabilities.delete(key));
  return known;
}

const isSecond = (protocol: string) => /\bversion=2\b/.test(protocol);

function advertised(directory: string, protocol: string): Promise<Buffer> {
  const child = uploadPack(directory, protocol, ["--http-backend-info-refs"]);
  const chunks: Buffer[] = [];
  child.stdin.on("error", () => undefined).end();
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(Buffer.concat(chunks)) : reject(new Error("git upload-pack"))));
  });
}

interface Asked {
  readonly directory: string;
  readonly protocol: string;
}

async function answer(
  { directory, protocol }: Asked,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const isZipped = request.headers["content-encoding"] === "gzip";
  const body = await buffer(isZipped ? request.pipe(createGunzip()) : request);
  const refs = isSecond(protocol) ? await lsRefs(directory, body) : undefined;
  if (refs !== undefined) return void response.writeHead(200, headers("result")).end(refs);
  const child = uploadPack(directory, protocol, []);
  for (const stream of [child, child.stdin]) stream.on("error", () => response.destroy());
  child.stdin.end(body);
  response.on("close", () => child.kill());
  response.writeHead(200, headers("result"));
  child.stdout.pipe(response);
}

function uploadPack(directory: string, protocol: string, how: readonly string[]) {
  return spawn("git", ["upload-pack", "--strict", "--stateless-rpc", ...how, directory], {
    env: { PATH: process.env.PATH ?? "", HOME: directory, GIT_CONFIG_NOSYSTEM: "1", GIT_PROTOCOL: protocol },
    stdio: ["pipe", "pipe", "ignore"],
  });
}
