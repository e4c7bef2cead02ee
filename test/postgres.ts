import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";

/** The address of a fresh database on the tests' Postgres, without any table. */
export function freshDatabase(): Promise<string> {
  return madeFrom("template1");
}

/** The same with our tables in it: a copy costs less than to make them step by step. */
export function migratedDatabase(): Promise<string> {
  return madeFrom(inject("migrated"));
}

async function madeFrom(template: string): Promise<string> {
  const server = inject("postgres");
  const name = `test_${randomBytes(6).toString("hex")}`;
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`create database ${name} template ${template}`);
  await client.end();
  return server.replace(/\/postgres$/, `/${name}`);
}
