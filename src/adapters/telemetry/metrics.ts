import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { MemoryState } from "../../domain/records/precedent.ts";
import type { Telemetry } from "../../ports/runtime.ts";
import type { Route } from "../http/listener.ts";
import type { Store } from "../postgres/store.ts";
import { known } from "../../ports/errors.ts";

/**
 * Rectify's own measurements in the text format of Prometheus. No label value comes from an alert, a person or a
 * repository: their number is fixed by this program.
 */
export interface Meter {
  readonly route: Route;
  /** The same store; what passes through it is counted. */
  watchStore(store: Store): Store;
  /** A round over the inbox failed as a whole. */
  inboxFailed(): void;
  /** The same telemetry; the steps that it hears of are timed. */
  watchSteps(telemetry: Telemetry): Telemetry;
  /** One call to GitHub; without a status nobody answered. */
  githubCall(call: {
    readonly method: string;
    readonly status: number | undefined;
    readonly durationMs: number;
    /** The answer's own `Date`, to the second. */
    readonly date?: string | undefined;
  }): void;
  modelCall(call: { readonly ok: boolean; readonly durationMs: number }): void;
  /** Watchtower mode is looked at with each scrape. */
  watchTower(isWatching: () => boolean): void;
  /** Our own mistakes, by place, are looked at with each scrape. */
  watchFaults(counts: () => Readonly<Record<string, number>>): void;
  /** The memory is looked at with each scrape. */
  watchMemory(state: () => MemoryState): void;
}

// More names than the workflow has; a mistake must not make a series per incident.
const mostStepNames = 64;
const methods: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);

export function openMeter(): Meter {
  const registry = freshRegistry();
  const { deliveries, ignored, opened, ended, waiting, parked, failures, databaseUp } = storeMetrics(registry);
  const skew = clockSkew(registry);
  const calls = callMetrics(registry, skew);
  const steps = stepTimes(registry);
  const watchtower = watchtowerGauge(registry);
  const setMemory = memoryMetrics(registry);
  let memory: (() => MemoryState) | undefined;
  let isWatching = () => false;
  let watched: Store | undefined;
  return {
    route: {
      method: "GET",
      path: "/metrics",
      answer: async () => {
        await lookAtStore(watched, { databaseUp, waiting, parked, skew });
        if (memory !== undefined) setMemory(memory());
        watchtower.set(isWatching() ? 1 : 0);
        return { status: 200, body: await registry.metrics(), headers: { "content-type": registry.contentType } };
      },
    },
    watchStore: (store) => {
      watched = store;
      return {
        ...store,
        accept: async (kind, headers, body, rank) => {
          const isNew = await store.accept(kind, headers, body, rank);
          deliveries.inc({ kind, outcome: isNew ? "accepted" : "repeated" });
          return isNew;
        },
        settle: async (settled) => {
          await store.settle(settled);
          ignored.inc(settled.filter(({ outcome }) => outcome.startsWith("ignored")).length);
        },
        recordIncident: async (incident) => {
          const isNew = await store.recordIncident(incident);
          if (isNew) opened.inc();
          return isNew;
        },
        endIncident: async (uid, ending) => {
          await store.endIncident(uid, ending);
          ended.inc({ ending: ending.ending });
        },
      };
    },
    inboxFailed: () => failures.inc(),
    watchSteps: (telemetry) => timing(telemetry, steps),
    ...calls,
    watchTower: (state) => {
      isWatching = state;
    },
    watchFaults: faultCounter(registry),
    watchMemory: (state) => {
      memory = state;
    },
  };
}

/** Up means that it takes writes: a read-only or full database reads as well as ever. */
async function lookAtStore(
  store: Pick<Store, "waitingCount" | "parkedCount" | "beat"> | undefined,
  {
    databaseUp,
    waiting,
    parked,
    skew,
  }: Readonly<Record<"databaseUp" | "waiting" | "parked", Gauge>> & { readonly skew: ClockSkew },
): Promise<void> {
  const time = await known(async () => store?.beat());
  const depth = await known(async () => store?.waitingCount());
  databaseUp.set(time === undefined || depth === undefined ? 0 : 1);
  if (time !== undefined) skew("postgres", time.getTime());
  if (depth !== undefined) waiting.set(depth);
  const parkedNow = await known(async () => store?.parkedCount());
  if (parkedNow !== undefined) parked.set(parkedNow);
}

type ClockSkew = (against: "postgres" | "github", theirs: number) => void;

function clockSkew(registry: Registry): ClockSkew {
  const gauge = new Gauge({
    name: "rectify_clock_skew_seconds",
    help: "How far the clock of another system is ahead of ours.",
    labelNames: ["against"],
    registers: [registry],
  });
  return (against, theirs) => {
    if (Number.isFinite(theirs)) gauge.set({ against }, (theirs - Date.now()) / 1000);
  };
}

function freshRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

function faultCounter(registry: Registry): Meter["watchFaults"] {
  let counts: () => Readonly<Record<string, number>> = () => ({});
  new Counter({
    name: "rectify_faults_total",
    help: "Mistakes of Rectify's own that ended a request or would have ended the process, by place.",
    labelNames: ["place"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [place, count] of Object.entries(counts())) this.inc({ place }, count);
    },
  });
  return (watched) => {
    counts = watched;
  };
}

function timing(telemetry: Telemetry, steps: ReturnType<typeof stepTimes>): Telemetry {
  return {
    ...telemetry,
    step: (workflow, name, phase) => {
      telemetry.step?.(workflow, name, phase);
      steps(workflow, name, phase);
    },
  };
}

