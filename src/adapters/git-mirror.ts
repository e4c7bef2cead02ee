import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { oneLine } from "../domain/text/one-line.ts";
import { linksOf, throughLinks, type Tree } from "../domain/kubernetes/tree.ts";
import type { CommitMark } from "../ports/github.ts";
import { Refused, Unavailable } from "../ports/errors.ts";
import { quietGit, succeeds } from "./cli-tools/quiet-git.ts";

/** A local bare mirror of the repository: every read of files and history comes from here. */
export interface Mirror {
  /** Fetches and gives the tip of the default branch. */
  head(): Promise<{ readonly sha: string; readonly tree: Tree }>;
  /** The files of one commit that was fetched before, or is contained in the default branch. */
  at(sha: string): Promise<Tree>;
  /** The id of the commit's tree. */
  treeId(sha: string): Promise<string>;
  /** Those of the last hundred, or `most`, that are no older; newest first. */
  commitsSince(since: Date, most?: number): Promise<readonly CommitMark[]>;
  contains(descendant: string, ancestor: string): Promise<boolean>;
}

interface MirrorOptions {
  readonly directory: string;
  readonly url: string;
  /** The value of the Authorization header, asked anew for each fetch: tokens live an hour. */
  readonly authorization: () => Promise<string>;
  /** A head that was fetched within this many milliseconds is still the head: one workflow asks for it many times. */
  readonly freshMs?: number;
  /** The bot's own login, where it is known. */
  readonly login?: string | undefined;
  /** Variables by which git gets out of a fenced network: proxies, private authorities. */
  readonly network?: Readonly<Record<string, string>>;
}

/** Opens the mirror; nothing is fetched before the first read. Throws `Unavailable` when git cannot reach the host. */
export function openMirror(options: MirrorOptions): Mirror {
  const { directory } = options;
  const trees = new Map<string, Promise<Tree>>();
  let prepared: Promise<void> | undefined;
  let fetching: Promise<string> | undefined;
  const fetchOnce = () => {
    prepared ??= prepare(directory).catch((cause) => {
      throw new Unavailable("git: the mirror's directory cannot be used", { cause });
    });
    prepared.catch(() => {
      prepared = undefined;
    });
    fetching ??= prepared
      .then(() => fetchHead(options))
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  };
  const treeAt = (sha: string) => {
    const reading = trees.get(sha) ?? readTree(options, sha);
    trees.delete(sha);
    trees.set(sha, reading);
    for (const old of [...trees.keys()].slice(0, -keptTrees)) trees.delete(old);
    // What failed once, for want of space perhaps, is tried anew.
    reading.catch(() => trees.delete(sha));
    return reading;
  };
  const fetchedHead = reusedFor(options.freshMs ?? 0, fetchOnce);
  return {
    async head() {
      const sha = await fetchedHead();
      return { sha, tree: await treeAt(sha) };
    },
    async at(sha) {
      if (!isCommitId(sha)) throw new Refused("git: not a commit id");
      const isHere = trees.has(sha) || isLaidOut(join(directory, "trees", sha));
      if (!isHere && !(await succeeds(directory, ["cat-file", "-e", sha]))) await fetchOnce();
      return treeAt(sha);
    },
    treeId: (sha) => treeIdOf(directory, sha, fetchOnce),
    commitsSince: async (since, most = 100) => commitsSince(options, await fetchedHead(), { since, most }),
    async contains(descendant, ancestor) {
      // A GitOps controller may report anything as its revision.
      if (!isCommitId(descendant) || !isCommitId(ancestor)) return false;
      const isAncestor = () => succeeds(directory, ["merge-base", "--is-ancestor", ancestor, descendant]);
      const before = writtenTip(directory);
      if (await isAncestor()) return true;
      // Where nothing came, the answer stands.
      return (await fetchOnce()) !== before && isAncestor();
    },
  };
}

async function treeIdOf(directory: string, sha: string, fetch: () => Promise<unknown>): Promise<string> {
  if (!isCommitId(sha)) throw new Refused("git: not a commit id");
  const ask = async () => (await quietGit(directory).revparse([`${sha}^{tree}`])).trim();
  const found = existsSync(directory) ? await ask().catch(() => undefined) : undefined;
  return found ?? fetch().then(ask);
}

