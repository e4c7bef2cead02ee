import { afterAll, beforeEach, expect, test } from "vitest";
import { connectTo } from "../../../src/adapters/postgres/query.ts";
import { claimRecords, recordedRepositories, servedRepositories } from "../../../src/adapters/postgres/served.ts";
import { openStore } from "../../../src/adapters/postgres/store.ts";
import { anIncident } from "../../builders.ts";
import { freshDatabase } from "../../postgres.ts";

const [shop, bank, farm] = ["Acme/Shop", "acme/bank", "acme/farm"] as const;
const cluster = "lab";
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
  const { asked } = await servedRepositories(url, { names, cluster });
  expect(asked.map(({ name }) => name)).toEqual(names.map((name) => name.toLowerCase()));
  made.push(...asked.filter(({ isFirst }) => !isFirst).map((one) => one.url));
  return Object.fromEntries(asked.map((one) => [one.name, one.url]));
}

/** The start of one alone, once GitHub answered to its name; `renamed` are the names that it leads there. */
async function alone(name: string, ...renamed: string[]): Promise<Record<string, string>> {
  const place = await placed(name);
  await claimRecords(url, { name, cluster }, async (former) => renamed.includes(former));
  return place;
}

async function remember(address: string): Promise<void> {
  const store = await openStore(address);
  await store.recordIncident(anIncident());
  await store.close();
}

test("one repository has the database that the settings name, also after it was renamed", async () => {
  expect(await alone(shop)).toEqual({ "acme/shop": url });
  await remember(url);
  expect(await alone("acme/store", "acme/shop")).toEqual({ "acme/store": url });
  expect(await recordedRepositories(url)).toEqual([{ name: "acme/store", url, isFirst: true, cluster }]);
});

test("one repository does not take over the records of another one", async () => {
  await alone(shop);
  await remember(url);
  await placed(bank);
  await expect(alone(bank)).rejects.toThrow(
    "this database holds the records of acme/shop, and GitHub does not say that acme/bank is its new name: give acme/bank a database of its own (DATABASE_URL), or list both (RECTIFY_REPOSITORY=acme/shop,acme/bank)",
  );
  expect((await recordedRepositories(url)).map(({ name }) => name)).toEqual(["acme/shop"]);
  await alone(shop);
});

test("a wrong name that never answered leaves nothing behind", async () => {
  await remember(url);
  await placed("acme/shpo");
  expect(await recordedRepositories(url)).toEqual([]);
  await alone(shop);
  expect((await recordedRepositories(url)).map(({ name }) => name)).toEqual(["acme/shop"]);
});

test("without records another name may have the database", async () => {
  await alone(shop);
  expect(await alone(bank)).toEqual({ "acme/bank": url });
});

test("what another cluster is served with is none of ours to end", async () => {
  await alone(shop);
  await placed(shop, bank);
  const { asked, others, foreign } = await servedRepositories(url, { names: [farm, "acme/barn"], cluster: "other" });
  made.push(...asked.map((one) => one.url));
  expect(others).toEqual([]);
  expect(foreign.map((one) => [one.name, one.cluster])).toEqual([
    ["acme/bank", "lab"],
    ["acme/shop", "lab"],
  ]);
  const back = await servedRepositories(url, { names: [bank], cluster });
  expect(back.others.map(({ name }) => name)).toEqual(["acme/shop"]);
  expect(back.foreign.map(({ name }) => name)).toEqual(["acme/barn", "acme/farm"]);
});

test("a repository of which nobody knows the cluster is none of ours to end", async () => {
  await alone(shop);
  await placed(shop, bank);
  const { query, close } = connectTo(url);
  await query("update served_repository set cluster = null where name = 'acme/bank'");
  await close();
  const { others, foreign } = await servedRepositories(url, { names: [shop, farm], cluster });
  made.push(...(await recordedRepositories(url)).filter(({ isFirst }) => !isFirst).map((one) => one.url));
  expect(others).toEqual([]);
  expect(foreign.map(({ name }) => name)).toEqual(["acme/bank"]);
});

test("a second one has a database of its own, whatever the order of the list", async () => {
  const single = await alone(shop);
  await remember(url);
  const both = await placed(bank, shop);
  expect(both["acme/shop"]).toBe(single["acme/shop"]);
  expect(both["acme/bank"]).not.toBe(url);
  expect(await placed(shop, bank)).toEqual(both);
  const store = await openStore(both["acme/bank"] ?? "");
  expect(await store.incidents(10)).toEqual([]);
  await store.close();
});

test("what leaves the list is still known, and nobody takes its records over", async () => {
  await alone(shop);
  await remember(url);
  const before = await placed(shop, bank);
  const { others } = await servedRepositories(url, { names: [bank], cluster });
  expect(others).toEqual([{ name: "acme/shop", url, isFirst: true, cluster }]);
  const after = await placed(farm);
  expect(Object.values(before)).not.toContain(after["acme/farm"]);
  expect(await placed(bank, shop)).toEqual({ ...before });
});

test("records of nobody knows which repository are given to none of several", async () => {
  await remember(url);
  await expect(servedRepositories(url, { names: [shop, bank], cluster })).rejects.toThrow(
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
