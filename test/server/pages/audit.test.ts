import { expect, test } from "vitest";
import { auditHash, type AuditRow } from "../../../src/domain/records/audit.ts";
import { auditVerdict } from "../../../src/server/pages/audit.ts";

/** A log of so many rows that grows by `write`, and counts what is read of it. */
function logOf(length: number) {
  const rows: AuditRow[] = [];
  const write = (action: string) => {
    const entry = { at: "2026-11-29T00:00:00.000Z", incident: "i", actor: "rectify", action, detail: {} };
    const previous = rows.at(-1)?.hash ?? "";
    rows.push({ ...entry, previous, hash: auditHash(previous, entry) });
  };
  for (let row = 0; row < length; row += 1) write("comment");
  const read: number[] = [];
  const auditAfter = async (id: number, most: number) => {
    const found = rows.slice(id, id + most);
    read.push(found.length);
    return { rows: found, last: id + found.length };
  };
  return { rows, write, read, auditAfter };
}

test("the first look reads the whole chain piece by piece, the next one what came since", async () => {
  const log = logOf(1_203);
  const verdict = auditVerdict(log);
  expect(await verdict()).toEqual({ rows: 1_203, problems: [] });
  expect(log.read.every((length) => length <= 500)).toBe(true);
  log.read.length = 0;
  log.write("merge");
  expect(await verdict()).toEqual({ rows: 1_204, problems: [] });
  expect(log.read).toEqual([1]);
});

test("a row that was changed or removed is named by its number, beyond the first piece and after a look, too", async () => {
  const log = logOf(700);
  const verdict = auditVerdict(log);
  log.rows[600] = { ...(log.rows[600] as AuditRow), actor: "someone" };
  expect((await verdict()).problems).toEqual(["row 601 (2026-11-29T00:00:00.000Z comment) was changed"]);
  log.write("merge");
  log.write("close");
  log.rows.splice(700, 1);
  expect((await verdict()).problems).toEqual([
    "row 601 (2026-11-29T00:00:00.000Z comment) was changed",
    "a row is missing before row 701 (2026-11-29T00:00:00.000Z close)",
  ]);
});

test("two looks at once read it once, and a chain that is all wrong does not fill the page", async () => {
  const log = logOf(100);
  for (const [index, row] of log.rows.entries()) log.rows[index] = { ...row, actor: "someone" };
  const verdict = auditVerdict(log);
  const [one, other] = await Promise.all([verdict(), verdict()]);
  expect(one).toBe(other);
  expect(log.read).toEqual([100]);
  expect(one.problems).toHaveLength(20);
});
