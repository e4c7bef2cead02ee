import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { migratedDatabase } from "../../postgres.ts";

let store: Store;
let other: Store;
beforeEach(async () => {
  const address = await migratedDatabase();
  store = await openStore(address);
  other = await openStore(address);
});
afterEach(async () => {
  await store.close();
  await other.close();
});

const minuteMs = 60_000;

test("two processes that write at once get turns one after the other", async () => {
  const waits = await Promise.all(
    [store, other, store, other, store, other].map(({ githubPace }) => githubPace.take(10 * minuteMs, 5)),
  );
  const turns = waits.map(({ waitMs }) => Math.round(waitMs / (10 * minuteMs)));
  expect(turns.sort()).toEqual([0, 1, 2, 3, 4, 5]);
});

test("reads wait for no write, and nobody waits before the points of the minute are spent", async () => {
  await store.githubPace.take(10 * minuteMs, 5);
  expect(await other.githubPace.take(0, 200)).toEqual({ waitMs: 0, silentMs: 0 });
});

test("what is more than GitHub's 900 points in a minute waits, whichever process asks", async () => {
  await store.githubPace.take(0, 300);
  const { waitMs } = await other.githubPace.take(0, 12_000);
  // 12,000 points beyond the first 300, 600 a minute: twenty minutes, less what passed meanwhile.
  expect(Math.round(waitMs / minuteMs)).toBe(20);
  // Who comes in vain makes nobody else wait longer.
  const again = await store.githubPace.take(0, 12_000);
  expect(Math.round(again.waitMs / minuteMs)).toBe(20);
});

test("silence is heard by the other process, and a shorter one does not end it", async () => {
  await store.githubPace.silence(40 * minuteMs);
  await store.githubPace.silence(minuteMs);
  const { silentMs } = await other.githubPace.take(0, 1);
  expect(Math.round(silentMs / minuteMs)).toBe(40);
});
