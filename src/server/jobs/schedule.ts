import type { Telemetry } from "../../ports/runtime.ts";
import { repeat } from "../../adapters/http/repeat.ts";

interface Watching {
  readonly telemetry: Telemetry;
  /** The work is this process's, and no other one's. */
  readonly isOurs: () => boolean;
}

/**
 * Does each work again and again while it is ours; what fails is told under its name and made good by the next time. The
 * same reason is told once, until the work succeeds or fails for another one.
 */
export function schedule(
  pauseMs: number,
  { telemetry, isOurs }: Watching,
  works: Readonly<Record<string, () => Promise<void>>>,
): { stop(): Promise<void> } {
  const ticks = Object.entries(works).map(([name, work]) => {
    let told: string | undefined;
    const tell = (because: string | undefined) => {
      if (because !== undefined && because !== told) telemetry.log("", name, because);
      told = because;
    };
    return repeat(pauseMs, async () => {
      if (isOurs())
        await work().then(
          () => tell(undefined),
          (error: Error) => tell(error.message),
        );
    });
  });
  return { stop: async () => void (await Promise.all(ticks.map((tick) => tick.stop()))) };
}
