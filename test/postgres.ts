import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, inject } from "vitest";
import { openStore, type Store } from "../src/adapters/postgres/store.ts";

/** The address of a fresh database on the tests' Postgres, without any table. */
export function freshDatabase(): Promise<string> {
  return madeFrom("template1");
}

/** The same with our tables in it: a copy costs less than to make them step by step. */
export function migratedDatabase(): Promise<string> {
  return madeFrom(inject("migrated"));
}

/** Opens stores, each on a migrated database of its own; they and what joins `closing` are closed after the file's tests. */
export function stores() {
  const closing: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const close of closing) await close();
  });
  const openOne = async (): Promise<{ readonly url: string; readonly store: Store }> => {
    const url = await migratedDatabase();
    const store = await openStore(url);
    closing.push(store.close);
    return { url, store };
  };
  return { openOne, closing };
}

async function madeFrom(template: string): Promise<string> {
  const server = inject("postgres");
  const name = `test_${randomBytes(6).toString("hex")}`;
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  // Copied as files: block by block through the log, the default, costs twice as much.
  await client.query(`create database ${name} template ${template} strategy file_copy`);
  await client.end();
  return server.replace(/\/postgres$/, `/${name}`);
}
