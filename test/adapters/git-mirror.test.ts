import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMirror } from "../../src/adapters/git-mirror.ts";
import { Unavailable } from "../../src/ports/errors.ts";
import { startShop } from "../lab/forge-shop.ts";
import { scratchFiles } from "../scratch.ts";

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

test("files that cannot be brought now are an answer that did not come", async () => {
  const old = await forge.push({ "far.txt": "old\n" }, { message: "old", author: "ada" });
  await forge.push({ "far.txt": "new\n" }, { message: "new", author: "ada" });
  const authorization = async () => forge.fetchAuthorization();
  const directory = join(forge.place, "away");
  await openMirror({ directory, url: forge.cloneUrl, authorization }).head();
  const away = openMirror({ directory, url: "http://127.0.0.1:9/acme/shop.git", authorization });
  const reading = away.at(old);
  await expect(reading).rejects.toThrow(/^git: the files of commit [0-9a-f]{7} could not be read: fatal: /);
  await expect(reading).rejects.toBeInstanceOf(Unavailable);
});

test("what git still writes after its process ended is read to the end", async () => {
  const real = execFileSync("which", ["git"], { encoding: "utf8" }).trim();
  const place = join(forge.place, "late");
  mkdirSync(place);
  // The output comes from a child, which takes longer than the process that is waited for.
  const script = `#!/bin/sh\ncase "$1" in rev-parse | ls-tree) (sleep 0.5; exec ${real} "$@") & exit 0 ;; esac\nexec ${real} "$@"\n`;
  writeFileSync(join(place, "git"), script, { mode: 0o755 });
  const before = process.env.PATH;
  process.env.PATH = `${place}:${before}`;
  try {
    const authorization = async () => forge.fetchAuthorization();
    const mirror = openMirror({ directory: join(forge.place, "late-mirror"), url: forge.cloneUrl, authorization });
    const { tree } = await mirror.head();
    expect(tree.paths().length).toBeGreaterThan(0);
  } finally {
    process.env.PATH = before;
  }
});

/** A history of commits at their times, written by git itself. */
function pastOf(name: string) {
  const directory = join(forge.place, name);
  mkdirSync(directory);
  const git = (args: string[], env = {}) =>
    execFileSync("git", args, { cwd: directory, encoding: "utf8", env: { ...process.env, ...env } }).trim();
  git(["init", "--quiet", "--initial-branch=main", "."]);
  const tree = git(["write-tree"]);
  const commit = (hour: number, message: string, { author = "ada", parents = [] as string[] } = {}) => {
    const at = `2026-11-20T${String(hour).padStart(2, "0")}:00:00Z`;
    const email = `${author}@users.noreply.example.com`;
    return git(["commit-tree", tree, "-m", message, ...parents.flatMap((one) => ["-p", one])], {
      ...{ GIT_AUTHOR_NAME: author, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: at },
      ...{ GIT_COMMITTER_NAME: "host", GIT_COMMITTER_EMAIL: "host@example.com", GIT_COMMITTER_DATE: at },
    });
  };
  const open = (tip: string) => {
    git(["update-ref", "refs/heads/main", tip]);
    const about = { url: directory, authorization: async () => "", login: "rectify[bot]" };
    return openMirror({ directory: join(forge.place, `${name}-mirror`), ...about });
  };
  return { commit, open };
}

test("a commit behind one whose clock was slow is not hidden by it", async () => {
  const { commit, open } = pastOf("skewed");
  const first = commit(1, "first");
  const fix = commit(5, "fix", { parents: [first] });
  const slow = commit(2, "slow", { parents: [fix] });
  const found = await open(slow).commitsSince(new Date("2026-11-20T04:00:00Z"));
  expect(found.map(({ subject }) => subject)).toEqual(["fix"]);
});

test("our own commits are told apart, however they were merged; those of other bots are not ours", async () => {
  const { commit, open } = pastOf("own");
  const trailers = "Incident-UID: 6f1c2b1e-0000-5000-8000-000000000001\nEffect: x";
  const first = commit(1, "first");
  const side = commit(2, `Scale web to 4\n\nIt hurts.\n\n${trailers}`, { author: "7+other[bot]", parents: [first] });
  const merged = commit(3, "Merge pull request #1", { parents: [first, side] });
  const squashed = commit(4, `Scale web to 6 (#2)\n\n${trailers}\nApproved-by: ada`, { parents: [merged] });
  const bare = commit(5, "Scale web to 7 (#3)", { author: "12+rectify[bot]", parents: [squashed] });
  const updater = commit(6, "Update the image", { author: "9+updater[bot]", parents: [bare] });
  const theirs = commit(7, "Try something", { parents: [first] });
  const tip = commit(8, "Merge pull request #4", { parents: [updater, theirs] });
  const quoting = commit(9, `Why?\n\n${trailers}\n\nThat is what Rectify wrote.`, { parents: [tip] });
  const found = await open(quoting).commitsSince(new Date(0));
  expect(found.filter(({ own }) => own).map(({ sha }) => sha)).toEqual([bare, squashed, merged]);
  expect(found).toHaveLength(7);
});

