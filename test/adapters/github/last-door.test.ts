import { afterAll, beforeAll, expect, test } from "vitest";
import { connectGitHub } from "../../../src/adapters/github/github.ts";
import { Shut } from "../../../src/ports/errors.ts";
import type { SharedPace } from "../../../src/ports/github.ts";
import { forgeWrites } from "../../../src/lab/forge/writes.ts";
import { app, key, repository, startShop } from "../../lab/forge-shop.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
beforeAll(async () => {
  forge = await startShop({});
  forge.excused.add("Z3");
});
afterAll(() => forge.close());

/** Writes once; `whileWaiting` happens when its turn is booked. */
async function written(door: { because?: string }, whileWaiting: () => void) {
  const audit: string[] = [];
  const pace: SharedPace = {
    take: async (gapMs) => {
      if (gapMs > 0) whileWaiting();
      return { waitMs: 0, silentMs: 0 };
    },
    silence: async () => undefined,
  };
  const client = await connectGitHub({
    ...{ apiUrl: forge.apiUrl, repository, app: { id: app.id, privateKey: key }, writeGapMs: 1, pace },
    mayNotWrite: async () => door.because,
    audit: async (action) => void audit.push(action),
  });
  forge.resetCalls();
  const request = { ...repository, title: "a title" };
  const answer = await client
    .write("open issue", {}, () => client.octokit.rest.issues.create(request))
    .then(
      () => "written",
      (error: unknown) => error,
    );
  return { answer, audit, writes: forgeWrites(forge).length };
}

test("what is shut while a write waits for its turn keeps it in, off the record as well", async () => {
  const door: { because?: string } = {};
  const { answer, audit, writes } = await written(door, () => {
    door.because = "shadow mode";
  });
  expect(answer).toBeInstanceOf(Shut);
  expect([audit, writes]).toEqual([[], 0]);
});

test("what is shut from the beginning waits for no turn", async () => {
  let turns = 0;
  const { answer, writes } = await written({ because: "shadow mode" }, () => void (turns += 1));
  expect(answer).toBeInstanceOf(Shut);
  expect([turns, writes]).toEqual([0, 0]);
});

test("what is open is written once", async () => {
  expect(await written({}, () => undefined)).toMatchObject({ answer: "written", audit: ["open issue"], writes: 1 });
});
