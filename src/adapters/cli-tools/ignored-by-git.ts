import { spawnSync } from "node:child_process";

/** The paths below a checkout that Git ignores, directories as a whole; none where this is no checkout or all of it is. */
export function ignoredByGit(root: string): ReadonlySet<string> {
  // A checkout of others may name a program of its own here.
  const listing = ["-c", "core.fsmonitor=false", "-C", root, "ls-files", "-z", "--others", "--ignored"];
  const args = [...listing, "--exclude-standard", "--directory"];
  // In a hook Git names a repository of its own choice here.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  const { status, stdout } = spawnSync("git", args, { env, encoding: "utf8", timeout: 20_000, maxBuffer: 64_000_000 });
  const paths = status === 0 ? stdout.split("\0").map((path) => path.replace(/\/$/, "")) : [];
  return new Set(paths.includes(".") ? [] : paths.filter((path) => path !== ""));
}
