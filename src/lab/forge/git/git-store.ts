import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type GitObjects, gitObjectsIn, parseTree, renderTree } from "./git-objects.ts";
import { nearHistory } from "./near-history.ts";
import { type Ref, refFilesIn } from "./ref-files.ts";

/** Who wrote a commit, and when (RFC 3339). */
export interface Signature {
  readonly name: string;
  readonly email: string;
  readonly date: string;
}

export interface CommitRecord {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Signature;
  readonly committer: Signature;
  readonly message: string;
}

interface TreeEntry {
  readonly path: string;
  readonly mode: string;
  readonly type: string;
  readonly sha: string;
  readonly size: number | undefined;
}

/** A change of a tree: `sha` undefined removes the path. */
export interface TreeChange {
  readonly path: string;
  readonly mode: string;
  readonly sha: string | undefined;
}

interface ChangedFile {
  readonly filename: string;
  readonly status: "added" | "removed" | "modified";
  readonly sha: string;
  readonly additions: number;
  readonly deletions: number;
  readonly patch: string;
}

/** The bare repository behind the forge. */
export interface GitStore {
  readonly directory: string;
  /** The commit that a full ref or an object id names; undefined when there is none. */
  resolve(name: string): Promise<string | undefined>;
  writeBlob(content: Uint8Array | string): Promise<string>;
  writeTree(base: string | undefined, changes: readonly TreeChange[]): Promise<string>;
  writeCommit(commit: Omit<CommitRecord, "sha">): Promise<string>;
  updateRef(ref: string, sha: string): Promise<void>;
  deleteRef(ref: string): Promise<void>;
  refs(prefix: string): Promise<readonly Ref[]>;
  commit(sha: string): Promise<CommitRecord | undefined>;
  blob(sha: string): Promise<Buffer | undefined>;
  isTree(sha: string): Promise<boolean>;
  /** The entries of a tree or of a commit's tree; undefined when there is no such object. */
  tree(sha: string, depth: "flat" | "recursive"): Promise<readonly TreeEntry[] | undefined>;
  isAncestor(ancestor: string, descendant: string): Promise<boolean>;
  mergeBase(one: string, other: string): Promise<string | undefined>;
  /** Commits in `head` that are not in `base`, oldest first. */
  commitsBetween(base: string, head: string): Promise<readonly string[]>;
  /** The newest commits that lead to `tip`, newest first; with `path` only those that changed it. */
  history(tip: string, path: string | undefined): Promise<readonly string[]>;
  filesBetween(base: string, head: string): Promise<readonly ChangedFile[]>;
  /** The tree of merging both; undefined when they conflict. */
  mergeTree(base: string, head: string): Promise<string | undefined>;
  close(): void;
}

const longestHistory = 1000;

type Git = (args: readonly string[]) => Promise<Buffer>;

