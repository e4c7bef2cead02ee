import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { exportAudit } from "../../../src/commands/records/audit.ts";
import { migratedDatabase } from "../../postgres.ts";

let store: Store;
let url: string;
beforeAll(async () => {
  url = await migratedDatabase();
  store = await openStore(url);
  for (const incident of ["i1", "i2", "i1"]) {
    await store.audit({ incident, actor: "wim", action: "command approve-scale", detail: { comment: 7, effect: "e" } });
  }
});
afterAll(() => store.close());

const exported = (question: Parameters<typeof exportAudit>[0] = {}) => exportAudit(question, { DATABASE_URL: url });

async function behindOurBack(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(text);
  await client.end();
}

test("a whole log is printed as JSON lines, all of it or those of one incident", async () => {
  const { lines, notes, code } = await exported();
  expect([lines.length, code]).toEqual([3, 0]);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    incident: "i1",
    actor: "wim",
    previous: "",
    detail: { comment: 7 },
  });
  expect(notes).toEqual([expect.stringMatching(/^3 rows, the chain is whole, the newest hash is [0-9a-f]{64}$/)]);
  expect((await exported({ incident: "i1" })).lines).toHaveLength(2);
  const { hash } = JSON.parse(lines[2] ?? "") as { hash: string };
  expect((await exported({ known: hash })).code).toBe(0);
});

test.each([
  ["a changed detail", `update audit set detail = '{"comment":8,"effect":"e"}' where id = 2`, /row 2 .* was changed/],
  ["a changed time", "update audit set at = at - interval '1 day' where id = 2", /row 2 .* was changed/],
  ["another actor", "update audit set actor = 'ada' where id = 1", /row 1 .* was changed/],
  ["a removed row", "delete from audit where id = 2", /a row is missing before row 2/],
  ["a removed first row", "delete from audit where id = 1", /a row is missing before row 1/],
])("%s shows, with its row, whatever incident is asked for", async (_what, change, problem) => {
  await behindOurBack(`create table kept as table audit; ${change}`);
  const { notes, code } = await exported({ incident: "i2" });
  await behindOurBack("delete from audit; insert into audit overriding system value table kept; drop table kept");
  expect([code, notes[0]]).toEqual([1, expect.stringMatching(problem)]);
  expect((await exported()).code).toBe(0);
});

test("rows cut off the end show against the hash of an earlier export", async () => {
  const { hash } = JSON.parse((await exported()).lines[2] ?? "") as { hash: string };
  await behindOurBack("delete from audit where id = 3");
  expect((await exported()).code).toBe(0);
  const { notes, code } = await exported({ known: hash });
  expect([code, notes[0]]).toEqual([1, `no row has the hash ${hash}: it was removed`]);
});

test("without records the remedy is told", async () => {
  const { notes, code } = await exportAudit({}, { RECTIFY_DATA: "/nonexistent" });
  expect([code, notes[0]]).toEqual([1, expect.stringContaining("set DATABASE_URL")]);
});
