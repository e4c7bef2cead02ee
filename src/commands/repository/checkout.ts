import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { type MemorySource, readMemorySource } from "../../adapters/memory/source.ts";
import { sealKeyFrom } from "../../settings/settings.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The post-mortems of a repository on this machine. */
interface PostMortems extends MemorySource {
  readonly place: string;
  /** Without a key nobody can tell our records from others'. */
  readonly sealed: boolean;
}

/**
 * Reads the post-mortems of a checkout, or of what a running Rectify fetched last into `RECTIFY_DATA`. With `SEAL_KEY` or
 * `WEBHOOK_SECRET` only those under our seal count. Undefined when there is no repository.
 */
export async function postMortemsIn(
  repository: string | undefined,
  env: Environment,
): Promise<PostMortems | undefined> {
  const place = repository ?? newestTree(join(env.RECTIFY_DATA || ".rectify", "mirror", "trees"));
  if (place === undefined || !existsSync(place)) return undefined;
  const key = env.SEAL_KEY || (env.WEBHOOK_SECRET ? sealKeyFrom(env.WEBHOOK_SECRET) : undefined);
  return { ...(await readMemorySource(checkoutTree(place), key)), place, sealed: key !== undefined };
}

export const noRepository =
  "there is no repository here: name a checkout with --repository, or set RECTIFY_DATA to the data of a Rectify";

/** Only what lies directly in `postmortems/`, and no symbolic link. */
function checkoutTree(place: string): Tree {
  const folder = join(place, "postmortems");
  const files = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
  const names = new Set(files.filter((file) => file.isFile()).map(({ name }) => `postmortems/${name}`));
  return {
    paths: () => [...names],
    read: (path) => (names.has(path) ? readFileSync(join(place, path)) : undefined),
  };
}

/** The mirror lays every commit out that it reads, and marks it when it is whole. */
function newestTree(trees: string): string | undefined {
  if (!existsSync(trees)) return undefined;
  const whole = readdirSync(trees).filter((name) => name.endsWith(".complete"));
  const age = (name: string) => statSync(join(trees, name)).mtimeMs;
  const [newest] = whole.sort((a, b) => age(b) - age(a));
  return newest === undefined ? undefined : join(trees, newest.replace(/\.complete$/, ""));
}
