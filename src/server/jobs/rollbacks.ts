import type { Durable } from "../../adapters/dbos/durable.ts";
import type { Store } from "../../adapters/postgres/store.ts";
import type { Telemetry } from "../../ports/runtime.ts";
import { eachApart } from "../../adapters/http/repeat.ts";
import { type WorkflowEngine, stateOfRow, stoppedBecause } from "./workflows/stored-workflow.ts";

/** What keeping rollbacks asks. */
export interface RollbackKeeping extends WorkflowEngine {
  readonly store: Pick<Store, "openRollbacks" | "giveRollback" | "rollbacks">;
  readonly durable: Pick<Durable, "startRollback" | "stateOf" | "cancel">;
  readonly telemetry: Telemetry;
}

/** Starts the workflow of every rollback that has none. */
export async function reconcileRollbacks(keeping: RollbackKeeping): Promise<void> {
  const { store, durable, telemetry } = keeping;
  const start = async ({ rollback, workflow }: Open) => {
    const { uid } = rollback.incident;
    const state = await stateOfRow({ first: `${uid}/rollback/${rollback.comment}`, workflow }, keeping);
    if (state === "running") return;
    if (state === "stopped") {
      await store.rollbacks.end(rollback.pull, stoppedBecause);
      telemetry.log(uid, "rollback", stoppedBecause);
      return;
    }
    await store.giveRollback(rollback.pull, state.start);
    await durable.startRollback(state.start, rollback);
  };
  await eachApart(await store.openRollbacks(), start, ({ rollback }, because) =>
    telemetry.log(rollback.incident.uid, "rollback", `it could not be started: ${because}`),
  );
}

type Open = Awaited<ReturnType<Store["openRollbacks"]>>[number];
