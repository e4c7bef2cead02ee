import { expect, test } from "vitest";
import { openStore } from "../../../src/adapters/postgres/store.ts";
import { claimRecords, servedRepositories } from "../../../src/adapters/postgres/served.ts";
import { replayDeliveries } from "../../../src/commands/records/deliveries.ts";
import { openRecords } from "../../../src/commands/records/records.ts";
import { anIncident } from "../../builders.ts";
import { freshDatabase } from "../../postgres.ts";

/** How many incidents those who ask like this read. */
async function read(env: Record<string, string>): Promise<number | undefined> {
  const store = await openRecords(env);
  const found = await store?.incidents(10);
  await store?.close();
  return found?.length;
}

test("of several repositories the records of the one that is named are read, and never just the first", async () => {
  const DATABASE_URL = await freshDatabase();
  const cluster = "lab";
  await servedRepositories(DATABASE_URL, { names: ["acme/shop"], cluster });
  await claimRecords(DATABASE_URL, { name: "acme/shop", cluster }, async () => false);
  expect(await read({ DATABASE_URL, RECTIFY_REPOSITORY: "acme/other" })).toBe(0);
  const { asked } = await servedRepositories(DATABASE_URL, { names: ["acme/shop", "acme/bank"], cluster });
  const bank = await openStore(asked[1]?.url ?? "");
  await bank.recordIncident(anIncident());
  await bank.close();
  expect(await read({ DATABASE_URL, RECTIFY_REPOSITORY: "acme/shop" })).toBe(0);
  expect(await read({ DATABASE_URL, RECTIFY_REPOSITORY: "Acme/Bank" })).toBe(1);
  for (const RECTIFY_REPOSITORY of ["", "acme/other", "acme/shop,acme/bank"])
    await expect(openRecords({ DATABASE_URL, RECTIFY_REPOSITORY })).rejects.toThrow(
      "the records of several repositories are here (acme/bank, acme/shop): name one by --repository owner/name",
    );
});

test("a database that no release with this table has started on is read as it is", async () => {
  const DATABASE_URL = await freshDatabase();
  expect(await read({ DATABASE_URL })).toBe(0);
});

test.each([[[]], [["x"]]])("a replay of no delivery is a wrong call: %j", async (ids) => {
  expect((await replayDeliveries(ids, {})).code).toBe(2);
});
