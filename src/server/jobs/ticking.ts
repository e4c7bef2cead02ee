import { reconcileDashboard } from "../../flow/jobs/dashboard.ts";
import { carryWithdrawals } from "../../flow/jobs/withdrawals.ts";
import type { Durable } from "../../adapters/dbos/durable.ts";
import type { Store } from "../../adapters/postgres/store.ts";
import type { Ports } from "../../ports/ports.ts";
import type { Clock, Telemetry } from "../../ports/runtime.ts";
import type { Settings } from "../../settings/settings.ts";
import type { Executor } from "../executor.ts";
import type { Inbox } from "../inbox.ts";
import type { Sources } from "../observability/source-health.ts";
import { type LateLooks, lookForGuardrails, lookForLateCommands } from "./late-looks.ts";
import { withdrawShadowed } from "./shadow/withdraw-shadowed.ts";
import { tendLeftOpen } from "./workflows/left-open.ts";
import { type LeaseKeeping, reconcileLeases } from "./leases.ts";
import { type Reexamining, reexamine } from "./reexamine.ts";
import { reconcileRollbacks, type RollbackKeeping } from "./rollbacks.ts";
import { schedule } from "./schedule.ts";

/** What the timers look after. */
interface Ticking {
  readonly settings: Settings;
  readonly inbox: Inbox;
  readonly ports: Ports;
  readonly store: Store;
  readonly keeping: LeaseKeeping & RollbackKeeping & Forgetting & Pick<Reexamining, "store" | "durable" | "telemetry">;
  readonly sources: Sources;
  readonly executor: Pick<Executor, "leads">;
  readonly looks: LateLooks;
}

/** What no message can be relied upon for: the work of one process for all. */
export function keepTicking(ticking: Ticking, telemetry: Telemetry) {
  const { settings, inbox, ports, store, keeping, sources, executor, looks } = ticking;
  const answering = () => sources.all().flatMap(({ name, state }) => (state === "answers" ? [name] : []));
  const { cluster, reexamineMs: beatMs } = settings;
  return schedule(
    settings.alertPollMs,
    { telemetry, isOurs: executor.leads },
    {
      intake: () => inbox.poll(),
      dashboard: async () => inbox.wakeWaiting(await reconcileDashboard(ports, cluster)),
      learn: () => carryWithdrawals(ports),
      lease: () => reconcileLeases(keeping),
      rollback: () => store.alone("rollbacks", () => reconcileRollbacks(keeping)),
      commands: () => lookForLateCommands(looks),
      guardrails: () => lookForGuardrails(looks),
      shadow: withdrawShadowed({
        ...{ store, ports },
        wake: (pull, key) => inbox.wake(pull, { kind: "pull-request" }, key),
      }),
      "left open": tendLeftOpen({ store, ports }),
      reexamine: () => reexamine({ ...keeping, cluster, ports, answering, beatMs }),
      retention: forgetOld(keeping),
    },
  );
}

interface Forgetting {
  readonly store: Pick<Store, "forgetDeliveries" | "endedWorkflows" | "forgetRecords">;
  readonly durable: Pick<Durable, "forget">;
  readonly clock: Clock;
}

// Whole tables are looked through.
const recordsEveryMs = 3_600_000;

/** Every table that grows with the incidents has its measure. */
export function forgetOld({ store, durable, clock }: Forgetting): () => Promise<void> {
  let lookedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const now = clock.now();
    await store.forgetDeliveries(now);
    const ended = await store.endedWorkflows(now);
    if (ended.length > 0) await durable.forget(ended);
    if (now.getTime() - lookedAt < recordsEveryMs) return;
    await store.forgetRecords(now);
    lookedAt = now.getTime();
  };
}
