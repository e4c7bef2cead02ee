import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { elsewhereIds, shownElsewhere } from "./elsewhere.ts";

test("every row of the catalogue is shown by a test, or says what nobody runs", () => {
  expect(shownElsewhere.map(({ id }) => id)).toEqual(elsewhereIds);
  expect(shownElsewhere.filter(({ shown, cannot }) => shown.length === 0 && cannot === undefined)).toEqual([]);
});

const named = shownElsewhere.flatMap(({ id, shown }) => shown.map(([file, title]) => ({ id, file, title })));

test.each(named)("$id: $file has $title", ({ file, title }) => {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  expect(text.includes(title), title).toBe(true);
});
