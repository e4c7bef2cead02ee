import { cancelWorkflows } from "../../adapters/dbos/durable.ts";
import { connectTo } from "../../adapters/postgres/query.ts";
import { isWorkedOn, type ServedRepository, workflowsInFlight } from "../../adapters/postgres/served.ts";
import { openStore } from "../../adapters/postgres/store.ts";
import { isKnownFailure } from "../../ports/errors.ts";
import type { Telemetry } from "../../ports/runtime.ts";

/** Why the open incidents of a repository ended that is not served any more. */
const because = (name: string) =>
  `${name} is not in RECTIFY_REPOSITORY any more: nothing is done in it, and its pull requests are left to people. Name it there again to take its alerts up anew`;

/**
 * Ends what is open for repositories that left the list, once nobody works on their records any more; true when all of
 * it has ended. That holds for now only: a process of before may come back and open more, so it is asked again and again.
 * Nothing is asked of their GitHub: we may not act there.
 */
export async function retireRepositories(others: readonly ServedRepository[], telemetry: Telemetry): Promise<boolean> {
  let done = true;
  for (const other of others) {
    try {
      done = (await retire(other, telemetry)) && done;
    } catch (error) {
      if (!isKnownFailure(error)) throw error;
      telemetry.log("", "serve", `${other.name} left the list, and its records cannot be read: ${error.message}`);
      done = false;
    }
  }
  return done;
}

/** Says what is left alone: another cluster's Rectify may come back for it. */
export function tellForeign(foreign: readonly ServedRepository[], telemetry: Telemetry): void {
  for (const { name, cluster } of foreign) {
    const whose = cluster === undefined ? "does not say for which cluster" : `is served for the cluster ${cluster}`;
    const text = `${name} is on record in this database and ${whose}: its incidents are left alone. Give each cluster a database of its own (DATABASE_URL)`;
    telemetry.log("", "serve", text);
  }
}

async function retire({ name, url }: ServedRepository, telemetry: Telemetry): Promise<boolean> {
  const store = await openStore(url, (unreadable) => telemetry.log("", "store", unreadable));
  try {
    const { isBusy, inFlight } = await workOn(url);
    // What it does next is not known, also where nothing is open now.
    if (isBusy) return false;
    // First the engine: a workflow that goes on later would act on an incident that has ended, or on none.
    if (inFlight > 0) {
      await cancelWorkflows(url);
      telemetry.log("", "serve", `stopped ${inFlight} workflow${inFlight === 1 ? "" : "s"}: ${because(name)}`);
    }
    for (const { incident } of await store.unfinished()) {
      await store.endIncident(incident.uid, { ending: "refused", because: because(name), outcome: null });
      telemetry.log(incident.uid, "serve", `refused: ${because(name)}`);
    }
    return true;
  } finally {
    await store.close();
  }
}

async function workOn(url: string): Promise<{ readonly isBusy: boolean; readonly inFlight: number }> {
  const { query, close } = connectTo(url);
  try {
    return { isBusy: await isWorkedOn(query), inFlight: await workflowsInFlight(query) };
  } finally {
    await close();
  }
}
