import { describe, expect, test } from "vitest";
import { realKyverno } from "../policies.ts";
import { faultIds, faultRows } from "./rows.ts";

const kyverno = await realKyverno();

describe.each(Object.keys(faultRows))("faults %s", (letter) => {
  const rows = faultRows[letter] ?? [];

  test("every id of the catalogue has a case", () => {
    const proven = new Set(rows.map((row) => row.id));
    expect((faultIds[letter] ?? []).filter((id) => !proven.has(id))).toEqual([]);
  });

  for (const row of rows) {
    const skipped = row.needs === "kyverno" && kyverno.kind === "absent";
    test.skipIf(skipped)(`${row.id}: ${row.what}`, { timeout: 120_000 }, async () => {
      await expect(Promise.resolve(row.check())).resolves.toBeUndefined();
    });
  }
});
