import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** The symbolic links of a golden case, by where they lead. */
export function linksBelow(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const links = entries.filter((entry) => entry.isSymbolicLink()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(links.map((path) => [path.slice(directory.length + 1), readlinkSync(path)]));
}
