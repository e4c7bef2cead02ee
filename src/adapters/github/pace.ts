import { oneAtATime } from "../http/one-at-a-time.ts";
import { Refused, Unavailable } from "../../ports/errors.ts";
import type { PaceWaits, SharedPace } from "../../ports/github.ts";

/** GitHub asks for one second between writes, and for silence after a limit was hit. */
interface Pace {
  /**
   * Runs one call in its turn, `before` right ahead of it. Throws `Unavailable` with the wait when a limit forbids the
   * call; then `before` did not run either.
   */
  run<T>(kind: "read" | "write", call: () => Promise<T>, before?: () => Promise<void>): Promise<T>;
  /** Calls made so far. */
  count(): number;
}

interface PaceOptions {
  /** 0 = no pace at all, as in the lab. */
  readonly gapMs: number;
  readonly now?: () => number;
  /** Asked where there is a gap to keep. */
  readonly shared?: SharedPace | undefined;
}

// What GitHub counts, of 900 a minute: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
const points = { read: 1, write: 5 };
// Reads are booked by the handful, so that not each of them is a statement; soon after they count as made.
const readsBooked = 10;
const bookedForMs = 10_000;
// Longer than this no step waits in memory: it is told when to come again.
const longestWaitMs = 20_000;

/**
 * One pace per installation. Reads go at once, writes one after the other with `gapMs` between them. After a limit
 * nobody calls before the time that GitHub named, so that a hundred workflows do not run into it one by one.
 */
export function paceOf({ gapMs, now = Date.now, shared }: PaceOptions): Pace {
  let silentUntil = 0;
  let lastWrite = 0;
  let calls = 0;
  const inTurn = oneAtATime();
  const book = shared === undefined || gapMs <= 0 ? undefined : bookingOf(shared, gapMs, now);

  const listen = () => {
    const wait = silentUntil - now();
    if (wait > 0) throw new Unavailable("GitHub: waiting for its rate limit", { retryAfterMs: wait });
  };
  const guarded = async <T>(kind: Kind, call: () => Promise<T>, before?: () => Promise<void>): Promise<T> => {
    listen();
    if (book !== undefined) {
      const { waitMs, silentMs } = await book(kind);
      if (silentMs > 0) silentUntil = Math.max(silentUntil, now() + silentMs);
      listen();
      if (waitMs > longestWaitMs) throw new Unavailable("GitHub: others call before us", { retryAfterMs: waitMs });
      await sleep(waitMs);
    }
    await before?.();
    calls += 1;
    return call().catch((cause: HttpFailure) => {
      const pause = limitPauseMs(cause, now());
      if (pause === undefined) throw translate(cause);
      silentUntil = Math.max(silentUntil, now() + pause);
      // Telling the others is a courtesy: GitHub would tell them, too.
      void shared?.silence(pause).catch(() => undefined);
      throw new Unavailable("GitHub: rate limit", { cause, retryAfterMs: pause });
    });
  };

  const written = <T>(call: () => Promise<T>, before?: () => Promise<void>): Promise<T> =>
    inTurn(async () => {
      await sleep(lastWrite + gapMs - now());
      lastWrite = now();
      return guarded("write", call, before);
    });

  return {
    run: (kind, call, before) => (kind === "write" ? written(call, before) : guarded("read", call, before)),
    count: () => calls,
  };
}

type Kind = "read" | "write";

/** Books each write, and reads by the handful. */
function bookingOf(shared: SharedPace, gapMs: number, now: () => number): (kind: Kind) => Promise<PaceWaits> {
  let handful: { readonly waits: Promise<PaceWaits>; readonly at: number; left: number } | undefined;
  return (kind) => {
    if (kind === "write") return shared.take(gapMs, points.write);
    if (handful === undefined || handful.left === 0 || now() - handful.at > bookedForMs) {
      handful = { waits: shared.take(0, readsBooked * points.read), at: now(), left: readsBooked };
      // What could not be booked is not kept: the next one asks again.
      handful.waits.catch(() => {
        handful = undefined;
      });
    }
    handful.left -= 1;
    const { waits, at } = handful;
    return waits.then(({ waitMs, silentMs }) => {
      const since = now() - at;
      return { waitMs: Math.max(0, waitMs - since), silentMs: Math.max(0, silentMs - since) };
    });
  };
}

async function sleep(milliseconds: number): Promise<void> {
  if (milliseconds > 0) await new Promise((resume) => setTimeout(resume, milliseconds));
}

interface HttpFailure {
  readonly status?: number;
  /** What a GraphQL answer says no with, under the status 200. */
  readonly errors?: readonly { readonly type?: string; readonly message?: string }[];
  readonly headers?: Readonly<Record<string, string | number | undefined>>;
  readonly message?: string;
  readonly request?: { readonly url?: string };
  readonly response?: {
    readonly headers?: Readonly<Record<string, string | number | undefined>>;
    readonly data?: unknown;
  };
}

