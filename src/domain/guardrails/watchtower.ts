import { z } from "zod";

/** Acting, or watching only: analysis goes on, writes are suspended. Plain data: it is stored and survives a restart. */
export interface Watchtower {
  readonly mode: "acting" | "watching";
  /** Why it watches; empty while acting. */
  readonly reasons: readonly string[];
  /** Unix milliseconds of the last change of mode. */
  readonly since: number;
  /** Counts the times it began to watch: the operator is told once for each. */
  readonly episode: number;
  /** Model calls within the window, oldest first. */
  readonly calls: readonly ModelCallSeen[];
  /** Good calls in a row since the last bad one. */
  readonly goodInARow: number;
  /** The last moment at which there was a reason to watch; undefined when there never was one. */
  readonly lastReasonAt: number | undefined;
  readonly signals: WatchtowerSignals;
}

/** One model call: when it ended, how long it took. A call that was broken off counts with the time it took till then. */
interface ModelCallSeen {
  readonly at: number;
  readonly durationMs: number;
}

/** What is known of the outside now. */
interface WatchtowerSignals {
  readonly breakerOpen: boolean;
  readonly modelReachable: boolean;
  readonly guardrailsReadable: boolean;
  readonly modelRule: "required" | "optional" | "off";
}

export type WatchtowerEvent =
  | { readonly kind: "call"; readonly durationMs: number; readonly ok: boolean }
  | ({ readonly kind: "signals" } & Partial<WatchtowerSignals>)
  /** Time passes. */
  | { readonly kind: "tick" };

/** The numbers of the mode, in milliseconds and counts. */
export interface WatchtowerLimits {
  readonly p99Ms: number;
  readonly windowMs: number;
  /** So many good calls in a row (under half of `p99Ms`) outweigh the slow ones before them. */
  readonly goodCalls: number;
  /** It ends when no reason was seen for so long. */
  readonly quietMs: number;
}

export const watchtowerLimits: WatchtowerLimits = {
  p99Ms: 60_000,
  windowMs: 10 * 60_000,
  goodCalls: 3,
  quietMs: 60_000,
};

const mostCalls = 1000;

/** How a process without a stored state begins: acting, with nothing known against it. */
export function newWatchtower(now: number): Watchtower {
  const signals = {
    breakerOpen: false,
    modelReachable: true,
    guardrailsReadable: true,
    modelRule: "optional",
  } as const;
  return {
    mode: "acting",
    reasons: [],
    since: now,
    episode: 0,
    calls: [],
    goodInARow: 0,
    lastReasonAt: undefined,
    signals,
  };
}

/** The next state. It begins to watch at once, and ends only when the reasons stayed away for a while. */
export function nextWatchtower(
  state: Watchtower,
  event: WatchtowerEvent,
  now: number,
  limits: WatchtowerLimits = watchtowerLimits,
): Watchtower {
  const seen = remembered(state, event, now, limits);
  const reasons = reasonsOf(seen, limits);
  if (reasons.length > 0) {
    const begins = state.mode === "acting";
    return {
      ...seen,
      mode: "watching",
      reasons,
      lastReasonAt: now,
      since: begins ? now : state.since,
      episode: state.episode + (begins ? 1 : 0),
    };
  }
  if (state.mode === "acting" || !isOver(seen, now, limits)) return seen;
  return { ...seen, mode: "acting", reasons: [], since: now };
}

/** May something be written now? */
export function isWatching(state: Watchtower): boolean {
  return state.mode === "watching";
}

/** What our open issue and proposals carry while we watch. */
export const watchtowerLabel = "watchtower";

/** One line for the dashboard and the log. */
export function renderWatchtower(state: Watchtower): string {
  if (state.mode === "acting") return "acting: changes are proposed";
  return `watching since ${new Date(state.since).toISOString()}: ${state.reasons.join("; ")}. No change is proposed meanwhile, and open ones merge only by a person's approval; it ends by itself`;
}

function remembered(state: Watchtower, event: WatchtowerEvent, now: number, limits: WatchtowerLimits): Watchtower {
  const calls = state.calls.filter(({ at }) => at > now - limits.windowMs && at <= now);
  if (event.kind === "tick") return { ...state, calls };
  if (event.kind === "signals") {
    const { kind: _kind, ...signals } = event;
    return { ...state, calls, signals: { ...state.signals, ...signals } };
  }
  const good = event.ok && event.durationMs <= limits.p99Ms / 2;
  const goodInARow = good ? state.goodInARow + 1 : 0;
  const all = [...calls, { at: now, durationMs: event.durationMs }].slice(-mostCalls);
  // A percentile over minutes would keep one slow call for minutes: a run of good ones proves that it is over.
  return { ...state, goodInARow, calls: goodInARow >= limits.goodCalls ? all.slice(-goodInARow) : all };
}

function reasonsOf({ calls, signals }: Watchtower, limits: WatchtowerLimits): string[] {
  const slowest = p99(calls.map(({ durationMs }) => durationMs));
  const used = signals.modelRule !== "off";
  return [
    ...(signals.guardrailsReadable ? [] : ["the guardrails cannot be read"]),
    ...(used && slowest !== undefined && slowest >= limits.p99Ms
      ? [
          // Without the measured time: it moves with each call, and people are told once.
          `the slowest of the model's calls take ${Math.round(limits.p99Ms / 1000)} s or longer (99th percentile)`,
        ]
      : []),
    ...(used && signals.breakerOpen ? ["the model failed several times in a row"] : []),
    ...(signals.modelRule === "required" && !signals.modelReachable
      ? ["the guardrails require the model, and it cannot be reached"]
      : []),
  ];
}

/** The nearest-rank 99th percentile; undefined of nothing. */
export function p99(durations: readonly number[]): number | undefined {
  const sorted = [...durations].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1];
}

function isOver(state: Watchtower, now: number, limits: WatchtowerLimits): boolean {
  return state.lastReasonAt === undefined || now - state.lastReasonAt >= limits.quietMs;
}

const Stored = z.strictObject({
  mode: z.enum(["acting", "watching"]),
  reasons: z.array(z.string()),
  since: z.number(),
  episode: z.number().int().nonnegative(),
  calls: z.array(z.strictObject({ at: z.number(), durationMs: z.number() })),
  goodInARow: z.number().int().nonnegative(),
  lastReasonAt: z.number().optional(),
  signals: z.strictObject({
    breakerOpen: z.boolean(),
    modelReachable: z.boolean(),
    guardrailsReadable: z.boolean(),
    modelRule: z.enum(["required", "optional", "off"]),
  }),
});

/** Reads a stored state (`JSON.parse` of what was written). One that cannot be read begins to watch: better late than wrong. */
export function readWatchtower(stored: unknown, now: number): Watchtower {
  const parsed = Stored.safeParse(stored);
  if (parsed.success) return { ...parsed.data, lastReasonAt: parsed.data.lastReasonAt };
  const reasons = ["the stored state could not be read"];
  return { ...newWatchtower(now), mode: "watching", reasons, episode: 1, lastReasonAt: now };
}
