import { execFile } from "node:child_process";
import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type GitObjects, gitObjectsIn, parseTree, renderTree } from "./git-objects.ts";

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
  refs(prefix: string): Promise<readonly { readonly ref: string; readonly sha: string }[]>;
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
  await mkdir(directory, { recursive: true });
  const git = gitIn(directory);
  await git(["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  // GitHub answers a fetch of any reachable commit id.
  await appendFile(
    join(directory, "config"),
    "[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n[gc]\n\tauto = 0\n",
  );
  const objects = gitObjectsIn(directory, environmentIn(directory));
  const read = async (name: string) => (isPlainName(name) ? objects.read(name) : undefined);
  const text = async (...args: string[]) => (await git(args)).toString().trim();
  const maybe = (...args: string[]) => text(...args).catch(() => undefined);
  return {
    directory,
    resolve: async (name) => (isPlainName(name) ? (await objects.read(`${name}^{commit}`))?.sha : undefined),
    writeBlob: (content) => objects.write("blob", Buffer.from(content)),
    writeTree: (base, changes) => writeTree(objects, base, changes),
    writeCommit: (commit) => objects.write("commit", renderCommit(commit)),
    updateRef: async (ref, sha) => void (await git(["update-ref", ref, sha])),
    deleteRef: async (ref) => void (await git(["update-ref", "-d", ref])),
    refs: async (prefix) =>
      lines(await text("for-each-ref", "--format=%(objectname) %(refname)")).flatMap((line) => {
        const [sha = "", ref = ""] = line.split(" ");
        return ref.startsWith(prefix) ? [{ ref, sha }] : [];
      }),
    commit: async (sha) => parseCommit(isObjectId(sha) ? await read(sha) : undefined),
    blob: async (sha) => (isObjectId(sha) ? (await read(sha))?.content : undefined),
    isTree: async (sha) => isObjectId(sha) && (await objects.read(sha))?.type === "tree",
    tree: async (sha, depth) => (isPlainName(sha) ? readTree(git, sha, depth).catch(() => undefined) : undefined),
    isAncestor: remembered(
      async (one, other) => (await maybe("merge-base", "--is-ancestor", one, other)) !== undefined,
    ),
    mergeBase: remembered((one, other) => maybe("merge-base", one, other)),
    commitsBetween: remembered(async (base, head) => lines(await text("rev-list", "--reverse", `${base}..${head}`))),
    history: async (tip, path) =>
      lines(await text("rev-list", `--max-count=${longestHistory}`, tip, "--", ...(path === undefined ? [] : [path]))),
    filesBetween: remembered((base, head) => filesBetween(git, base, head)),
    mergeTree: remembered((base, head) => maybe("merge-tree", "--write-tree", "--no-messages", base, head)),
    close: () => objects.close(),
  };
}

/** What follows from two commit ids alone never changes. */
function remembered<T>(ask: (one: string, other: string) => Promise<T>): (one: string, other: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (one, other) => {
    const question = `${one} ${other}`;
    const answer = answers.get(question) ?? ask(one, other);
    answers.set(question, answer);
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

async function readTree(git: Git, sha: string, depth: "flat" | "recursive"): Promise<TreeEntry[]> {
  const listing = await git(["ls-tree", ...(depth === "recursive" ? ["-r", "-t"] : []), "-z", "-l", sha]);
  return listing
    .toString()
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const [meta = "", path = ""] = line.split("\t");
      const [mode = "", type = "", id = "", size = "-"] = meta.split(/ +/);
      return { path, mode, type, sha: id, size: size === "-" ? undefined : Number(size) };
    });
}

async function filesBetween(git: Git, base: string, head: string): Promise<ChangedFile[]> {
  const list = async (...how: string[]) =>
    (await git(["diff", ...how, "--no-renames", "--no-abbrev", "-z", base, head])).toString().split("\0");
  const [raw, counts, patches] = await Promise.all([list("--raw"), list("--numstat"), patchesBetween(git, base, head)]);
  const files: ChangedFile[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [, , , sha = "", letter = "M"] = (raw[at] ?? "").split(" ");
    const [added, deleted] = (counts[at / 2] ?? "").split("\t");
    const status = letter === "A" ? "added" : letter === "D" ? "removed" : "modified";
    const size = { additions: Number(added) || 0, deletions: Number(deleted) || 0 };
    files.push({ filename: raw[at + 1] ?? "", status, sha, ...size, patch: patches[at / 2] ?? "" });
  }
  return files;
}

/** One patch for each file, in the order of the other lists. */
async function patchesBetween(git: Git, base: string, head: string): Promise<string[]> {
  const text = (await git(["diff", "--no-renames", base, head])).toString();
  const parts = text.split(/^diff --git .*\n/m).slice(1);
  return parts.map((part) => (part.includes("\n@@") ? part.slice(part.indexOf("\n@@") + 1).trimEnd() : ""));
}
