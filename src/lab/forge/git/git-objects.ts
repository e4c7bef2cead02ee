import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";

interface GitObject {
  readonly sha: string;
  readonly type: string;
  readonly content: Buffer;
}

/** The objects of a repository, without one process per object: the forge answers hundreds of small requests. */
export interface GitObjects {
  /** The object that an id, a ref or an expression like `x^{tree}` names; undefined when there is none. */
  read(name: string): Promise<GitObject | undefined>;
  /** Writes a loose object and gives its id. */
  write(type: "blob" | "tree" | "commit", content: Uint8Array): Promise<string>;
  close(): void;
}

export function gitObjectsIn(directory: string, env: Readonly<Record<string, string>>): GitObjects {
  let reader: Reader | undefined;
  const ask = (name: string) => {
    reader ??= startReader(directory, env);
    const answer = reader.ask(name);
    answer.catch(() => {
      reader = undefined;
    });
    return answer;
  };
  const known = new Map<string, GitObject>();
  const object = async (sha: string) => {
    const found = known.get(sha) ?? looseObject(directory, sha);
    if (known.size > keptObjects) known.clear();
    if (found !== undefined) known.set(sha, found);
    return found;
  };
  return {
    // What lies in a file of its own, as all that was written here, is read there; Git knows the rest.
    read: async (name) => {
      const [, start = "", wanted] = /^(.+?)(?:\^\{(commit|tree)\})?$/.exec(name) ?? [];
      const sha = /^[0-9a-f]{40}$/.test(start) ? start : looseRef(directory, start);
      const found = sha === undefined ? undefined : await object(sha);
      if (found === undefined) return isAllLoose(directory, start) ? undefined : ask(name);
      if (wanted === undefined || found.type === wanted) return found;
      const tree = found.type === "commit" && wanted === "tree" ? /^tree (\w+)/.exec(String(found.content))?.[1] : "";
      return (tree ? await object(tree) : undefined) ?? ask(name);
    },
    write: async (type, content) => writeLoose(directory, type, content),
    close: () => reader?.stop(),
  };
}

const keptObjects = 2_000;

// These files are tiny and asked for all the time: a call that waits for another thread costs ten times the reading.
function contentOf(file: string): Buffer | undefined {
  return existsSync(file) && statSync(file).isFile() ? readFileSync(file) : undefined;
}

function looseObject(directory: string, sha: string): GitObject | undefined {
  const file = contentOf(join(directory, "objects", sha.slice(0, 2), sha.slice(2)));
  if (file === undefined) return undefined;
  const whole = inflateSync(file);
  const end = whole.indexOf("\0");
  const [type = ""] = whole.toString("latin1", 0, end).split(" ");
  return { sha, type, content: whole.subarray(end + 1) };
}

function looseRef(directory: string, name: string): string | undefined {
  if (!name.startsWith("refs/")) return undefined;
  const text = String(contentOf(join(directory, name)) ?? "");
  return /^[0-9a-f]{40}$/.exec(text.trim())?.[0];
}

/** Nothing of this kind was packed: what is not in its file is nowhere. */
function isAllLoose(directory: string, name: string): boolean {
  if (!/^(?:refs\/.*|[0-9a-f]{40})$/.test(name)) return false;
  const packs = join(directory, "objects", "pack");
  return existsSync(packs) && readdirSync(packs).length === 0 && !existsSync(join(directory, "packed-refs"));
}

function writeLoose(directory: string, type: string, content: Uint8Array): string {
  const whole = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
  const sha = createHash("sha1").update(whole).digest("hex");
  const folder = join(directory, "objects", sha.slice(0, 2));
  const place = join(folder, sha.slice(2));
  if (existsSync(place)) return sha;
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `tmp_obj_${process.hrtime.bigint()}`);
  writeFileSync(draft, deflateSync(whole, { level: 1 }));
  renameSync(draft, place);
  return sha;
}

interface Reader {
  ask(name: string): Promise<GitObject | undefined>;
  stop(): void;
}

interface Question {
  readonly resolve: (answer: GitObject | undefined) => void;
  readonly reject: (reason: Error) => void;
}

/** One `git cat-file --batch` that answers in the order of the questions. */
function startReader(directory: string, env: Readonly<Record<string, string>>): Reader {
  const child: ChildProcessWithoutNullStreams = spawn("git", ["cat-file", "--batch"], { cwd: directory, env });
  const questions: Question[] = [];
  let unread: Buffer = Buffer.alloc(0);
  const fail = (cause?: unknown) => {
    for (const question of questions.splice(0)) question.reject(new Error("git cat-file ended", { cause }));
  };
  child.on("error", fail).on("close", fail);
  child.stdin.on("error", fail);
  child.stderr.resume();
  child.stdout.on("data", (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk]);
    for (let taken = takeAnswer(unread); taken; taken = takeAnswer(unread)) {
      unread = taken.rest;
      questions.shift()?.resolve(taken.object);
    }
  });
  return {
    ask: (name) =>
      new Promise((resolve, reject) => {
        questions.push({ resolve, reject });
        child.stdin.write(`${name}\n`);
      }),
    stop: () => void child.kill(),
  };
}

/** `<id> <type> <size>\n<content>\n`, or `<name> missing\n`. */
function takeAnswer(unread: Buffer): { object: GitObject | undefined; rest: Buffer } | undefined {
  const cut = unread.indexOf("\n");
  if (cut < 0) return undefined;
  const [sha = "", type = "", size] = unread.subarray(0, cut).toString().split(" ");
  if (size === undefined) return { object: undefined, rest: unread.subarray(cut + 1) };
  const end = cut + 1 + Number(size);
  if (unread.length < end + 1) return undefined;
  return { object: { sha, type, content: Buffer.from(unread.subarray(cut + 1, end)) }, rest: unread.subarray(end + 1) };
}

/** One line of a tree object. */
interface TreeLine {
  readonly mode: string;
  readonly name: string;
  readonly sha: string;
}

export function parseTree(content: Buffer): TreeLine[] {
  const lines: TreeLine[] = [];
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(" ", at);
    const end = content.indexOf("\0", space);
    const sha = content.subarray(end + 1, end + 21).toString("hex");
    lines.push({ mode: content.toString("latin1", at, space), name: content.toString("utf8", space + 1, end), sha });
    at = end + 21;
  }
  return lines;
}

export function renderTree(lines: readonly TreeLine[]): Buffer {
  // Git sorts a folder as if its name ended in a slash.
  const key = ({ mode, name }: TreeLine) => Buffer.from(mode === "40000" ? `${name}/` : name);
  const sorted = [...lines].sort((one, other) => Buffer.compare(key(one), key(other)));
  return Buffer.concat(
    sorted.flatMap(({ mode, name, sha }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(sha, "hex")]),
  );
}
