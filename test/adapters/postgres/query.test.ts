import { expect, test } from "vitest";
import { enginePool, isAway } from "../../../src/adapters/postgres/query.ts";
import { freshDatabase } from "../../postgres.ts";

test("a connection of the engine is set before its first borrower asks, and never asked twice at once", async () => {
  const warnings: Error[] = [];
  const listen = (warning: Error) => void warnings.push(warning);
  process.on("warning", listen);
  const pool = enginePool(await freshDatabase());
  try {
    const { rows } = await pool.query("show idle_in_transaction_session_timeout");
    expect(rows).toEqual([{ idle_in_transaction_session_timeout: "1min" }]);
    expect(warnings).toEqual([]);
  } finally {
    await pool.end();
    process.off("warning", listen);
  }
});

test("work that the end of its process cut off met no fault of ours", async () => {
  const pool = enginePool(await freshDatabase());
  await pool.end();
  expect(isAway(await pool.query("select 1").catch((error: unknown) => error))).toBe(true);
});
