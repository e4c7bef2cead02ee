import {
  isWatching,
  newWatchtower,
  nextWatchtower,
  readWatchtower,
  renderWatchtower,
  type Watchtower,
  type WatchtowerEvent,
  type WatchtowerLimits,
} from "../../../domain/guardrails/watchtower.ts";
import type { Clock, Telemetry } from "../../../ports/runtime.ts";
import type { WatchtowerMode } from "../../../ports/records.ts";
import { known } from "../../../ports/errors.ts";

/** Where the mode is kept, so that a restart does not end it. */
interface WatchtowerRecord {
  readWatchtower(): Promise<unknown>;
  saveWatchtower(state: Watchtower): Promise<void>;
}

interface WatchtowerOptions {
  readonly record: WatchtowerRecord;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly limits?: WatchtowerLimits | undefined;
}

/** The one state of the mode: hears events, keeps it on record, tells once when it begins and once when it ends. */
export async function openWatchtower(options: WatchtowerOptions): Promise<WatchtowerMode> {
  const { record, clock, telemetry, limits } = options;
  const now = () => clock.now().getTime();
  const stored = await record.readWatchtower();
  let state = stored === undefined ? newWatchtower(now()) : readWatchtower(stored, now());
  let saving: Promise<void> = Promise.resolve();
  return {
    state: () => state,
    record: (event: WatchtowerEvent) => {
      const before = state;
      state = nextWatchtower(before, event, now(), limits);
      if (isWatching(state) !== isWatching(before)) telemetry.log("", "watchtower", renderWatchtower(state));
      const kept = state;
      // A state that could not be written now is written with the next event.
      saving = Promise.allSettled([saving]).then(() => known(() => record.saveWatchtower(kept)));
    },
    saved: () => saving,
  };
}
