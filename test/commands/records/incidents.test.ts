import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { listIncidents } from "../../../src/commands/records/incidents.ts";
import { anIncident } from "../../builders.ts";
import { aPastRecord, type Kind } from "../../past-record.ts";
import { migratedDatabase } from "../../postgres.ts";

let url: string;
let store: Store;

beforeEach(async () => {
  url = await migratedDatabase();
  store = await openStore(url);
});
afterEach(() => store.close());

async function watched(kinds: readonly Kind[], workload = "shop/Deployment/web"): Promise<void> {
  for (const kind of kinds) {
    const uid = crypto.randomUUID();
    await store.recordIncident({ ...anIncident(), uid });
    const shadow = aPastRecord(kind, { uid, workload });
    await store.endIncident(uid, { ending: "shadow", because: kind, outcome: { ending: "shadow", shadow } });
  }
}

const listed = async (now = new Date()) =>
  (await listIncidents({ limit: "20" }, { DATABASE_URL: url }, now)).lines.join("\n");

test("the list ends with what shadow mode came to, and the line that switches on what has earned it", async () => {
  await watched(["agreed", "earlier", "earlier", "healed-by-itself"]);
  await watched(["different"], "office/Deployment/cart");
  const text = await listed();
  expect(text).toContain("shadow mode, 28 days: 1 agreed, 2 earlier, 1 different, 1 healed-by-itself");
  expect(text).toMatch(/HighLatency of shop\/Deployment\/web: has earned to be live: modes: \[\{ namespace: shop/);
  expect(text).toContain("HighLatency of office/Deployment/cart: once people did something else");
});

test("without an incident in shadow mode in four weeks there is no word of it", async () => {
  expect(await listed()).not.toContain("shadow");
  await watched(["agreed"]);
  expect(await listed(new Date(Date.now() + 29 * 86_400_000))).not.toContain("shadow mode");
});
