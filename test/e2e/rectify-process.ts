import type { Telemetry } from "../../src/ports.ts";
import { startRectify, type Rectify } from "../../src/main.ts";
import type { Settings } from "../../src/settings.ts";
import type { Answer, Question, Report } from "./rectify.ts";

// Rectify in a process of its own, as in production: its parent gives the settings, hears the story and asks the store.

process.noDeprecation = true;
const send = (report: Report | Answer) => void process.send?.(report);
const telemetry: Telemetry = {
  tell: (incident, verb, text) => send({ kind: "told", incident, verb, text }),
};
let rectify: Rectify | undefined;

process.on("message", (message: Settings | Question) => {
  void ("ask" in message ? answer(message) : start(message)).catch((error: Error) => {
    send({ kind: "failed", because: error.message });
  });
});
process.on("disconnect", () => process.exit(1));

async function start(settings: Settings): Promise<void> {
  rectify = await startRectify(settings, telemetry);
  const { webhookPort, internalPort } = rectify;
  send({ kind: "ready", webhookPort, internalPort });
}

async function answer({ id, ask, about }: Question): Promise<void> {
  if (ask === "close") {
    await rectify?.close();
    send({ kind: "answer", id, value: undefined });
    process.exit(0);
  }
  const store = rectify?.store;
  const asked = {
    incident: () => store?.incident(String(about)),
    workflowOfPull: () => store?.workflowOfPull(Number(about)),
    pendingFiles: () => store?.pendingFiles(),
  };
  send({ kind: "answer", id, value: await asked[ask]() });
}
