import type { Telemetry } from "../../ports/runtime.ts";

/** Where something threw that nobody had expected to throw. */
type FaultPlace = "request" | "rejection" | "exception" | "log";

/** Our own mistakes while they happen: each is logged with its stack and counted. */
export interface Faults {
  record(place: FaultPlace, error: unknown): void;
  counts(): Readonly<Record<FaultPlace, number>>;
}

export function openFaults(telemetry: Pick<Telemetry, "log">): Faults {
  const counts: Record<FaultPlace, number> = { request: 0, rejection: 0, exception: 0, log: 0 };
  return {
    counts: () => ({ ...counts }),
    record: (place, error) => {
      counts[place] += 1;
      // A log that cannot be written must not be told to the log.
      if (place !== "log") telemetry.log("", "fault", `${place}: ${stackOf(error)}`);
    },
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The part of Node's `process` that is watched. */
interface Watched {
  on(event: "unhandledRejection" | "uncaughtException", listener: (error: unknown) => void): unknown;
}

// A promise that nobody waited for leaves no state half changed. So many of them within a minute are another matter.
const mostRejections = 100;
const windowMs = 60_000;

/**
 * A rejection that nobody handles ends nothing: work goes on, because each workflow stands on its recorded steps. An
 * exception outside of any promise, or a flood of rejections, ends the process by `end`: what it left behind in
 * memory cannot be known, and the next start goes on from the records.
 */
export function watchProcess(watched: Watched, faults: Faults, { end, now }: { end: () => void; now: () => number }) {
  const recent: number[] = [];
  watched.on("unhandledRejection", (error) => {
    faults.record("rejection", error);
    recent.push(now());
    while ((recent[0] ?? now()) < now() - windowMs) recent.shift();
    if (recent.length > mostRejections) end();
  });
  watched.on("uncaughtException", (error) => {
    faults.record("exception", error);
    end();
  });
}

// What has not ended by then is found again by the next start.
const longestStopMs = 20_000;

/** Closes once, however often it is asked, and exits with the first code; also where closing fails or hangs. */
export function stopOnce(close: () => Promise<void>, exit: (code: number) => void): (code: number) => void {
  let stopping = false;
  return (code) => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => exit(code), longestStopMs).unref();
    void close().then(
      () => exit(code),
      () => exit(1),
    );
  };
}
