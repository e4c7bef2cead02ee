import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hasPostgres, runningPostgres, startEmbeddedPostgres } from "../src/adapters/postgres/server.ts";
import { scratchDirectory } from "./scratch.ts";
import { clearPostgres, temporaryPostgres } from "./temporary-postgres.ts";

test("a Postgres whose process was killed before it could stop it ends with its place, and its data go", async () => {
  const directory = scratchDirectory();
  await startEmbeddedPostgres(directory);
  expect(runningPostgres(directory)).toBeDefined();
  await clearPostgres(directory);
  expect([runningPostgres(directory), hasPostgres(directory)]).toEqual([undefined, false]);
  // Where there is none, there is nothing to do.
  await clearPostgres(directory);
  const { url, close } = await temporaryPostgres("test-temporary");
  expect(new URL(url).hostname).toBe("127.0.0.1");
  await close();
});

test("nobody here starts a Postgres that nobody clears away", () => {
  const starters = readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(?:ts|mjs)$/.test(path))
    .map((path) => ({ path, text: readFileSync(join("test", path), "utf8") }))
    .filter(({ text }) => text.includes("await startEmbeddedPostgres("));
  expect(starters.map(({ path }) => path)).toContain("temporary-postgres.ts");
  const clears = (text: string) => text.includes("clearPostgres(") || text.includes("await rm(directory");
  expect(starters.filter(({ text }) => !clears(text)).map(({ path }) => path)).toEqual([]);
});
