import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface Ref {
  readonly ref: string;
  readonly sha: string;
}

/** The refs of a bare repository, as Git keeps them in files: a process for each look and each move costs far more. */
interface RefFiles {
  /** Sorted by name, as Git lists them. */
  all(): Promise<readonly Ref[]>;
  /** Moves or makes a ref; the caller knows that the commit is there. */
  update(ref: string, sha: string): Promise<void>;
  /** False where only Git itself can: it has packed the ref away. */
  delete(ref: string): Promise<boolean>;
}

export function refFilesIn(directory: string): RefFiles {
  const packed = () => packedRefs(directory);
  return {
    all: async () => {
      const found = new Map(await packed());
      for (const one of await looseRefs(directory)) found.set(one.ref, one.sha);
      return [...found].map(([ref, sha]) => ({ ref, sha })).sort((one, other) => (one.ref < other.ref ? -1 : 1));
    },
    update: async (ref, sha) => {
      const place = join(directory, ref);
      await mkdir(dirname(place), { recursive: true });
      await writeFile(`${place}.lock`, `${sha}\n`, { flag: "wx" });
      await rename(`${place}.lock`, place);
    },
    delete: async (ref) => {
      if ((await packed()).has(ref)) return false;
      await rm(join(directory, ref));
      await dropEmptyFolders(directory, ref);
      return true;
    },
  };
}

/** A folder that is left stands in the way of a branch of its name. */
async function dropEmptyFolders(directory: string, ref: string): Promise<void> {
  const folders = ref.split("/").slice(0, -1);
  for (let depth = folders.length; depth > 2; depth -= 1) {
    const isGone = await rmdir(join(directory, ...folders.slice(0, depth))).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}

async function looseRefs(directory: string): Promise<Ref[]> {
  const items = await readdir(join(directory, "refs"), { recursive: true, withFileTypes: true });
  const files = items.filter((item) => item.isFile() && !item.name.endsWith(".lock"));
  const read = files.map(async (item) => {
    const place = join(item.parentPath, item.name);
    const sha = await readFile(place, "utf8").catch(() => "");
    return { ref: place.slice(directory.length + 1), sha: sha.trim() };
  });
  // One that was deleted meanwhile is none.
  return (await Promise.all(read)).filter(({ sha }) => sha !== "");
}

async function packedRefs(directory: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(directory, "packed-refs"), "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => /^[0-9a-f]{40} /.test(line));
  return new Map(lines.map((line) => [line.slice(41), line.slice(0, 40)]));
}
