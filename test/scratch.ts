import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory of the running test, which goes with it. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "rectify-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A directory of the running test with these files, by their paths in it. */
export function scratchFiles(files: Readonly<Record<string, string>>): string {
  const root = scratchDirectory();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}
