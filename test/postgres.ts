import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";

/** The address of a fresh database on the tests' Postgres. */
export async function freshDatabase(): Promise<string> {
  const server = inject("postgres");
  const name = `test_${randomBytes(6).toString("hex")}`;
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return server.replace(/\/postgres$/, `/${name}`);
}
