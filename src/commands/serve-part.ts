import { type Faults, openFaults, stopOnce, watchProcess } from "../server/observability/faults.ts";
import type { Said } from "../server/several/part.ts";
import { withoutSecrets } from "../settings/redaction.ts";
import type { Settings } from "../settings/settings.ts";
import type { Telemetry } from "../ports/runtime.ts";

/** A running Rectify, as far as this command has to do with it. */
export interface Running {
  readonly webhookPort: number;
  readonly internalPort: number;
  readonly pagesPort: number;
  readonly lost: Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Serves one of several repositories for the process that started this one: settings come from it, and all that is told
 * goes to it. Without it this process ends in order.
 */
export function servePart(start: (settings: Settings, telemetry: Telemetry, faults: Faults) => Promise<Running>): void {
  const say = (said: Said) => void (process.connected && process.send?.(said));
  let starting: Promise<Running> | undefined;
  const end = stopOnce(async () => (await starting)?.close(), process.exit);
  process.on("disconnect", () => end(0));
  // A signal for the whole group is for the process that started this one.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  process.once("message", (settings: Settings) => {
    const inOneLine = withoutSecrets(settings, 4_000);
    const log: Telemetry["log"] = (incident, verb, text) => say({ kind: "told", incident, verb, text });
    const faults = openFaults({ log: (incident, verb, text) => log(incident, verb, inOneLine(text)) });
    watchProcess(process, faults, { end: () => end(1), now: Date.now });
    starting = start(settings, { log }, faults);
    starting.then(
      (rectify) => {
        const { webhookPort: webhooks, internalPort: internal, pagesPort: pages } = rectify;
        say({ kind: "ready", ports: { webhooks, internal, pages } });
        void rectify.lost.then(() => end(1));
      },
      (error: Error) => say({ kind: "failed", because: inOneLine(error.message) }),
    );
  });
}
