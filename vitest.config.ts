import { existsSync, readFileSync, statfsSync } from "node:fs";
import { defineConfig } from "vitest/config";

const slow = process.env.RECTIFY_SLOW === "1";
if (!slow && isRoomy("/dev/shm")) process.env.TMPDIR ??= "/dev/shm";

/**
 * Thousands of files are made and removed at once, and two hundred databases: in memory that costs a third of the
 * processor time. Not where a container gives it little room, or lets nothing there be started.
 */
function isRoomy(place: string): boolean {
  if (!existsSync("/proc/mounts") || !existsSync(place)) return false;
  const mount = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .find((line) => line.split(" ")[1] === place);
  const { bavail, bsize } = statfsSync(place);
  return mount !== undefined && !mount.includes("noexec") && bavail * bsize > 6e9;
}

/** `npm test` is the fast set; files named `*.slow.test.ts` join with RECTIFY_SLOW=1. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: slow ? [] : ["test/**/*.slow.test.ts"],
    globalSetup: ["test/global-postgres.ts"],
    // No test is judged by the clock: this only ends what hangs, and a starved machine must not look like it.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    maxConcurrency: 2,
    // Most code here runs for moments: what V8 spends on making it fast it never wins back, a tenth of the whole. Later
    // releases have a tier between, and know no such option.
    execArgv: process.version.startsWith("v20.") ? ["--interrupt-budget=540000"] : [],
    // Half of the processor time went into a process, and into the modules of src, for each of two hundred files: the
    // fast set shares them. What a test changes of its process it puts back.
    isolate: slow,
    experimental: { fsModuleCache: true },
  },
});
