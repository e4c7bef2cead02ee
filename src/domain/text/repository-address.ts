/** An address of a Git repository, in one form: `git@host:a/b.git`, `ssh://git@host/a/b` and `https://host/a/b.git` are one. */
export function addressOf(url: string): string {
  const plain = url
    .trim()
    .toLowerCase()
    .replace(/^[a-z+]+:\/\//, "")
    .replace(/^[^@/]+@/, "");
  return plain
    .replace(/^([^/:]+):(?:\d+\/)?/, "$1/")
    .replace(/\/+$/, "")
    .replace(/\.git$/, "");
}

/** The last two parts of an address, as a setting names a repository; undefined where it has no two. */
export function repositoryNamed(url: string): string | undefined {
  const parts = addressOf(url).split("/");
  return parts.length > 2 ? parts.slice(-2).join("/") : undefined;
}
