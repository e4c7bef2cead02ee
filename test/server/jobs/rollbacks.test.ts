import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import type { Rollback } from "../../../src/domain/proposal/rollback.ts";
import { reconcileRollbacks, type RollbackKeeping } from "../../../src/server/jobs/rollbacks.ts";
import { migratedDatabase } from "../../postgres.ts";
import { aRollback } from "../../rollback.ts";

let store: Store;
beforeEach(async () => {
  store = await openStore(await migratedDatabase());
});
afterEach(() => store.close());

const rollback = aRollback();
const { uid } = rollback.incident;
const first = `${uid}/rollback/5`;

test("there is one for each pull request at a time, and the same comment is heard again", async () => {
  expect(await store.rollbacks.ask(rollback)).toBe(true);
  expect(await store.rollbacks.ask(rollback)).toBe(true);
  expect(await store.rollbacks.ask(aRollback({ comment: 6 }))).toBe(false);
  expect(await store.openRollbacks()).toEqual([{ rollback, workflow: undefined }]);
});

test("after its end another comment may ask anew, and it knows the pull requests that came since", async () => {
  await store.recordIncident(rollback.incident);
  await store.rollbacks.ask(rollback);
  await store.giveRollback(7, first);
  await store.recordPull(9, uid);
  await store.rollbacks.end(7, "#9 was closed: ben rejected it");
  expect(await store.openRollbacks()).toEqual([]);
  expect(await store.rollbacks.ask(aRollback({ comment: 6 }))).toBe(true);
  expect(await store.openRollbacks()).toEqual([
    { rollback: aRollback({ comment: 6, latestPull: 9 }), workflow: undefined },
  ]);
});

test("what is said under the pull request goes to its workflow", async () => {
  await store.recordIncident(rollback.incident);
  await store.recordPull(7, uid);
  await store.rollbacks.ask(rollback);
  await store.giveRollback(7, first);
  expect(await store.workflowOfPull(7)).toBe(first);
});

/** An engine that knows these workflows, and what it was told. */
function engine(states: Readonly<Record<string, "running" | "ended" | "stranded">>) {
  const done: string[] = [];
  const keeping: RollbackKeeping = {
    store,
    durable: {
      stateOf: async (workflow) => states[workflow] ?? "absent",
      cancel: async (workflow) => void done.push(`cancel ${workflow}`),
      startRollback: async (workflow, { pull }: Rollback) => void done.push(`start ${workflow} of ${pull}`),
    },
    telemetry: { log: (_incident, _verb, text) => void done.push(text) },
    workflowVersion: "7",
  };
  return { keeping, done };
}

test.each<[string, Parameters<typeof engine>[0], (string | RegExp)[]]>([
  ["is started", {}, [`start ${first} of 7`]],
  ["is left to its workflow", { [first]: "running" }, []],
  [
    "is given to a new workflow when a release stranded the old one",
    { [first]: "stranded" },
    [`cancel ${first}`, `start ${first}/v7 of 7`],
  ],
  ["ends when its workflow was stopped", { [first]: "ended" }, [expect.stringMatching(/^its workflow stopped/)]],
])("a rollback that was asked for %s", async (_, states, done) => {
  await store.rollbacks.ask(rollback);
  const world = engine(states);
  await reconcileRollbacks(world.keeping);
  expect(world.done).toEqual(done);
  expect(await store.openRollbacks()).toHaveLength(states[first] === "ended" ? 0 : 1);
});