test("a look that finds nothing new begins no more than it needs, and what came is tidied up", async () => {
  const directory = join(forge.place, "thrifty");
  const authorization = async () => forge.fetchAuthorization();
  const mirror = openMirror({ directory, url: forge.cloneUrl, authorization });
  await mirror.head();
  const trace = join(directory, "trace.json");
  writeFileSync(join(directory, ".gitconfig"), `[trace2]\n\teventTarget = ${trace}\n`);
  const begun = async (what: () => Promise<unknown>) => {
    writeFileSync(trace, "");
    await what();
    const lines = readFileSync(trace, "utf8")
      .split("\n")
      .filter((line) => line !== "");
    const events = lines.map((line) => JSON.parse(line) as { event: string; argv: string[] });
    return events.filter(({ event }) => event === "start").map(({ argv }) => argv.slice(0, 2).join(" "));
  };
  await forge.push({ "thrifty.txt": "1\n" }, { message: "came", author: "ada" });
  const came = await begun(mirror.head);
  expect(came).toContain("git gc");
  // The files came with the commit, by the one connection.
  expect(came.filter((what) => what.includes("git-remote-http"))).toHaveLength(1);
  expect((await begun(mirror.head)).filter((what) => !what.includes("remote-http"))).toEqual(["git fetch"]);
  const sha = (await forge.headOf("main")) ?? "";
  expect(await begun(() => mirror.treeId(sha))).toEqual(["git rev-parse"]);
  // What is laid out is read as it lies, after a restart, too.
  let again: readonly string[] = [];
  const reopened = openMirror({ directory, url: forge.cloneUrl, authorization });
  expect(await begun(async () => void (again = (await reopened.at(sha)).paths()))).toEqual([]);
  expect(again).toContain("thrifty.txt");
  const absent = await begun(() => mirror.contains(sha, "0".repeat(40)));
  expect(absent.filter((what) => what === "git merge-base")).toHaveLength(1);
});

test("symbolic links lead to files of the same commit", async () => {
  const root = scratchFiles({ "prod/web.yaml": "replicas: 2\n" });
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", root, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args]);
  git("init", "-q");
  for (const [link, target] of [
    ["staging", "prod"],
    ["hosts", "/etc/hosts"],
    ["up", "../../.."],
  ] as const)
    symlinkSync(target, join(root, link));
  git("add", ".");
  git("commit", "-q", "-m", "links");
  const directory = join(forge.place, "links");
  const { tree } = await openMirror({ directory, url: root, authorization: async () => "Basic c2VjcmV0" }).head();
  expect(tree.paths()).toEqual(["prod/web.yaml"]);
  expect(Object.fromEntries(tree.links?.targets ?? [])).toEqual({
    staging: "prod",
    hosts: "/etc/hosts",
    up: "../../..",
  });
  expect(Buffer.from(tree.read("staging/web.yaml") ?? []).toString()).toBe("replicas: 2\n");
  expect(tree.read("hosts")).toBeUndefined();
  expect(tree.read("up/etc/hosts")).toBeUndefined();
});

test("a link whose name is no plain text leads out, and the commit stays readable", async () => {
  const root = scratchFiles({ "prod/web.yaml": "replicas: 2\n" });
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", root, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args]);
  git("init", "-q");
  symlinkSync("prod", join(root, "a\tb"));
  symlinkSync("prod", Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9])]));
  writeFileSync(join(root, "c\td"), "tab\n");
  git("add", ".");
  git("commit", "-q", "-m", "odd names");
  const directory = join(forge.place, "odd-names");
  const { tree } = await openMirror({ directory, url: root, authorization: async () => "Basic c2VjcmV0" }).head();
  expect(new Set(tree.paths())).toEqual(new Set(["c\td", "prod/web.yaml"]));
  expect([...(tree.links?.targets ?? [])]).toEqual([
    ["a\tb", "prod"],
    ["caf\ufffd", "/"],
  ]);
  expect(Buffer.from(tree.read("c\td") ?? []).toString()).toBe("tab\n");
});