/** How long GitHub wants silence: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api */
function limitPauseMs(failure: HttpFailure, now: number): number | undefined {
  const limited = failure.errors?.some(({ type }) => type === "RATE_LIMITED") === true;
  if (failure.status !== 403 && failure.status !== 429 && !limited) return undefined;
  const headers = failure.response?.headers ?? failure.headers ?? {};
  const secondsLeft = Number(headers["retry-after"] ?? Number.NaN);
  if (Number.isFinite(secondsLeft)) return secondsLeft * 1000;
  const resetSeconds = Number(headers["x-ratelimit-reset"]);
  if (String(headers["x-ratelimit-remaining"]) === "0" && Number.isFinite(resetSeconds)) {
    return Math.max(1000, resetSeconds * 1000 - now);
  }
  // A secondary limit may come without any header: then at least a minute.
  const says = /secondary rate limit|abuse detection|submitted too quickly/i.test(failure.message ?? "");
  return failure.status === 429 || limited || says ? 60_000 : undefined;
}

const passing = new Set([408, 500, 502, 503, 504]);

function translate(failure: HttpFailure): Error {
  const address = failure.response === undefined && failure.status === 500 ? failure.request?.url : undefined;
  if (address !== undefined) return silent(address, failure);
  const status = failure.status ?? (failure.errors === undefined ? undefined : 422);
  const said = withoutTokens(failure.message ?? "no answer") + permissionWanted(failure);
  const message = `GitHub${status === undefined ? "" : ` ${status}`}: ${said}`;
  if (status === undefined || status === 401 || passing.has(status))
    return new Unavailable(message, { cause: failure });
  return Object.assign(new Refused(message, { cause: failure }), { status });
}

/** Octokit calls it 500 when no connection came about; a 500 of GitHub has a response. */
function silent(address: string, failure: HttpFailure): Unavailable {
  const { host } = new URL(address);
  const why = withoutTokens(failure.message ?? "").trim();
  return new Unavailable(`GitHub: no server answered at ${host}${why === "" ? "" : ` (${why})`}`, { cause: failure });
}

/** GitHub names the permission that a call would have needed. */
function permissionWanted({ status, response }: HttpFailure): string {
  const wanted = response?.headers?.["x-accepted-github-permissions"];
  if (status !== 403 || typeof wanted !== "string" || wanted === "") return "";
  return ` (the App lacks a permission: it needs ${wanted.replaceAll("=", ": ")}, to be accepted in its installation)`;
}

function withoutTokens(text: string): string {
  return text.replace(/\/\/[^@/\s]+@/g, "//").replace(/\b(gh[a-z]_|github_pat_)\w+/g, "[redacted]");
}

/** The HTTP status of a clear no, for the few calls where it is a state and not a failure. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Refused && "status" in error && typeof error.status === "number" ? error.status : undefined;
}

/**
 * GitHub may have done what it answered with an error, and its lists lag: what "already exists" and cannot be seen is
 * most likely our own.
 */
export interface Doubts {
  /** Throws `Unavailable` for two minutes from the first time; afterwards it is somebody else's. */
  await(what: string): void;
  /**
   * Makes what is not listed and what GitHub would make twice. Where an earlier try may have made it, it is looked for
   * for half a minute before it is made again: `Unavailable` until then.
   */
  once<T>(what: string, make: () => Promise<T>): Promise<T>;
}

const longestLagMs = 120_000;
const lookAgainMs = 5_000;
// Twice the longest pause between two tries of a step.
const forgottenMs = 10 * 60_000;
// Nobody says that it is there: a late comment is worse than one that a list shows after half a minute.
const longestUnseenMs = 30_000;

export function doubtsOf(now: () => number): Doubts {
  const since = new Map<string, number>();
  const asked = new Map<string, { readonly first: number; readonly last: number }>();
  return {
    await: (what) => {
      const before = asked.get(what);
      // Nobody says that it was listed after all: what was not asked for so long is another doubt.
      const first = before !== undefined && now() - before.last < forgottenMs ? before.first : now();
      asked.set(what, { first, last: now() });
      if (now() - first < longestLagMs) {
        throw new Unavailable(`GitHub: ${what} exists and is not listed yet`, { retryAfterMs: lookAgainMs });
      }
      asked.delete(what);
    },
    once: async (what, make) => {
      const made = since.get(what);
      if (made !== undefined && now() - made < longestUnseenMs)
        throw new Unavailable(`GitHub: ${what} may be there and is not listed yet`, { retryAfterMs: lookAgainMs });
      since.delete(what);
      try {
        return await make();
      } catch (error) {
        if (mayHaveDone(error)) since.set(what, now());
        throw error;
      }
    },
  };
}

/** A failure of GitHub's own, or a connection that broke: the request may have arrived. Without one it has not. */
function mayHaveDone(error: unknown): boolean {
  if (!(error instanceof Unavailable)) return false;
  const { response, status, message = "" } = (error.cause ?? {}) as HttpFailure;
  if (response !== undefined) return status !== undefined && status >= 500;
  return status === 500 && !/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|certificate/i.test(message);
}
