import { openStore } from "../../src/adapters/postgres/store.ts";
import type { LedgerRows } from "./ledger.ts";

/** What the ledger reads of the database at this address. */
export async function ledgerRowsOf(url: string): Promise<LedgerRows> {
  const store = await openStore(url);
  try {
    const incidents = await store.incidents(1_000);
    return {
      waiting: await store.waitingCount(),
      unfinished: (await store.unfinished()).map(({ workflow }) => workflow),
      parked: incidents.flatMap(({ ending, incident }) => (ending === "parked" ? [incident.uid] : [])),
      problems: await store.parkedSince(new Date(0)),
      audit: await store.auditRows(),
    };
  } finally {
    await store.close();
  }
}
