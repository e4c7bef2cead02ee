import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../src/adapters/postgres/server.ts";

/** One Postgres for all tests of a checkout, gone after them; each test file takes a database of its own from it. */
export async function setup(project: { provide(key: "postgres", url: string): void }): Promise<() => Promise<void>> {
  const checkout = createHash("sha256").update(process.cwd()).digest("hex").slice(0, 12);
  const directory = join(tmpdir(), `rectify-test-${checkout}`);
  const server = await startEmbeddedPostgres(directory);
  project.provide("postgres", server.url);
  return async () => {
    await server.stop();
    // Two hundred databases are a gigabyte or more, and nobody reads them again.
    await rm(directory, { recursive: true, force: true });
  };
}

declare module "vitest" {
  interface ProvidedContext {
    postgres: string;
  }
}
