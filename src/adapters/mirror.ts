import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { simpleGit } from "simple-git";
import type { Tree } from "../domain/tree.ts";
import { Unavailable } from "../ports.ts";

/** A local bare mirror of the repository: every read of files and history comes from here. */
export interface Mirror {
  /** Fetches and gives the tip of the default branch. */
  head(): Promise<{ readonly sha: string; readonly tree: Tree }>;
  contains(descendant: string, ancestor: string): Promise<boolean>;
}

export interface MirrorOptions {
  readonly directory: string;
  readonly url: string;
  /** The value of the Authorization header, asked anew for each fetch: tokens live an hour. */
  readonly authorization: () => Promise<string>;
}

/** Opens the mirror; nothing is fetched before the first read. Throws `Unavailable` when git cannot reach the host. */
export function openMirror(options: MirrorOptions): Mirror {
  const trees = new Map<string, Promise<Tree>>();
  let fetching: Promise<string> | undefined;
  const fetchOnce = () => {
    fetching ??= fetchHead(options).finally(() => {
      fetching = undefined;
    });
    return fetching;
  };
  return {
    async head() {
      const sha = await fetchOnce();
      const known = trees.get(sha) ?? readTree(options.directory, sha);
      trees.clear();
      trees.set(sha, known);
      return { sha, tree: await known };
    },
    async contains(descendant, ancestor) {
      const git = quietGit(options.directory);
      const isAncestor = () =>
        git.raw(["merge-base", "--is-ancestor", ancestor, descendant]).then(
          () => true,
          () => false,
        );
      if (await isAncestor()) return true;
      await fetchOnce();
      return isAncestor();
    },
  };
}

async function fetchHead(options: MirrorOptions): Promise<string> {
  if (!existsSync(options.directory)) mkdirSync(options.directory, { recursive: true });
  const git = quietGit(options.directory);
  try {
    if (!existsSync(`${options.directory}/HEAD`)) await git.init(["--bare"]);
    // The token goes by environment, never by URL or argument: both are seen in process lists and error texts.
    const authenticated = quietGit(options.directory, headerByEnvironment(await options.authorization()));
    await authenticated.raw(["fetch", "--quiet", "--prune", "--force", options.url, "+HEAD:refs/rectify/head"]);
    return (await git.revparse(["refs/rectify/head"])).trim();
  } catch (cause) {
    throw new Unavailable("git: the mirror could not be brought up to date", { cause });
  }
}

// Highest precedence: without it, a .gitattributes in the repository could change the bytes that we read.
const neutralAttributes = "* -text -ident !eol !filter !working-tree-encoding\n";

/** Lays the files of one commit out below the mirror and reads them when asked. Symbolic links are left out. */
async function readTree(directory: string, sha: string): Promise<Tree> {
  const place = join(directory, "trees", sha);
  const git = quietGit(directory);
  if (!existsSync(`${place}.complete`)) {
    mkdirSync(place, { recursive: true });
    mkdirSync(join(directory, "info"), { recursive: true });
    writeFileSync(join(directory, "info", "attributes"), neutralAttributes);
    const inPlace = quietGit(directory, { GIT_DIR: directory, GIT_WORK_TREE: place, GIT_INDEX_FILE: `${place}.index` });
    await inPlace.raw(["-c", "core.symlinks=false", "read-tree", "-u", "--reset", sha]);
    writeFileSync(`${place}.complete`, "");
  }
  const listing = await git.raw(["ls-tree", "-r", "-z", sha]);
  const paths = new Set(
    listing.split("\0").flatMap((line) => {
      const [meta = "", path] = line.split("\t");
      return path !== undefined && meta.startsWith("100") ? [path] : [];
    }),
  );
  await dropOldTrees(directory, sha);
  return { paths: () => [...paths], read: (path) => (paths.has(path) ? readFileSync(join(place, path)) : undefined) };
}

/** Stories of the last minutes may still read the trees before this one: the newest few stay. */
async function dropOldTrees(directory: string, current: string): Promise<void> {
  const places = readdirSync(join(directory, "trees")).filter((name) => name.endsWith(".complete"));
  const age = (name: string) => statSync(join(directory, "trees", name)).mtimeMs;
  const old = places.sort((a, b) => age(b) - age(a)).slice(keptTrees);
  for (const sha of old.map((name) => name.replace(".complete", "")).filter((name) => name !== current)) {
    for (const suffix of [".complete", ".index", ""]) {
      rmSync(join(directory, "trees", sha + suffix), { recursive: true, force: true });
    }
  }
}

const keptTrees = 5;

function quietGit(directory: string, environment: Readonly<Record<string, string>> = {}) {
  const base = { PATH: process.env.PATH ?? "", HOME: directory, GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_NOSYSTEM: "1" };
  return simpleGit({
    baseDir: directory,
    timeout: { block: 60_000 },
    // Both are ours and fixed: the header that carries the token, and the place of the files.
    unsafe: { allowUnsafeConfigEnvCount: true, allowUnsafeConfigPaths: true },
  }).env({ ...base, ...environment });
}

function headerByEnvironment(authorization: string): Record<string, string> {
  const value = `Authorization: ${authorization}`;
  return { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "http.extraHeader", GIT_CONFIG_VALUE_0: value };
}
