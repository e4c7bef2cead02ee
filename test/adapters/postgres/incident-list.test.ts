import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import type { Ending } from "../../../src/domain/incident/incident.ts";
import { anIncident } from "../../builders.ts";
import { migratedDatabase } from "../../postgres.ts";

let store: Store;
const uidOf = (index: number) => `5b0c1f4e-9a3d-5c7e-8f21-00000000000${index}`;
const outcome = { mergedSha: "6b02dd3aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

beforeAll(async () => {
  store = await openStore(await migratedDatabase());
  const endings: (Ending | undefined)[] = ["recovered", undefined, "refused", "recovered", undefined];
  for (const [index, ending] of endings.entries()) {
    const base = anIncident({ name: index === 0 ? "Slow" : "Hot" });
    const workload = { ...base.workload, name: `web-${index}` };
    await store.recordIncident({ ...base, uid: uidOf(index), workload });
    if (ending !== undefined)
      await store.endIncident(uidOf(index), { ending, because: `100% of ${index}`, outcome: { ending, ...outcome } });
  }
  await store.recordPull(7, uidOf(1));
  await store.recordPull(9, uidOf(1));
});
afterAll(() => store.close());

const uids = async (filter: Parameters<Store["listIncidents"]>[0]) =>
  (await store.listIncidents(filter, 10)).lines.map(({ uid }) => Number(uid.at(-1)));

test("open ones come first, each part newest first, page by page without a gap or a repetition", async () => {
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await store.listIncidents({}, 2, after);
    seen.push(...page.lines.map(({ uid }) => uid));
    after = page.next;
  } while (after !== undefined);
  expect(seen).toEqual([4, 1, 3, 2, 0].map(uidOf));
});

test.each([
  [{ state: "open" }, [4, 1]],
  [{ state: "recovered" }, [3, 0]],
  [{ alert: "Slow" }, [0]],
  [{ workload: "WEB-2" }, [2]],
  [{ text: "100% of 3" }, [3]],
  [{ text: "%" }, [3, 2, 0]],
  [{ text: "_" }, []],
  [{ text: uidOf(1) }, [1]],
  [{ since: new Date("2999-01-01") }, []],
])("%j finds what it says", async (filter, found) => {
  expect(await uids(filter)).toEqual(found);
});

test("the states are counted whatever state is asked for", async () => {
  expect([...(await store.countIncidents({ state: "refused" }))]).toEqual([
    ["open", 2],
    ["recovered", 2],
    ["refused", 1],
  ]);
});

test("an incident is found by its uid, its pull requests and a commit", async () => {
  expect(await store.incidentNamed(uidOf(2))).toBe(uidOf(2));
  expect(await store.incidentNamed("#7")).toBe(uidOf(1));
  expect(await store.incidentNamed("9")).toBe(uidOf(1));
  expect(await store.incidentNamed("6B02DD3")).toBe(uidOf(3));
  expect(await store.incidentNamed("8")).toBeUndefined();
  expect((await store.listIncidents({ state: "open" }, 10)).lines.at(-1)?.pull).toBe(9);
});
