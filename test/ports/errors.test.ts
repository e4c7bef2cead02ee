import { expect, test } from "vitest";
import { known, Refused, Unavailable } from "../../src/ports/errors.ts";

test.each([new Unavailable("away"), new Refused("no")])("a port that says %s leaves the answer unknown", async (no) => {
  expect(await known(async () => Promise.reject(no))).toBeUndefined();
});

test.each([new TypeError("undefined is not a function"), new Error("a fault"), "a text"])(
  "%s is a bug of ours, and passes",
  async (bug) => {
    await expect(known(async () => Promise.reject(bug))).rejects.toBe(bug);
    await expect(
      known(() => {
        throw bug;
      }),
    ).rejects.toBe(bug);
  },
);

test("an answer is an answer", async () => {
  expect(await known(async () => 7)).toBe(7);
});
