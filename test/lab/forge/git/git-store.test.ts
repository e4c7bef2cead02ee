import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createGitStore, type GitStore } from "../../../../src/lab/forge/git/git-store.ts";
import { lsRefs } from "../../../../src/lab/forge/git/ls-refs.ts";

const place = mkdtempSync(join(tmpdir(), "rectify-git-store-"));
let store: GitStore;
beforeAll(async () => {
  store = await createGitStore(join(place, "shop.git"));
});
afterAll(() => {
  store.close();
  rmSync(place, { recursive: true, force: true });
});

const run = promisify(execFile);
const git = async (...args: string[]) => (await run("git", args, { cwd: store.directory })).stdout.trim();

/** A commit whose only file holds its name. */
async function commit(name: string, parents: readonly string[]): Promise<string> {
  const file = { path: "name.txt", mode: "100644", sha: await store.writeBlob(name) };
  const by = { name: "ada", email: "ada@example.com", date: "2026-11-20T00:00:00Z" };
  const tree = await store.writeTree(undefined, [file]);
  return store.writeCommit({ tree, parents, message: `${name}\n`, author: by, committer: by });
}

test("refs that are made, moved and deleted in their files are those that Git sees, packed ones too", async () => {
  const [first, second] = [await commit("first", []), await commit("second", [])];
  const listed = async () =>
    (await store.refs("refs/")).map(({ ref, sha }) => `${sha} ${ref}`).join("\n") ===
    (await git("for-each-ref", "--format=%(objectname) %(refname)"));
  await store.updateRef("refs/heads/main", first);
  await store.updateRef("refs/heads/rectify/shop/web", first);
  await store.updateRef("refs/heads/rectify-2", second);
  expect([await listed(), (await store.refs("refs/heads/rectify/")).length]).toEqual([true, 1]);
  expect([await store.resolve("refs/heads/rectify"), await store.resolve("0".repeat(40))]).toEqual([
    undefined,
    undefined,
  ]);
  await git("pack-refs", "--all");
  await git("repack", "-a", "-d", "-q");
  expect(await store.resolve(first)).toBe(first);
  await store.updateRef("refs/heads/main", second);
  expect([await listed(), await store.resolve("refs/heads/main")]).toEqual([true, second]);
  await store.deleteRef("refs/heads/rectify/shop/web");
  // Its folders stand in the way of nothing.
  await store.updateRef("refs/heads/rectify", first);
  await store.deleteRef("refs/heads/rectify");
  expect([await listed(), (await store.refs("refs/heads/")).map(({ ref }) => ref)]).toEqual([
    true,
    ["refs/heads/main", "refs/heads/rectify-2"],
  ]);
});

/** Of each commit itself and all before it, parents first. */
async function ancestorsOf(all: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const before = new Map<string, Set<string>>();
  for (const sha of all) {
    const parents = (await store.commit(sha))?.parents ?? [];
    before.set(sha, new Set([sha, ...parents.flatMap((parent) => [...(before.get(parent) ?? [])])]));
  }
  return before;
}

