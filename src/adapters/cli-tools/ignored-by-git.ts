import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The paths below a checkout that Git ignores, directories as a whole; none where this is no checkout or all of it is. */
export function ignoredByGit(root: string): ReadonlySet<string> {
  // A checkout of others may name a program of its own here.
  const listing = ["-c", "core.fsmonitor=false", "-C", root, "ls-files", "-z", "--others", "--ignored"];
  const args = [...listing, "--exclude-standard", "--directory"];
  const paths = said(args)
    .split("\0")
    .map((path) => path.replace(/\/$/, ""));
  return new Set(paths.includes(".") ? [] : paths.filter((path) => path !== ""));
}

/** The addresses of a checkout's remotes; none where this is no root of a checkout. */
export function remotesOf(root: string): readonly string[] {
  if (!existsSync(join(root, ".git"))) return [];
  const listing = said(["-C", root, "config", "-z", "--get-regexp", String.raw`^remote\..*\.url$`]);
  return listing.split("\0").flatMap((line) => {
    const end = line.indexOf("\n");
    return end < 0 ? [] : [line.slice(end + 1)];
  });
}

/** What Git answers; nothing where it refuses. */
function said(args: readonly string[]): string {
  // In a hook Git names a repository of its own choice here.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  const { status, stdout } = spawnSync("git", args, { env, encoding: "utf8", timeout: 20_000, maxBuffer: 64_000_000 });
  return status === 0 ? stdout : "";
}
