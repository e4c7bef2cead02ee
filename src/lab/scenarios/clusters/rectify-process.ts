import { type Rectify, startRectify } from "../../../main.ts";
import type { Settings } from "../../../settings/settings.ts";

// A second Rectify: the durable engine takes one process for itself. Its parent gives the settings and is told what happens.

/** What the second process says. */
export type Said =
  | { readonly kind: "ready"; readonly internalPort: number }
  | { readonly kind: "told"; readonly incident: string; readonly verb: string; readonly text: string }
  | { readonly kind: "failed"; readonly because: string };

process.noDeprecation = true;
const say = (said: Said) => void (process.connected && process.send?.(said));
let starting: Promise<Rectify> | undefined;

process.once("message", (settings: Settings) => {
  starting = startRectify(settings, { log: (incident, verb, text) => say({ kind: "told", incident, verb, text }) });
  starting.then(
    ({ internalPort }) => say({ kind: "ready", internalPort }),
    (error: Error) => say({ kind: "failed", because: error.message }),
  );
});
// Its database is a process, too: without its parent it ends in order. A signal for the whole group is the parent's.
process.on("disconnect", () => void close());
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);

async function close(): Promise<never> {
  const rectify = await starting?.catch(() => undefined);
  await rectify?.close().catch(() => undefined);
  process.exit(0);
}