function watchtowerGauge(registry: Registry): Gauge {
  return new Gauge({
    name: "rectify_watchtower",
    help: "1 while Rectify only analyses and opens nothing because something it needs is missing.",
    registers: [registry],
  });
}

function memoryMetrics(registry: Registry): (state: MemoryState) => void {
  const registers = [registry];
  const ready = new Gauge({ name: "rectify_memory_ready", help: "1 while past incidents can be searched.", registers });
  const faiss = new Gauge({
    name: "rectify_memory_faiss",
    help: "1 while FAISS answers searches, 0 while every entry is compared.",
    registers,
  });
  const entries = new Gauge({ name: "rectify_memory_entries", help: "Past incidents that can be found.", registers });
  return (state) => {
    ready.set(state.kind === "ready" ? 1 : 0);
    faiss.set(state.kind === "ready" && state.engine === "faiss" ? 1 : 0);
    entries.set(state.kind === "ready" ? state.entries : 0);
  };
}

function storeMetrics(registry: Registry) {
  const registers = [registry];
  const deliveries = new Counter({
    name: "rectify_deliveries_total",
    help: "Deliveries that were taken in, by sender; a repeated one was known already.",
    labelNames: ["kind", "outcome"],
    registers,
  });
  // A rate needs a series that was 0 before the first delivery.
  for (const kind of ["alerts", "github"]) deliveries.inc({ kind, outcome: "accepted" }, 0);
  const ended = new Counter({
    name: "rectify_incidents_ended_total",
    help: "Incidents that ended, by ending.",
    labelNames: ["ending"],
    registers,
  });
  // The first that is parked must be seen as one more.
  ended.inc({ ending: "parked" }, 0);
  return {
    deliveries,
    ended,
    ignored: new Counter({
      name: "rectify_deliveries_ignored_total",
      help: "Deliveries that were taken in and are nothing for us: of another repository, or not to be read.",
      registers,
    }),
    opened: new Counter({ name: "rectify_incidents_opened_total", help: "Incidents that were opened.", registers }),
    waiting: new Gauge({ name: "rectify_inbox_waiting", help: "Deliveries that nobody has read yet.", registers }),
    parked: new Gauge({
      name: "rectify_deliveries_parked",
      help: "Deliveries that are not tried again until a person replays them.",
      registers,
    }),
    failures: new Counter({
      name: "rectify_inbox_failures_total",
      help: "Rounds over the inbox that failed as a whole, mostly because Postgres was away.",
      registers,
    }),
    databaseUp: new Gauge({
      name: "rectify_database_up",
      help: "1 when Postgres answered this scrape.",
      registers,
    }),
  };
}

function callMetrics(registry: Registry, skew: ClockSkew): Pick<Meter, "githubCall" | "modelCall"> {
  const registers = [registry];
  const github = new Histogram({
    name: "rectify_github_call_duration_seconds",
    help: "Calls to the GitHub API, by method and class of the answer.",
    labelNames: ["method", "answer"],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const model = new Histogram({
    name: "rectify_model_call_duration_seconds",
    help: "Questions to the local model.",
    labelNames: ["outcome"],
    buckets: [0.5, 1, 2.5, 5, 10, 20, 30, 60, 120],
    registers,
  });
  // The first failure must be seen as one more.
  for (const method of methods) for (const answer of ["2xx", "5xx", "none"]) github.zero({ method, answer });
  for (const outcome of ["answered", "failed"]) model.zero({ outcome });
  return {
    githubCall: ({ method, status, durationMs, date }) => {
      if (date !== undefined) skew("github", Date.parse(date));
      const answer = status === undefined ? "none" : `${Math.floor(status / 100)}xx`;
      github.observe({ method: methods.has(method) ? method : "other", answer }, durationMs / 1000);
    },
    modelCall: ({ ok, durationMs }) => model.observe({ outcome: ok ? "answered" : "failed" }, durationMs / 1000),
  };
}

// Those that panels and alerts ask for.
const stepsOfTheLine = ["collect", "diagnose", "plan", "gate", "propose"];

/** A step that a crash interrupts begins again: its first beginning is forgotten. */
function stepTimes(registry: Registry): NonNullable<Telemetry["step"]> {
  const durations = new Histogram({
    name: "rectify_step_duration_seconds",
    help: "Attempts of the workflow's steps, by step.",
    labelNames: ["step"],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300],
    registers: [registry],
  });
  // The first time must be seen as one more, or a workflow that comes alone is on no panel.
  for (const step of stepsOfTheLine) durations.zero({ step });
  // Without the step's name, which the log has: a series that is not there before its first time counts as nothing new.
  const stuck = new Counter({
    name: "rectify_steps_stuck_total",
    help: "Attempts of steps that did not return within their deadline and were begun anew.",
    registers: [registry],
  });
  const names = new Set<string>(stepsOfTheLine);
  const begun = new Map<string, number>();
  return (workflow, name, phase) => {
    if (phase === "stuck") stuck.inc();
    const key = `${workflow}\n${name}`;
    const start = begun.get(key);
    if (phase === "begin") begun.set(key, performance.now());
    if (phase !== "end" || start === undefined) return;
    begun.delete(key);
    if (names.size < mostStepNames) names.add(name);
    durations.observe({ step: names.has(name) ? name : "other" }, (performance.now() - start) / 1000);
  };
}