// Counted, and then filtered: git itself stops at the first older commit, and one clock may go behind the others.
async function commitsSince(
  options: MirrorOptions,
  head: string,
  { since, most }: { readonly since: Date; readonly most: number },
): Promise<CommitMark[]> {
  const all = await logOf(options, ["--first-parent", `--max-count=${most}`, head]);
  const wanted = all.filter(({ mark }) => Date.parse(mark.at) >= since.getTime());
  const sides = wanted.flatMap(({ side, isOwn }) => (side === undefined || isOwn ? [] : [side]));
  const own = new Set<string | undefined>();
  for (let at = 0; at < sides.length; at += sidesAtOnce)
    for (const { mark, isOwn } of await logOf(options, ["--no-walk", ...sides.slice(at, at + sidesAtOnce)]))
      if (isOwn) own.add(mark.sha);
  return wanted.map(({ mark, side, isOwn }) => (isOwn || own.has(side) ? { ...mark, own: true } : mark));
}

const sidesAtOnce = 1_000;
const fields = "%H%x00%cI%x00%P%x00%an%x00%s%x00%ae%x00%(trailers:key=Incident-UID,valueonly,separator=%x20)";

/** Each commit, what it merged, and whether it is ours: by the trailer that each of ours has, or by its author. */
async function logOf({ directory, login }: MirrorOptions, what: readonly string[]) {
  const log = await quietGit(directory).raw(["log", `--format=${fields}`, ...what]);
  return log.split("\n").flatMap((line) => {
    const [sha, at, parents = "", author, subject, email = "", incident = ""] = line.split("\0");
    if (!sha || !at) return [];
    const [parent, side] = parents.split(" ");
    const mark: CommitMark = { sha, at, parent: parent || undefined, author, subject };
    const writer = email.split("@")[0]?.replace(/^\d+\+/, "");
    return [{ mark, side, isOwn: incident.trim() !== "" || (login !== undefined && writer === login) }];
  });
}

function isCommitId(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** An empty repository, or the one of an earlier run without the locks that a crash may have left in it. */
async function prepare(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  for (const lock of ["config", "HEAD", "packed-refs", "shallow", "refs/rectify/head"]) {
    rmSync(join(directory, `${lock}.lock`), { force: true });
  }
  await quietGit(directory).init(["--bare"]);
}

/** The last answer, while it is younger than this. */
function reusedFor<T>(ms: number, ask: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly answer: T } | undefined;
  return async () => {
    if (last && Date.now() - last.at < ms) return last.answer;
    const answer = await ask();
    last = { at: Date.now(), answer };
    return answer;
  };
}

/**
 * The tip whole, the history without the content of files that nobody asked for: a large repository is fetched in
 * minutes, and an older commit brings its files when it is read. A host that knows no filter sends everything.
 */
async function fetchHead(options: MirrorOptions): Promise<string> {
  const { directory } = options;
  const git = quietGit(directory);
  try {
    const remote = quietGit(directory, await remoteByEnvironment(options));
    const plain = ["fetch", "--progress", "--force", "--no-tags"];
    const fetch = (...how: string[]) => remote.raw([...plain, ...how, remoteName, tip]);
    const before = writtenTip(directory);
    const isNear = Date.now() - lastLook(directory) < nearMs;
    if (before === undefined && !(await hasPackedTip(directory))) await fetch("--depth=1");
    const isShallow = existsSync(join(directory, "shallow"));
    // What came since the last look is little, and read at once: brought with it, it costs no connection of its own.
    const filter = isNear && !isShallow ? "--filter=blob:limit=1m" : "--filter=blob:none";
    await fetch("--prune", filter, ...(isShallow ? ["--unshallow"] : []));
    const sha = writtenTip(directory) ?? (await git.revparse([tipRef])).trim();
    // As each fetch would by itself, also one that brought nothing.
    if (before !== undefined && sha !== before) await git.raw(["gc", "--auto", "--quiet"]).catch(() => undefined);
    return sha;
  } catch (cause) {
    throw failure(`${withoutLogin(options.url)} could not be fetched`, cause);
  }
}

const nearMs = 86_400_000;