test("ancestors, merge bases and lines of commits are those of the graph, near and far", async () => {
  const all = [await commit("root", []), await commit("other root", [])];
  // Drawn, and the same each time.
  let drawn = 7;
  const draw = (below: number) => (drawn = (drawn * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  for (let made = 2; made < 24; made += 1) {
    const parents = [all[draw(all.length)] ?? "", ...(draw(3) === 0 ? [all[draw(all.length)] ?? ""] : [])];
    all.push(await commit(`commit ${made}`, [...new Set(parents)]));
  }
  for (let made = 0; made < 60; made += 1) all.push(await commit(`far ${made}`, [all.at(-1) ?? ""]));
  await store.updateRef("refs/heads/main", all.at(-1) ?? "");
  const before = await ancestorsOf(all);
  for (const head of all.filter((_, at) => at % 6 === 5))
    for (const base of [0, 4, 17, 22, 60].map((at) => all[at] ?? "")) {
      const [ours, theirs] = [before.get(head) ?? new Set<string>(), before.get(base) ?? new Set<string>()];
      expect(await store.isAncestor(base, head)).toBe(ours.has(base));
      const between = await store.commitsBetween(base, head);
      expect(new Set(between)).toEqual(new Set([...ours].filter((sha) => !theirs.has(sha))));
      const fork = await store.mergeBase(base, head);
      if (ours.has(base)) expect(fork).toBe(base);
      else if (fork !== undefined) expect([ours.has(fork), theirs.has(fork)]).toEqual([true, true]);
    }
}, 60_000);

test("merging what holds the other gives its tree, and two that changed one file conflict", async () => {
  const root = await commit("begin", []);
  const [one, other] = [await commit("one", [root]), await commit("other", [root])];
  const treeOf = async (sha: string) => (await store.commit(sha))?.tree;
  const merged = [
    await store.mergeTree(root, one),
    await store.mergeTree(one, root),
    await store.mergeTree(one, other),
  ];
  expect(merged).toEqual([await treeOf(one), await treeOf(one), undefined]);
});

test("the list of refs is byte for byte that of git upload-pack", async () => {
  await store.updateRef("refs/heads/b/deep", await commit("deep", []));
  const asked = (...lines: string[]) =>
    lines.map((line) =>
      /^000[01]$/.test(line) ? line : (line.length + 5).toString(16).padStart(4, "0") + `${line}\n`,
    );
  for (const question of [
    asked("command=ls-refs", "agent=git/2", "object-format=sha1", "0001", "peel", "symrefs", "ref-prefix HEAD", "0000"),
    asked("command=ls-refs", "0001", "ref-prefix refs/heads/", "ref-prefix refs/tags/", "0000"),
    asked("command=ls-refs", "0000"),
  ]) {
    const body = Buffer.from(question.join(""));
    const env = { PATH: process.env.PATH ?? "", GIT_PROTOCOL: "version=2" };
    const child = spawn("git", ["upload-pack", "--stateless-rpc", store.directory], { env });
    child.stdin.end(body);
    const [real, ours] = await Promise.all([buffer(child.stdout), lsRefs(store.directory, body)]);
    expect(String(ours)).toBe(String(real));
  }
  expect(await lsRefs(store.directory, Buffer.from(asked("command=fetch", "0000").join("")))).toBeUndefined();
  await git("tag", "-a", "-m", "one", "v1", "main");
  expect(await lsRefs(store.directory, Buffer.from(asked("command=ls-refs", "0000").join("")))).toBeUndefined();
});

test("what a tree holds is what Git lists, in one order, a module of another repository too", async () => {
  const blob = await store.writeBlob("twelve bytes");
  const plain = { mode: "100644", sha: blob };
  const files = [
    ...[
      { path: "a/b/c.txt", ...plain },
      { path: "a-b.txt", ...plain },
      { path: "a/b.sh", mode: "100755", sha: blob },
    ],
    { path: "module", mode: "160000", sha: "1".repeat(40) },
  ];
  const tree = await store.writeTree(undefined, files);
  for (const [depth, how] of [["flat", []] as const, ["recursive", ["-r", "-t"]] as const]) {
    const ours = (await store.tree(tree, depth)) ?? [];
    const lines = ours.map(({ path, mode, type, sha, size = "-" }) => `${mode} ${type} ${sha} ${size}\t${path}`);
    expect(lines.join("\n")).toBe((await git("ls-tree", "-l", ...how, tree)).replace(/ +/g, " "));
  }
  expect([await store.tree(blob, "flat"), await store.tree("0".repeat(40), "flat")]).toEqual([undefined, undefined]);
});

test("the changed files of two commits come with their lines and patches, in one order", async () => {
  const tree = async (files: Record<string, string>) => {
    const written = Object.entries(files).map(async ([path, text]) => {
      return { path, mode: "100644", sha: await store.writeBlob(text) };
    });
    return store.writeTree(undefined, await Promise.all(written));
  };
  const by = { name: "ada", email: "ada@example.com", date: "2026-11-20T00:00:00Z" };
  const made = async (files: Record<string, string>, parents: string[]) =>
    store.writeCommit({ tree: await tree(files), parents, message: "x\n", author: by, committer: by });
  const before = await made({ "gone.txt": "1\n", "kept.txt": "1\n", "same.txt": "1\n", "ü.bin": "\0" }, []);
  const after = await made(
    { "kept.txt": "1\n2\n", "new/one.txt": "diff --git a b\n", "same.txt": "1\n", "ü.bin": "\0\0" },
    [before],
  );
  const files = await store.filesBetween(before, after);
  expect(
    files.map(({ filename, status, additions, deletions, patch }) => [filename, status, additions, deletions, patch]),
  ).toEqual([
    ["gone.txt", "removed", 0, 1, "@@ -1 +0,0 @@\n-1"],
    ["kept.txt", "modified", 1, 0, "@@ -1 +1,2 @@\n 1\n+2"],
    ["new/one.txt", "added", 1, 0, "@@ -0,0 +1 @@\n+diff --git a b"],
    ["ü.bin", "modified", 0, 0, ""],
  ]);
  expect(files[1]?.sha).toBe(await store.writeBlob("1\n2\n"));
  expect(await store.filesBetween(before, before)).toEqual([]);
});
