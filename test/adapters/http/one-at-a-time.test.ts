import { expect, test } from "vitest";
import { oneAtATime } from "../../../src/adapters/http/one-at-a-time.ts";

test("nothing begins before what came earlier ended, and a failure reaches only its caller", async () => {
  const inTurn = oneAtATime();
  const seen: string[] = [];
  let open = () => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  const first = inTurn(async () => {
    seen.push("first begins");
    await gate;
    seen.push("first ends");
    throw new Error("of its own");
  });
  const second = inTurn(async () => seen.push("second"));
  await Promise.resolve();
  expect(seen).toEqual(["first begins"]);
  open();
  await expect(first).rejects.toThrow("of its own");
  await second;
  expect(seen).toEqual(["first begins", "first ends", "second"]);
});
