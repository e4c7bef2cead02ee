import { defineConfig } from "vitest/config";

const slow = process.env.RECTIFY_SLOW === "1";

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
