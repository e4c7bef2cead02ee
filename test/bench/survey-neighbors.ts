import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { packedInto } from "./survey-judge.ts";

const maxDepth = 5;

/**
 * Runs some work with the directory of a chart as deployers see it: the charts of the repository that it names by
 * `file:` and that nobody packed stand below its `charts/` then, in a copy.
 */
export function withNeighbors<T>(root: string, directory: string, work: (chart: string) => T): T {
  if (missing(root, directory).length === 0) return work(join(root, directory));
  const scratch = mkdtempSync(join(tmpdir(), "rectify-neighbors-"));
  try {
    const copy = join(scratch, basename(directory) || "chart");
    gather(root, directory, copy);
    return work(copy);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function gather(root: string, directory: string, to: string, depth = 0): void {
  cpSync(join(root, directory), to, { recursive: true, verbatimSymlinks: true });
  if (depth > maxDepth) return;
  for (const neighbor of missing(root, directory))
    gather(root, neighbor, join(to, "charts", basename(neighbor)), depth + 1);
}

/** The charts that are named and not packed, neither as a directory nor as an archive. */
function missing(root: string, directory: string): string[] {
  const packed = join(root, directory, "charts");
  const there = existsSync(packed) ? readdirSync(packed) : [];
  return packedInto(root, directory).filter((neighbor) => {
    const chart = join(root, neighbor, "Chart.yaml");
    const name = existsSync(chart) ? /^name: *["']?([\w.-]+)/m.exec(readFileSync(chart, "utf8"))?.[1] : undefined;
    return name !== undefined && !there.some((one) => one === name || one.startsWith(`${name}-`));
  });
}
