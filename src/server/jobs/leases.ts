import type { Durable } from "../../adapters/dbos/durable.ts";
import type { Store } from "../../adapters/postgres/store.ts";
import { shortExpiry } from "../../domain/proposal/lease.ts";
import type { Clock, Telemetry } from "../../ports/runtime.ts";
import { eachApart } from "../../adapters/http/repeat.ts";
import { type WorkflowEngine, stateOfRow, stoppedBecause } from "./workflows/stored-workflow.ts";

/** What keeping leases asks. */
export interface LeaseKeeping extends WorkflowEngine {
  readonly store: Pick<Store, "dueLeases" | "giveLease" | "leases">;
  readonly durable: Pick<Durable, "startLease" | "stateOf" | "cancel">;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Starts the workflow of every lease whose time is up. The leases are rows, not sleeping workflows: a lease of days outlives
 * restarts and releases, and a look that was lost is made good by the next one.
 */
export async function reconcileLeases(keeping: LeaseKeeping): Promise<void> {
  const { store, durable, clock, telemetry } = keeping;
  const start = async ({ lease, workflow }: Due) => {
    const { latestPull, termSince, renewals } = lease;
    const { uid } = lease.incident;
    const state = await stateOfRow({ first: `${uid}/lease/${renewals}`, workflow }, keeping);
    if (state === "running") return;
    if (state === "stopped") {
      const expires = shortExpiry(clock.now(), "");
      const because = stoppedBecause;
      await store.leases.renew(uid, { expires, because, latestPull, termSince, renewals: renewals + 1 });
      telemetry.log(uid, "lease", `renewed until ${expires}: ${because}`);
      return;
    }
    await store.giveLease(uid, state.start);
    await durable.startLease(state.start, lease);
  };
  await eachApart(await store.dueLeases(clock.now()), start, ({ lease }, because) =>
    telemetry.log(lease.incident.uid, "lease", `it could not be looked at: ${because}`),
  );
}

type Due = Awaited<ReturnType<Store["dueLeases"]>>[number];
