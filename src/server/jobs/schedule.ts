import type { Telemetry } from "../../ports/runtime.ts";

export interface Watching {
  readonly telemetry: Telemetry;
  /** The work is this process's, and no other one's. */
  readonly isOurs: () => boolean;
}

/** Does each work again and again while it is ours; what fails is told under its name and made good by the next time. */
export function schedule(
  pauseMs: number,
  { telemetry, isOurs }: Watching,
  works: Readonly<Record<string, () => Promise<void>>>,
): { stop(): Promise<void> } {
  const ticks = Object.entries(works).map(([name, work]) =>
    repeated(pauseMs, async () => {
      if (isOurs()) await work().catch((error: Error) => telemetry.log("", name, error.message));
    }),
  );
  return { stop: async () => void (await Promise.all(ticks.map((tick) => tick.stop()))) };
}

/** Does the work again and again, never twice at once. */
function repeated(pauseMs: number, work: () => Promise<void>): { stop(): Promise<void> } {
  let current: Promise<void> | undefined;
  const timer = setInterval(() => {
    current ??= work().finally(() => {
      current = undefined;
    });
  }, pauseMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await current;
    },
  };
}
