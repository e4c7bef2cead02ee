import type { Durable } from "../../../adapters/dbos/durable.ts";

/** A workflow that is asked for by a row: the id of its first workflow, and the one that was given to it, if any. */
interface StoredWorkflow {
  readonly first: string;
  readonly workflow: string | undefined;
}

/** It runs, it stopped without settling its row, or it is to be started under this id. */
type StoredWorkflowState = "running" | "stopped" | { readonly start: string };

export interface WorkflowEngine {
  readonly durable: Pick<Durable, "stateOf" | "cancel">;
  readonly workflowVersion: string;
}

/** Rows outlive restarts and releases: a workflow of another version is cancelled and begins anew. */
export async function stateOfRow(
  { first, workflow }: StoredWorkflow,
  { durable, workflowVersion }: WorkflowEngine,
): Promise<StoredWorkflowState> {
  const current = workflow ?? first;
  switch (await durable.stateOf(current)) {
    case "running":
      return "running";
    case "ended":
      return "stopped";
    case "absent":
      return { start: current };
    case "stranded":
      await durable.cancel(current);
      return { start: `${first}/v${workflowVersion}` };
  }
}

/** What is on record of a workflow that stopped before its last step. */
export const stoppedBecause = "its workflow stopped without an ending: see the log of that time";
