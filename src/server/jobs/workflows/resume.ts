import type { Durable } from "../../../adapters/dbos/durable.ts";
import type { Store } from "../../../adapters/postgres/store.ts";
import type { Telemetry } from "../../../ports/runtime.ts";
import { eachApart } from "../../../adapters/http/repeat.ts";
import { type WorkflowEngine, stateOfRow, stoppedBecause } from "./stored-workflow.ts";

/** What resuming asks. */
interface Resuming extends WorkflowEngine {
  readonly store: Pick<Store, "unfinished" | "endIncident" | "moveToWorkflow">;
  readonly durable: Pick<Durable, "start" | "stateOf" | "cancel">;
}

/** What looking for abandoned work asks. */
interface Recovering extends Resuming {
  readonly store: Resuming["store"] & Pick<Store, "alone" | "abandonedWorkflows" | "hasStranded" | "hasStopped">;
  readonly durable: Resuming["durable"] & Pick<Durable, "recover">;
}

/**
 * Work whose process is gone goes on: by any process of its version, or begun anew where none is left. What stopped by
 * a fault of ours is told as parked. One process at a time looks, so that a recovery counts once and nobody reads what
 * another one is about to change.
 */
export async function recoverAbandoned(recovering: Recovering, telemetry: Telemetry): Promise<void> {
  const { store, durable, workflowVersion: version } = recovering;
  const isNeeded = async () =>
    (await store.abandonedWorkflows(version)).length > 0 ||
    (await store.hasStranded(version)) ||
    (await store.hasStopped());
  if (!(await isNeeded())) return;
  await store.alone("recovery", async () => {
    const abandoned = await store.abandonedWorkflows(version);
    await durable.recover(abandoned);
    for (const workflow of abandoned) telemetry.log(workflow, "resume", "its process is gone: it goes on");
    await reconcileWorkflows(recovering, telemetry);
  });
}

/** After a start: every unfinished incident has a live workflow, or is told why not. */
export async function reconcileWorkflows(resuming: Resuming, telemetry: Telemetry): Promise<void> {
  await eachApart(
    await resuming.store.unfinished(),
    (one) => reconcile(one, resuming, telemetry),
    ({ incident }, because) => telemetry.log(incident.uid, "resume", `it could not be taken up: ${because}`),
  );
}

async function reconcile(
  { incident, workflow }: Awaited<ReturnType<Store["unfinished"]>>[number],
  resuming: Resuming,
  telemetry: Telemetry,
): Promise<void> {
  const { store, durable } = resuming;
  const state = await stateOfRow({ first: incident.uid, workflow }, resuming);
  if (state === "running") return;
  if (state === "stopped") {
    await store.endIncident(incident.uid, { ending: "parked", because: stoppedBecause, outcome: null });
    telemetry.log(incident.uid, "resume", `parked: ${stoppedBecause}`);
    return;
  }
  // A workflow of another version cannot be replayed: the new one finds what the old one wrote on GitHub.
  await store.moveToWorkflow(incident.uid, state.start);
  await durable.start(state.start, incident);
  const again = "begun by another version: started again, its proposal is adopted";
  telemetry.log(incident.uid, "resume", state.start === workflow ? "started" : again);
}
