import { otlpTracer, type Tracer } from "../../adapters/telemetry/otlp.ts";
import { incidentOf, openStepMeter, type StepMeter } from "../../adapters/telemetry/step-meter.ts";
import type { Store } from "../../adapters/postgres/store.ts";
import type { Telemetry } from "../../ports/runtime.ts";
import { known } from "../../ports/errors.ts";

/** What every workflow takes, step by step: on record, and as spans where a collector is named. */
export interface Observability {
  readonly steps: StepMeter;
  /** The same store; the end of a workflow closes its trace. */
  readonly store: Store;
  close(): Promise<void>;
}

export function observe(endpoint: string | undefined, store: Store, telemetry: Telemetry): Observability {
  const onChange = (text: string) => telemetry.log("", "trace", text);
  const tracer = endpoint === undefined ? undefined : otlpTracer({ endpoint, onChange });
  const writing = new Set<Promise<void>>();
  // The figures are for people: a workflow must neither wait for them nor fail with them.
  const write = (work: () => Promise<void>) => {
    const done: Promise<void> = known(work).finally(() => writing.delete(done));
    writing.add(done);
  };
  const steps = openStepMeter({
    attempt: (attempt) => {
      tracer?.step(attempt);
      write(() => store.addStepCost(incidentOf(attempt.workflow), attempt));
    },
    exchange: (incident, exchange) => write(() => store.addExchange(incident, exchange)),
  });
  return {
    steps,
    store: tracer === undefined ? store : closingTraces(store, tracer),
    close: async () => {
      await Promise.all(writing);
      await tracer?.close();
    },
  };
}

function closingTraces(store: Store, tracer: Tracer): Store {
  return {
    ...store,
    endIncident: async (uid, ending) => {
      await store.endIncident(uid, ending);
      const record = await known(() => store.incident(uid));
      if (record === undefined) return;
      tracer.incidentEnded({ incident: uid, openedAt: record.openedAt, endedAt: new Date(), ending: ending.ending });
    },
  };
}

/** What is told about an incident is also kept, for its page. */
export function recordingLogger(telemetry: Telemetry, store: Store): Telemetry {
  return {
    ...telemetry,
    log: (incident, verb, text) => {
      telemetry.log(incident, verb, text);
      if (incident !== "") void known(() => store.recordEvent(incident, verb, text));
    },
  };
}
