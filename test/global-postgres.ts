import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../src/adapters/postgres/server.ts";

/** One Postgres for all tests of a checkout; each test file takes a database of its own from it. */
export async function setup(project: { provide(key: "postgres", url: string): void }): Promise<() => Promise<void>> {
  const server = await startEmbeddedPostgres(
    join(tmpdir(), `rectify-test-${createHash("sha256").update(process.cwd()).digest("hex").slice(0, 12)}`),
  );
  project.provide("postgres", server.url);
  return () => server.stop();
}

declare module "vitest" {
  interface ProvidedContext {
    postgres: string;
  }
}
