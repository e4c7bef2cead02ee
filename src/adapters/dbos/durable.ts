import { DBOS, DBOSClient, Error as DBOSErrors } from "@dbos-inc/dbos-sdk";
import type { Incident } from "../../domain/incident/incident.ts";
import type { Lease } from "../../domain/proposal/lease.ts";
import { oneLine } from "../../domain/text/one-line.ts";
import type { Rollback } from "../../domain/proposal/rollback.ts";
import type { Message, Run } from "../../ports/workflow.ts";
import type { Ports } from "../../ports/ports.ts";
import type { Telemetry } from "../../ports/runtime.ts";
import { severityRank } from "../../domain/incident/severity.ts";
import { type Attempt, attemptOnce, orStuck, outliving } from "./attempt.ts";
import { isWaiting } from "./is-waiting.ts";
import { type PriorityQueue, priorityQueue } from "./priority-queue.ts";
import { longestStepMs, mostAttempts, mostStuck } from "./patience.ts";
import { enginePool, isAway } from "../postgres/query.ts";
import { takenOver } from "../postgres/executors.ts";
import type { Store } from "../postgres/store.ts";
import { Refused, Unavailable } from "../../ports/errors.ts";

/**
 * The version of the stored workflow: step names, their order and their answers. Raise it when one of them changes.
 * By default the engine takes a hash of the source, and every release would strand what is in flight.
 */
export const workflowVersion = "3";

/** The engine, as the rest of the program knows it. */
export interface Durable {
  /** Starts the workflow of an incident; a second start with the same workflow id does nothing. */
  start(workflow: string, incident: Incident): Promise<void>;
  /** Starts the workflow of a lease whose time is up; a second start with the same workflow id does nothing. */
  startLease(workflow: string, lease: Lease): Promise<void>;
  /** Starts the workflow of a rollback; a second start with the same workflow id does nothing. */
  startRollback(workflow: string, rollback: Rollback): Promise<void>;
  /** Leaves a message for a workflow; the same key is delivered once. One that is forgotten hears nothing any more. */
  send(workflow: string, message: Message, key: string): Promise<void>;
  /** Waits until the workflow has ended. */
  finished(workflow: string): Promise<void>;
  /** What the engine knows of a workflow. */
  stateOf(workflow: string): Promise<"running" | "ended" | "stranded" | "absent">;
  /** Stops a workflow of another version for good. */
  cancel(workflow: string): Promise<void>;
  /**
   * Hands workflows of this version, whose process is gone, to any living process. One that made no step since its last
   * recoveries is stopped instead.
   */
  recover(workflows: readonly string[]): Promise<void>;
  /** Deletes what is kept of workflows that ended. */
  forget(workflows: readonly string[]): Promise<void>;
  shutdown(): Promise<void>;
}

type Workflow = (incident: Incident, run: Run) => Promise<void>;

const longestStack = 2_000;

