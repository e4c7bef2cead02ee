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
    // Half of the processor time went into a process, and into the modules of src, for each of two hundred files: the
    // fast set shares them. What a test changes of its process it puts back.
    isolate: slow,
    experimental: { fsModuleCache: true },
  },
});
