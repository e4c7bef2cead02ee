/** Why a file could not be used, in words instead of the system's. */
export function whyNot(error: unknown, otherwise: string): string {
  const { code } = error as { readonly code?: unknown };
  if (code === "ENOENT") return "does not exist";
  if (code === "EISDIR") return "is a directory";
  if (code === "ENOTDIR") return "is no directory";
  return typeof code === "string" ? `${otherwise} (${code})` : otherwise;
}

/** What a command failed with, in words: of a file its path and why. */
export function failureInWords(error: Error): string {
  const { path, syscall } = error as NodeJS.ErrnoException;
  return path === undefined || syscall === undefined ? error.message : `${path} ${whyNot(error, "cannot be used")}`;
}
