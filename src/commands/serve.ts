import { logTelemetry } from "../adapters/telemetry/telemetry.ts";
import type { Telemetry } from "../ports/runtime.ts";
import { type Faults, openFaults, stopOnce, watchProcess } from "../server/observability/faults.ts";
import { partMark } from "../server/several/part.ts";
import { type Running, servePart } from "./serve-part.ts";
import { pagesPlace } from "../settings/pages.ts";
import { placesOf, preflight, silentSources } from "../settings/preflight.ts";
import { withoutSecrets } from "../settings/redaction.ts";
import { parseSettings, type Settings } from "../settings/settings.ts";
import { settingLines } from "../settings/settings-table.ts";
import { unknownVariables } from "../settings/variables.ts";

type Start = (settings: Settings, telemetry: Telemetry, faults: Faults) => Promise<Running>;

/** Runs the bot until a signal ends it. Every problem of the settings is told at once, before anything starts. */
export async function serveWith(startOne: Start, fail: (problems: readonly string[]) => never): Promise<void> {
  if (process.env[partMark] !== undefined && process.send !== undefined) return servePart(startOne);
  const settings = parseSettings(process.env);
  const problems = [...(settings.ok ? [] : settings.problems), ...(await preflight(placesOf(process.env)))];
  if (!settings.ok || problems.length > 0) return fail(problems);
  const telemetry = logTelemetry(undefined, (error) => faults.record("log", error));
  const names = settingLines().map(({ name }) => name);
  for (const problem of unknownVariables(process.env, names)) telemetry.log("", "serve", problem);
  const inOneLine = withoutSecrets(settings.value, 4_000);
  const faults = openFaults({ log: (incident, verb, text) => telemetry.log(incident, verb, inOneLine(text)) });
  // What a start has begun, such as a Postgres of its own, must not outlive it: it ends first.
  const begun: { running?: Promise<Running> } = {};
  const stop = stopOnce(async () => (await begun.running)?.close(), process.exit);
  watchProcess(process, faults, { end: () => stop(1), now: Date.now });
  const silent = await silentSources(process.env);
  const start = settings.value.repositories === undefined ? startOne : startEach;
  begun.running = start(settings.value, telemetry, faults);
  process.once("SIGTERM", () => stop(0));
  process.once("SIGINT", () => stop(0));
  const rectify = await begun.running.catch((error: Error) => fail([inOneLine(error.message), ...silent]));
  for (const problem of silent) telemetry.log("", "serve", problem);
  void rectify.lost.then(() => stop(1));
  telemetry.log(
    "",
    "serve",
    `webhooks on port ${rectify.webhookPort}, alerts on port ${rectify.internalPort}, ${pagesPlace(settings.value.pages, rectify.pagesPort)}`,
  );
}

/** A process for each repository. None of them is ever lost for good: one that ends is started again. */
async function startEach(settings: Settings, telemetry: Telemetry, faults: Faults): Promise<Running> {
  const { repositories = [] } = settings;
  const { serveSeveral } = await import("../server/several/serve.ts");
  const program = process.argv[1] ?? "";
  const several = await serveSeveral({ settings, repositories, telemetry, faults, program });
  return { ...several, lost: new Promise(() => undefined) };
}