/** When git last fetched into the directory, on the clock of its files; 0 = never. */
function lastLook(directory: string): number {
  return statSync(join(directory, "FETCH_HEAD"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function hasPackedTip(directory: string): Promise<boolean> {
  if (!existsSync(join(directory, "packed-refs"))) return false;
  return succeeds(directory, ["rev-parse", "--verify", "--quiet", tipRef]);
}

/** Read without a process: each of them costs a fork. Undefined where Git has packed it away. */
function writtenTip(directory: string): string | undefined {
  const file = join(directory, tipRef);
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

const failure = (what: string, cause: unknown) => new Unavailable(`git: ${what}: ${reasonOf(cause)}`, { cause });

// An address that people wrote may hold a login, and git repeats it.
function withoutLogin(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/g, "//");
}

/** What git itself says is wrong: the lines that it begins so. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const said = text.split("\n").filter((line) => /^(?:fatal|error|remote): ./.test(line));
  return oneLine(withoutLogin((said.length === 0 ? [text] : said).join("; ")), longestReason);
}

const longestReason = 300;

const remoteName = "rectify";
const tipRef = "refs/rectify/head";
const tip = `+HEAD:${tipRef}`;
// Git gives up when less than this many bytes a second came for so long; a large repository that still comes may take its time.
const slowest = { bytesPerSecond: "100", seconds: "60" };

/**
 * Where files that are missing come from, and by which right. The token goes by environment, never by URL or argument:
 * both are seen in process lists and error texts. A redirect would take it to wherever it leads, so none is followed.
 */
async function remoteByEnvironment({ url, authorization, network }: MirrorOptions): Promise<Record<string, string>> {
  const settings = Object.entries({
    "http.extraHeader": `Authorization: ${await authorization()}`,
    "http.followRedirects": "false",
    "maintenance.auto": "false",
    "http.lowSpeedLimit": slowest.bytesPerSecond,
    "http.lowSpeedTime": slowest.seconds,
    [`remote.${remoteName}.url`]: url,
    [`remote.${remoteName}.promisor`]: "true",
  });
  return Object.fromEntries([
    ...Object.entries(network ?? {}),
    ["GIT_CONFIG_COUNT", String(settings.length)],
    ...settings.flatMap(([key, value], at) => [
      [`GIT_CONFIG_KEY_${at}`, key],
      [`GIT_CONFIG_VALUE_${at}`, value],
    ]),
  ]);
}

// Highest precedence: without it, a .gitattributes in the repository could change the bytes that we read.
const neutralAttributes = "* -text -ident !eol !filter !working-tree-encoding\n";

/** Lays the files of one commit out, links as texts that say where they lead; what was not fetched yet comes now. */
async function readTree(options: MirrorOptions, sha: string): Promise<Tree> {
  try {
    return await layOut(options, sha);
  } catch (cause) {
    throw failure(`the files of commit ${sha.slice(0, 7)} could not be read`, cause);
  }
}

/** Whole, with the list of its files. */
const isLaidOut = (place: string) => existsSync(`${place}.complete`) && existsSync(`${place}.listing`);
const wholly = { recursive: true, force: true };

async function layOut(options: MirrorOptions, sha: string): Promise<Tree> {
  const { directory, url } = options;
  const place = join(directory, "trees", sha);
  if (!isLaidOut(place)) {
    // What a crash or an earlier release left half laid out, its index and its lock.
    for (const suffix of [".complete", "", ".index", ".index.lock"]) rmSync(place + suffix, wholly);
    for (const needed of [place, join(directory, "info")]) mkdirSync(needed, { recursive: true });
    writeFileSync(join(directory, "info", "attributes"), neutralAttributes);
    const where = { GIT_DIR: directory, GIT_WORK_TREE: place, GIT_INDEX_FILE: `${place}.index` };
    const inPlace = quietGit(directory, { ...where, ...(await remoteByEnvironment(options)) });
    await inPlace.raw(["-c", "core.symlinks=false", "read-tree", "-u", "--reset", sha]);
    writeFileSync(`${place}.listing`, await quietGit(directory).raw(["ls-tree", "-r", "-z", sha]));
    writeFileSync(`${place}.complete`, "");
  }
  const listing = readFileSync(`${place}.listing`, "utf8");
  const listed = (mode: string): string[] =>
    listing.split("\0").flatMap((line) => {
      const tab = line.indexOf("\t");
      return tab !== -1 && line.startsWith(mode) ? [line.slice(tab + 1)] : [];
    });
  const paths = new Set(listed("100"));
  // Git's names are bytes: a link whose name is no text leads out.
  const leadsTo = (path: string) => (path.includes("\ufffd") ? "/" : readFileSync(join(place, path), "utf8"));
  await dropOldTrees(directory, sha);
  const links = linksOf(new Map(listed("120000").map((path) => [path, leadsTo(path)])));
  const read = throughLinks((path) => (paths.has(path) ? readFileSync(join(place, path)) : undefined), links);
  return { paths: () => [...paths], read, addresses: [withoutLogin(url)], ...(links ? { links } : {}) };
}

/** Workflows of the last minutes may still read the trees before this one: the newest few stay. */
async function dropOldTrees(directory: string, current: string): Promise<void> {
  const places = readdirSync(join(directory, "trees")).filter((name) => name.endsWith(".complete"));
  const age = (name: string) => statSync(join(directory, "trees", name)).mtimeMs;
  const old = places.sort((a, b) => age(b) - age(a)).slice(keptTrees);
  for (const sha of old.map((name) => name.replace(".complete", "")).filter((name) => name !== current)) {
    for (const end of [".complete", ".listing", ".index", ""]) rmSync(join(directory, "trees", sha + end), wholly);
  }
}

// A reversal reads four at once, and several workflows may do so.
const keptTrees = 24;
