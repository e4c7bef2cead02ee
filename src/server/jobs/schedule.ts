import type { Telemetry } from "../../ports/runtime.ts";
import { repeat } from "./repeat.ts";

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
    repeat(pauseMs, async () => {
      if (isOurs()) await work().catch((error: Error) => telemetry.log("", name, error.message));
    }),
  );
  return { stop: async () => void (await Promise.all(ticks.map((tick) => tick.stop()))) };
}