/** Makes a new bare repository whose default branch is `main`. */
export async function createGitStore(directory: string): Promise<GitStore> {
  await makeRepository(directory);
  const git = gitIn(directory);
  const objects = gitObjectsIn(directory, environmentIn(directory));
  const read = async (name: string) => (isPlainName(name) ? objects.read(name) : undefined);
  const text = async (...args: string[]) => (await git(args)).toString().trim();
  const maybe = (...args: string[]) => text(...args).catch(() => undefined);
  const refFiles = refFilesIn(directory);
  const commit = async (sha: string) => parseCommit(isObjectId(sha) ? await read(sha) : undefined);
  const near = nearHistory(remembered(async (sha) => parentsIn(await commit(sha))));
  const isAncestor = remembered(
    async (one, other) =>
      (await near.isAncestor(one, other)) ?? (await maybe("merge-base", "--is-ancestor", one, other)) !== undefined,
  );
  const treeOf = remembered((sha) => readTree(objects, sha, "flat"));
  const filesOf = remembered((sha) => readTree(objects, sha, "recursive"));
  const listed = (sha: string, depth: "flat" | "recursive") => (depth === "flat" ? treeOf(sha) : filesOf(sha));
  return {
    ...{ directory, commit, isAncestor },
    resolve: async (name) => (isPlainName(name) ? (await objects.read(`${name}^{commit}`))?.sha : undefined),
    writeBlob: (content) => objects.write("blob", Buffer.from(content)),
    writeTree: (base, changes) => writeTree(objects, base, changes),
    writeCommit: (record) => objects.write("commit", renderCommit(record)),
    updateRef: refFiles.update,
    deleteRef: async (ref) => void ((await refFiles.delete(ref)) || (await git(["update-ref", "-d", ref]))),
    refs: async (prefix) => (await refFiles.all()).filter(({ ref }) => ref.startsWith(prefix)),
    blob: async (sha) => (isObjectId(sha) ? (await read(sha))?.content : undefined),
    isTree: async (sha) => isObjectId(sha) && (await objects.read(sha))?.type === "tree",
    tree: async (sha, depth) =>
      isPlainName(sha)
        ? (isObjectId(sha) ? listed(sha, depth) : readTree(objects, sha, depth)).catch(() => undefined)
        : undefined,
    mergeBase: remembered(async (one, other) => {
      if (await isAncestor(one, other)) return one;
      return (await isAncestor(other, one)) ? other : maybe("merge-base", one, other);
    }),
    commitsBetween: remembered(
      async (base, head) =>
        (await near.line(base, head)) ?? lines(await text("rev-list", "--reverse", `${base}..${head}`)),
    ),
    history: async (tip, path) =>
      lines(await text("rev-list", `--max-count=${longestHistory}`, tip, "--", ...(path === undefined ? [] : [path]))),
    filesBetween: remembered((base, head) => filesBetween(git, base, head)),
    mergeTree: remembered(async (base, head) => {
      // Where one holds the other there is nothing to merge.
      const whole = (await isAncestor(base, head)) ? head : (await isAncestor(head, base)) ? base : undefined;
      return (await commit(whole ?? ""))?.tree ?? maybe("merge-tree", "--write-tree", "--no-messages", base, head);
    }),
    close: () => objects.close(),
  };
}

function parentsIn(commit: CommitRecord | undefined): readonly string[] {
  if (commit === undefined) throw new Error("no such commit");
  return commit.parents;
}

/** What `git init --bare` makes, without the process; GitHub answers a fetch of any reachable commit id. */
async function makeRepository(directory: string): Promise<void> {
  for (const folder of ["objects/info", "objects/pack", "refs/heads", "refs/tags"])
    await mkdir(join(directory, folder), { recursive: true });
  await writeFile(join(directory, "HEAD"), "ref: refs/heads/main\n");
  const settings = {
    core: ["repositoryformatversion = 0", "filemode = true", "bare = true"],
    uploadpack: ["allowAnySHA1InWant = true", "allowFilter = true"],
    gc: ["auto = 0"],
  };
  const sections = Object.entries(settings).map(([name, said]) => `[${name}]\n\t${said.join("\n\t")}\n`);
  await writeFile(join(directory, "config"), sections.join(""));
}

/** What follows from object ids alone never changes. */
function remembered<Ids extends string[], T>(ask: (...ids: Ids) => Promise<T>): (...ids: Ids) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (...ids) => {
    const question = ids.join(" ");
    const answer = answers.get(question) ?? ask(...ids);
    answers.set(question, answer);
    // What is not there yet may be there later.
    answer.catch(() => answers.delete(question));
    return answer;
  };
}

