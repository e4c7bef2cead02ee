import type { Durable } from "./adapters/durable.ts";
import type { Store } from "./adapters/store.ts";
import { shortExpiry } from "./domain/lease.ts";
import type { Clock, Telemetry } from "./ports.ts";

/** What keeping leases asks. */
export interface LeaseKeeping {
  readonly store: Pick<Store, "dueLeases" | "giveLease" | "leases">;
  readonly durable: Pick<Durable, "startLease" | "stateOf" | "cancel">;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly storyVersion: string;
}

/**
 * Starts the story of every lease whose time is up. The leases are rows, not sleeping stories: a lease of days outlives
 * restarts and releases, and a look that was lost is made good by the next one.
 */
export async function keepLeases(keeping: LeaseKeeping): Promise<void> {
  const { store, durable, clock, telemetry, storyVersion } = keeping;
  for (const { lease, workflow } of await store.dueLeases(clock.now())) {
    const { uid } = lease.incident;
    const first = `${uid}/lease/${lease.renewals}`;
    const state = await durable.stateOf(workflow ?? first);
    if (state === "running") continue;
    if (state === "ended") {
      // It settles its lease as its last step: this one was stopped before.
      const because = "its story stopped without an ending: see the log of that time";
      const expires = shortExpiry(clock.now(), "");
      await store.leases.renew(uid, {
        expires,
        because,
        latestPull: lease.latestPull,
        termSince: lease.termSince,
        renewals: lease.renewals + 1,
      });
      telemetry.tell(uid, "lease", `renewed until ${expires}: ${because}`);
      continue;
    }
    if (state === "stranded") await durable.cancel(workflow ?? first);
    const next = state === "absent" ? (workflow ?? first) : `${first}/v${storyVersion}`;
    await store.giveLease(uid, next);
    await durable.startLease(next, lease);
  }
}
