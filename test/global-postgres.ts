import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { connectTo } from "../src/adapters/postgres/query.ts";
import { migrate } from "../src/adapters/postgres/schema/migrations.ts";
import { discardPostgres, runningPostgres, startEmbeddedPostgres } from "../src/adapters/postgres/server.ts";

/** One Postgres for all tests of a checkout, gone after them; each test file takes a database of its own from it. */
export async function setup(project: {
  provide(key: "postgres" | "migrated", value: string): void;
}): Promise<() => Promise<void>> {
  const checkout = createHash("sha256").update(process.cwd()).digest("hex").slice(0, 12);
  const directory = join(tmpdir(), `rectify-test-${checkout}`);
  // A run that was ended while it cleaned up leaves half of its data, from which none would start again.
  if (runningPostgres(directory) === undefined) discardPostgres(directory);
  const server = await startEmbeddedPostgres(directory);
  await hasten(server.url);
  project.provide("postgres", server.url);
  project.provide("migrated", await migratedTemplate(server.url));
  return async () => {
    await server.stop();
    // Two hundred databases are a gigabyte or more, and nobody reads them again.
    await rm(directory, { recursive: true, force: true });
  };
}

/**
 * Nothing here has to outlive the machine, and a password need not be hard to guess: a database then costs half, and a
 * connection no thousands of rounds on either side.
 */
async function hasten(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const loose = ["fsync = off", "full_page_writes = off", "synchronous_commit = off", "autovacuum = off"];
  // The kernel copies files without their bytes passing through Postgres.
  for (const setting of [...loose, "file_copy_method = clone"]) await client.query(`alter system set ${setting}`);
  await client.query("select pg_reload_conf()");
  await client.query("set scram_iterations = 1");
  await client.query(`alter role postgres password ${client.escapeLiteral(new URL(url).password)}`);
  await client.end();
}

/** The name of a database that holds our tables and nothing in them. */
async function migratedTemplate(url: string): Promise<string> {
  const name = "migrated";
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`drop database if exists ${name}`);
  await client.query(`create database ${name}`);
  await client.end();
  const database = connectTo(url.replace(/\/postgres$/, `/${name}`));
  await migrate(database);
  await database.close();
  return name;
}

declare module "vitest" {
  interface ProvidedContext {
    postgres: string;
    migrated: string;
  }
}