export function isObjectId(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** Names from requests reach git only when they can be no option, range or expression. */
export function isPlainName(text: string): boolean {
  return /^[\w][\w./+@=-]*$/.test(text) && !text.includes("..") && !text.includes("@{") && !text.endsWith(".lock");
}

function environmentIn(directory: string): Record<string, string> {
  const path = process.env.PATH ?? "";
  return { PATH: path, HOME: directory, GIT_CONFIG_NOSYSTEM: "1", GIT_DIR: directory, LC_ALL: "C" };
}

function gitIn(directory: string): Git {
  const env = environmentIn(directory);
  return (args) =>
    new Promise((resolve, reject) => {
      const options = { cwd: directory, env, maxBuffer: 1 << 28, encoding: "buffer" as const };
      execFile("git", args, options, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    });
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** The tree `base` with the changes made, and only the folders on their paths written anew. */
async function writeTree(
  objects: GitObjects,
  base: string | undefined,
  changes: readonly TreeChange[],
): Promise<string> {
  const there = base === undefined ? undefined : await objects.read(`${base}^{tree}`);
  const entries = new Map((there ? parseTree(there.content) : []).map((line) => [line.name, line]));
  const below = new Map<string, TreeChange[]>();
  for (const change of changes) {
    const [name = "", ...rest] = change.path.split("/");
    if (rest.length > 0) below.set(name, [...(below.get(name) ?? []), { ...change, path: rest.join("/") }]);
    else if (change.sha === undefined) entries.delete(name);
    else entries.set(name, { name, mode: change.mode.replace(/^0/, ""), sha: change.sha });
  }
  for (const [name, inside] of below) {
    const folder = entries.get(name);
    const sha = await writeTree(objects, folder?.mode === "40000" ? folder.sha : undefined, inside);
    entries.set(name, { name, mode: "40000", sha });
    // Git keeps no empty folders.
    if (sha === emptyTree) entries.delete(name);
  }
  return objects.write("tree", renderTree([...entries.values()]));
}

const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

function renderCommit({ tree, parents, author, committer, message }: Omit<CommitRecord, "sha">): Buffer {
  const signed = ({ name, email, date }: Signature) =>
    `${name.replace(/[<>\n]/g, "")} <${email.replace(/[<>\n]/g, "")}> ${Math.floor(Date.parse(date) / 1000)} +0000`;
  const header = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${signed(author)}`,
    `committer ${signed(committer)}`,
  ];
  return Buffer.from(`${header.join("\n")}\n\n${message}`);
}

function parseCommit(object: { sha: string; type: string; content: Buffer } | undefined): CommitRecord | undefined {
  if (object?.type !== "commit") return undefined;
  const text = object.content.toString();
  const cut = text.indexOf("\n\n");
  const header = lines(text.slice(0, cut)).map(
    (line) => [line.split(" ", 1)[0] ?? "", line.replace(/^\S+ /, "")] as const,
  );
  const all = (name: string) => header.flatMap(([key, value]) => (key === name ? [value] : []));
  return {
    sha: object.sha,
    tree: all("tree")[0] ?? "",
    parents: all("parent"),
    author: signatureOf(all("author")[0] ?? ""),
    committer: signatureOf(all("committer")[0] ?? ""),
    message: text.slice(cut + 2),
  };
}

function signatureOf(line: string): Signature {
  const [, name = "", email = "", seconds = "0"] = /^(.*) <(.*)> (\d+)/.exec(line) ?? [];
  return { name, email, date: `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}Z` };
}

/** What `git ls-tree -l` lists, with `-r -t` when it is recursive, without the process. */
async function readTree(objects: GitObjects, sha: string, depth: "flat" | "recursive"): Promise<TreeEntry[]> {
  const tree = await objects.read(`${sha}^{tree}`);
  if (tree === undefined) throw new Error("no such tree");
  const listed: TreeEntry[] = [];
  for (const { mode, name, sha: id } of parseTree(tree.content)) {
    const type = mode === "40000" ? "tree" : mode === "160000" ? "commit" : "blob";
    const size = type === "blob" ? (await objects.read(id))?.content.length : undefined;
    listed.push({ path: name, mode: mode.padStart(6, "0"), type, sha: id, size });
    if (type !== "tree" || depth === "flat") continue;
    for (const below of await readTree(objects, id, depth)) listed.push({ ...below, path: `${name}/${below.path}` });
  }
  return listed;
}

/** One process for all: what changed, by how many lines, and then one patch for each file in the same order. */
async function filesBetween(git: Git, base: string, head: string): Promise<ChangedFile[]> {
  const how = ["--raw", "--numstat", "--patch", "--no-renames", "--no-abbrev", "-z"];
  const text = (await git(["diff", ...how, base, head])).toString();
  const cut = text.indexOf("\0\0");
  if (cut < 0) return [];
  const fields = text.slice(0, cut).split("\0");
  const patches = patchesIn(text.slice(cut + 2));
  const count = fields.length / 3;
  return Array.from({ length: count }, (_, at) => {
    const [, , , sha = "", letter = "M"] = (fields[2 * at] ?? "").split(" ");
    const [added, deleted] = (fields[2 * count + at] ?? "").split("\t");
    const status = letter === "A" ? "added" : letter === "D" ? "removed" : "modified";
    const size = { additions: Number(added) || 0, deletions: Number(deleted) || 0 };
    return { filename: fields[2 * at + 1] ?? "", status, sha, ...size, patch: patches[at] ?? "" };
  });
}

function patchesIn(text: string): string[] {
  const parts = text.split(/^diff --git .*\n/m).slice(1);
  return parts.map((part) => (part.includes("\n@@") ? part.slice(part.indexOf("\n@@") + 1).trimEnd() : ""));
}
