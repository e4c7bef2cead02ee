import { defineConfig } from "vitest/config";

/** `npm test` is the fast set; files named `*.slow.test.ts` join with RECTIFY_SLOW=1. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: process.env.RECTIFY_SLOW === "1" ? [] : ["test/**/*.slow.test.ts"],
    globalSetup: ["test/global-postgres.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