interface DurableOptions {
  readonly url: string;
  readonly ports: Ports;
  readonly remediate: Workflow;
  readonly endLease: (lease: Lease, run: Run) => Promise<void>;
  readonly rollBack: (rollback: Rollback, run: Run) => Promise<void>;
  /** What is on record of workflows that are about to be recovered. */
  readonly recoveries: Pick<Store, "recovering" | "stepsOf" | "suspect" | "beginning" | "survived">;
  /** A workflow that kills the process again and again in the same step is given up after this many tries. */
  readonly mostRecoveries: number;
  /** How long one attempt of a step may take, before it is begun anew; the first goes on unheard. */
  readonly stepDeadlineMs?: number;
  /** Runs every attempt of a step, to count what it takes. */
  readonly measure?: Measure;
  readonly executor: Seat;
  /** Runs the work while no other process runs work of this name. */
  readonly alone: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

/** The place of this process among those that share the database. */
interface Seat {
  /** No other process ever had it. */
  readonly id: string;
  /** Runs a step while this process is known to live. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** A living process works on workflows of this version. */
  isServed(version: string): Promise<boolean>;
}

type Measure = <T>(workflow: string, step: string, work: () => Promise<T>) => Promise<T>;

/** Starts the engine. What processes that are gone had in flight is left to `recover`. */
export async function startDurable(options: DurableOptions): Promise<Durable> {
  const { url, remediate, executor } = options;
  const systemDatabasePool = enginePool(url);
  DBOS.setConfig({
    name: "rectify",
    ...{ systemDatabaseUrl: url, systemDatabasePool },
    applicationVersion: workflowVersion,
    executorID: executor.id,
    logger: quiet,
    useListenNotify: true,
  });
  const line = priorityQueue("examination", { atOnce: examinationsAtOnce, mostWaiting: Number.POSITIVE_INFINITY });
  const register = <Subject>(name: string, told: (subject: Subject, run: Run) => Promise<void>) =>
    DBOS.registerWorkflow((subject: Subject) => tellingFaults(told(subject, runOf(options, line)), options), {
      name,
      // The engine counts honest restarts, too, and a workflow may wait for days: `recover` counts better.
      maxRecoveryAttempts: 10_000,
    });
  const workflow = register("remediate-incident", remediate);
  const leaseWorkflow = register("end-lease", options.endLease);
  const rollbackWorkflow = register("roll-back", options.rollBack);
  // It makes its tables now, and two processes that do so at once are in each other's way.
  await options.alone("engine", () => DBOS.launch());
  return {
    start: async (workflowID, incident) => {
      await answered(DBOS.startWorkflow(workflow, { workflowID })(incident));
    },
    startLease: async (workflowID, lease) => {
      await answered(DBOS.startWorkflow(leaseWorkflow, { workflowID })(lease));
    },
    startRollback: async (workflowID, rollback) => {
      await answered(DBOS.startWorkflow(rollbackWorkflow, { workflowID })(rollback));
    },
    send: (workflowID, message, key) =>
      answered(DBOS.send(workflowID, message, topic, key)).catch((error: unknown) => {
        if (!(error instanceof DBOSErrors.DBOSNonExistentWorkflowError)) throw error;
      }),
    finished: async (workflowID) => {
      await DBOS.getResult(workflowID);
    },
    stateOf: (workflowID) => stateOf(workflowID, executor),
    cancel: (workflowID) => DBOS.cancelWorkflow(workflowID),
    recover: (workflows) => answered(recover(workflows, options)),
    forget: (workflows) => answered(DBOS.deleteWorkflows([...workflows])),
    shutdown: async () => {
      await DBOS.shutdown();
      await systemDatabasePool.end();
    },
  };
}

/** Stops everything that the engine has in flight on a database where no process works: it goes on never again. */
export async function cancelWorkflows(systemDatabaseUrl: string): Promise<void> {
  const client = await DBOSClient.create({ systemDatabaseUrl, logger: quiet });
  try {
    const inFlight = await client.listWorkflows({ status: ["PENDING", "ENQUEUED"] });
    if (inFlight.length > 0) await client.cancelWorkflows(inFlight.map(({ workflowID }) => workflowID));
  } finally {
    await client.destroy();
  }
}

const topic = "incident";

/** The engine keeps what a workflow threw to itself: a fault of ours between two steps would never be heard of. */
async function tellingFaults(workflow: Promise<void>, { ports }: DurableOptions): Promise<void> {
  return workflow.catch((error: unknown) => {
    const isOurs = error instanceof Error && !(error instanceof DBOSErrors.DBOSError) && !isAway(error);
    if (!isOurs) throw error;
    const told = oneLine(error.stack ?? error.message, longestStack);
    ports.telemetry.log(DBOS.workflowID ?? "", "fault", told);
    throw new Error(told);
  });
}

/** The engine throws what its driver throws: that Postgres is away is no fault of what was asked. */
function answered<T>(work: Promise<T>): Promise<T> {
  return work.catch((cause: unknown) => {
    if (!isAway(cause)) throw cause;
    throw new Unavailable(`Postgres: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
}

async function recover(workflows: readonly string[], { recoveries, mostRecoveries }: DurableOptions): Promise<void> {
  // Of all at once, and not from the engine: it would read every answer of a thousand workflows as well.
  const stepsOf = await recoveries.stepsOf(workflows);
  for (const workflow of workflows) {
    const steps = stepsOf.get(workflow) ?? [];
    const waits = isWaiting(steps);
    // What ends its process between two steps is nobody's begin: it is given up, too, but much later.
    const taken = waits ? 0 : await recoveries.recovering(`${workflow}${takenOver}`, steps.length);
    if (taken > mostTimesTaken * mostRecoveries) {
      await DBOS.cancelWorkflow(workflow);
      continue;
    }
    await recoveries.suspect(workflow);
    await DBOS.resumeWorkflow(workflow);
    // Its own next look may be minutes away, and GitHub does not repeat what nobody took.
    if (waits) await DBOS.send<Message>(workflow, { kind: "taken-over" }, topic);
  }
}

const mostTimesTaken = 10;

async function stateOf(workflowID: string, { isServed }: Seat): Promise<"running" | "ended" | "stranded" | "absent"> {
  const status = await DBOS.getWorkflowStatus(workflowID);
  if (status === null) return "absent";
  if (status.status !== "PENDING" && status.status !== "ENQUEUED") return "ended";
  const { applicationVersion = "" } = status;
  // While a process of its own version lives, that one goes on with it: a rolling update takes nothing from it.
  return applicationVersion === workflowVersion || (await isServed(applicationVersion)) ? "running" : "stranded";
}

// Some 25 range queries each: Prometheus runs 20 at once by default and lets the rest wait. Each holds what it has seen.
const examinationsAtOnce = 4;

function runOf(
  {
    ports,
    executor,
    stepDeadlineMs = longestStepMs,
    measure = (_workflow, _step, work) => work(),
    ...counts
  }: DurableOptions,
  line: PriorityQueue,
): Run {
  const outlived = outliving(counts);
  const measured = <T>(name: string, work: () => Promise<T>) => measure(DBOS.workflowID ?? "", name, work);
  return {
    step: (name, work) =>
      stepUntilAnswered(name, () => measured(name, () => work(ports)), {
        ...{ telemetry: ports.telemetry, executor, stepDeadlineMs, outlived },
      }),
    few: (severity, work) => line.take(work, { urgency: -severityRank(severity) }),
    message: async (timeoutMs) => (await DBOS.recv<Message>(topic, timeoutMs / 1000)) ?? undefined,
    timings: ports.timings,
  };
}

interface Around {
  readonly telemetry: Telemetry;
  readonly stepDeadlineMs: number;
  readonly executor: Pick<Seat, "during">;
  /** Runs an attempt, unless attempts of this workflow ended the process too often. */
  readonly outlived: <T>(workflow: string, attempt: () => Promise<T>) => Promise<T>;
}

/**
 * The wait between two attempts is a durable timer: a restart neither shortens nor repeats it. An answer goes on record
 * as JSON text: the engine walks over every value of an object, which was a fifth of the time of forty workflows.
 */
async function stepUntilAnswered<T>(name: string, work: () => Promise<T>, around: Around): Promise<T> {
  const { telemetry, executor, stepDeadlineMs, outlived } = around;
  const incident = DBOS.workflowID ?? "";
  let because = "";
  let stuck = 0;
  for (let count = 0; count < mostAttempts; count += 1) {
    const timed = async () => {
      telemetry.step?.(incident, name, "begin");
      const answer = await attemptOnce(() => outlived(incident, () => orStuck(work(), stepDeadlineMs)), count);
      if (answer.kind === "unavailable" && answer.stuck) {
        telemetry.log(incident, "stuck", `${name}: ${answer.because}`);
        telemetry.step?.(incident, name, "stuck");
      }
      telemetry.step?.(incident, name, "end");
      return JSON.stringify(answer);
    };
    const attempt = JSON.parse(await executor.during(() => DBOS.runStep(timed, { name }))) as Attempt<T>;
    telemetry.step?.(incident, name, "recorded");
    if (attempt.kind === "answer") return attempt.value;
    because = attempt.because;
    if (attempt.kind === "unavailable" && attempt.stuck) stuck += 1;
    if (attempt.kind === "refused" || stuck === mostStuck) break;
    await DBOS.sleep(attempt.pauseMs);
  }
  throw new Refused(`${name}: ${because}`);
}

const nothing = () => undefined;
const quiet = { debug: nothing, info: nothing, warn: nothing, error: nothing };
