import { execFileSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMirror } from "../../src/adapters/git-mirror.ts";
import { startShop } from "../lab/forge-shop.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
const servers: Server[] = [];
beforeAll(async () => {
  forge = await startShop();
});
afterAll(async () => {
  for (const server of servers) server.close();
  await forge.close();
});

async function listening(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer as never);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a redirect to another host is not followed: the token would go along", async () => {
  const heard: string[] = [];
  const other = await listening((request, response) => {
    heard.push(String(request.headers.authorization));
    response.writeHead(404).end();
  });
  const first = await listening((request, response) => {
    response.writeHead(302, { location: `${other}${request.url}` }).end();
  });
  const mirror = openMirror({
    directory: join(forge.place, "redirected"),
    url: `${first.replace("://", "://someone:hunter2-hunter2@")}/acme/shop.git`,
    authorization: async () => "Basic c2VjcmV0",
  });
  await expect(mirror.head()).rejects.toThrow(
    /^git: http:\/\/[^@]+\/acme\/shop\.git could not be fetched: fatal: .*302/,
  );
  expect(heard).toEqual([]);
});

test("a fresh mirror has the tip whole and of the history no file's content; an older commit brings its own", async () => {
  const old = await forge.push({ "large.txt": "old\n" }, { message: "old", author: "ada" });
  await forge.push({ "large.txt": "between\n" }, { message: "between", author: "ada" });
  await forge.push({ "large.txt": "new\n" }, { message: "new", author: "ada" });
  const directory = join(forge.place, "partial");
  const authorization = async () => forge.fetchAuthorization();
  const mirror = openMirror({ directory, url: forge.cloneUrl, authorization });
  const { sha, tree } = await mirror.head();
  const missing = (...what: string[]) =>
    execFileSync("git", ["rev-list", "--objects", "--missing=print", ...what], { cwd: directory, encoding: "utf8" })
      .split("\n")
      .filter((line) => line.startsWith("?")).length;
  expect(missing("--no-walk", sha)).toBe(0);
  expect(missing(sha)).toBe(2);
  expect(Buffer.from(tree.read("large.txt") ?? []).toString()).toBe("new\n");
  expect(await mirror.commitsSince(new Date(0))).toHaveLength(4);
  expect(Buffer.from((await mirror.at(old)).read("large.txt") ?? []).toString()).toBe("old\n");
  expect(missing(sha)).toBe(1);
});
