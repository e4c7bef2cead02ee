import { afterAll, beforeEach, expect, test } from "vitest";
import { connectTo } from "../../../src/adapters/postgres/query.ts";
import { recordedRepositories, servedRepositories } from "../../../src/adapters/postgres/served.ts";
import { openStore } from "../../../src/adapters/postgres/store.ts";
import { anIncident } from "../../builders.ts";
import { freshDatabase } from "../../postgres.ts";

const [shop, bank, farm] = ["Acme/Shop", "acme/bank", "acme/farm"] as const;
let url: string;
const made: string[] = [];
beforeEach(async () => {
  url = await freshDatabase();
});
afterAll(async () => {
  const { query, close } = connectTo(url);
  for (const address of new Set(made)) await query(`drop database "${new URL(address).pathname.slice(1)}"`);
  await close();
});

/** The databases of those asked for, by name. */
async function placed(...names: string[]): Promise<Record<string, string>> {
  const { asked } = await servedRepositories(url, names);
  expect(asked.map(({ name }) => name)).toEqual(names.map((name) => name.toLowerCase()));
  made.push(...asked.filter(({ isFirst }) => !isFirst).map((one) => one.url));
  return Object.fromEntries(asked.map((one) => [one.name, one.url]));
}

async function remember(address: string): Promise<void> {
  const store = await openStore(address);
  await store.recordIncident(anIncident());
  await store.close();
}

test("one repository has the database that the settings name, also after it was renamed", async () => {
  expect(await placed(shop)).toEqual({ "acme/shop": url });
  expect(await placed("acme/store")).toEqual({ "acme/store": url });
  expect(await recordedRepositories(url)).toEqual([{ name: "acme/store", url, isFirst: true }]);
});

test("a second one has a database of its own, whatever the order of the list", async () => {
  const alone = await placed(shop);
  await remember(url);
  const both = await placed(bank, shop);
  expect(both["acme/shop"]).toBe(alone["acme/shop"]);
  expect(both["acme/bank"]).not.toBe(url);
  expect(await placed(shop, bank)).toEqual(both);
  const store = await openStore(both["acme/bank"] ?? "");
  expect(await store.incidents(10)).toEqual([]);
  await store.close();
});

test("what leaves the list is still known, and nobody takes its records over", async () => {
  await placed(shop);
  await remember(url);
  const before = await placed(shop, bank);
  const { others } = await servedRepositories(url, [bank]);
  expect(others).toEqual([{ name: "acme/shop", url, isFirst: true }]);
  const after = await placed(farm);
  expect(Object.values(before)).not.toContain(after["acme/farm"]);
  expect(await placed(bank, shop)).toEqual({ ...before });
});

test("records of nobody knows which repository are given to none of several", async () => {
  await remember(url);
  await expect(servedRepositories(url, [shop, bank])).rejects.toThrow(
    /start once with RECTIFY_REPOSITORY naming that one/,
  );
  expect(await recordedRepositories(url)).toEqual([]);
});

test("several processes that start at once agree", async () => {
  const [one, other] = await Promise.all([placed(shop, bank), placed(bank, shop)]);
  expect(one).toEqual(other);
  expect(new Set(Object.values(one)).size).toBe(2);
});

test("names that look alike as the name of a database have two", async () => {
  const both = await placed("acme/a-b", "acme/a.b");
  expect(new Set(Object.values(both)).size).toBe(2);
});
