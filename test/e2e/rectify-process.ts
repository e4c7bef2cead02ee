import type { Telemetry } from "../../src/ports/runtime.ts";
import { startRectify, type Rectify } from "../../src/main.ts";
import type { Settings } from "../../src/settings/settings.ts";
import type { Answer, Question, Report } from "./rectify.ts";

// Rectify in a process of its own, as in production: its parent gives the settings, hears the scenario and asks the store.

process.noDeprecation = true;
const send = (report: Report | Answer) => void (process.connected && process.send?.(report));
const telemetry: Telemetry = {
  log: (incident, verb, text) => send({ kind: "told", incident, verb, text }),
};
let starting: Promise<Rectify> | undefined;

process.on("message", (message: Settings | Question) => {
  void ("ask" in message ? answer(message) : start(message)).catch((error: Error) => {
    send({ kind: "failed", because: error.message });
  });
});
// Without its parent it ends in order: its database is a process, too. A signal for the whole group is the parent's.
process.on("disconnect", () => void close());
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);

async function start(settings: Settings): Promise<void> {
  starting = startRectify(settings, telemetry);
  const { webhookPort, internalPort } = await starting;
  send({ kind: "ready", webhookPort, internalPort });
}

async function answer({ id, ask, about }: Question): Promise<void> {
  if (ask === "close") return close();
  const store = (await starting)?.store;
  const asked = {
    incident: () => store?.incident(String(about)),
    workflowOfPull: () => store?.workflowOfPull(Number(about)),
    pendingFiles: () => store?.pendingFiles(),
  };
  send({ kind: "answer", id, value: await asked[ask]() });
}

async function close(): Promise<never> {
  const rectify = await starting?.catch(() => undefined);
  await rectify?.close().catch(() => undefined);
  process.exit(0);
}
