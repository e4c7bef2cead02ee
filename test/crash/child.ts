import { readFileSync } from "node:fs";
import { startRectify } from "../../src/main.ts";
import type { Settings } from "../../src/settings/settings.ts";

/**
 * Rectify in a process of its own, which pulls the plug on itself: with SIGKILL, the first time that a step reaches a
 * point that is not in the list of points survived so far. The parent reads which point it was and starts the next.
 */
const { settings, survived, kill, only, tell } = JSON.parse(readFileSync(0, "utf8")) as {
  settings: Settings;
  survived: string[];
  kill: boolean;
  /** When given, the plug is pulled at this point alone. */
  only?: string;
  /** The step whose every begin is told. */
  tell?: string;
};
const known = new Set(survived);

const rectify = await startRectify(settings, {
  log: (incident, verb, text) => process.stdout.write(`${JSON.stringify({ incident, verb, text })}\n`),
  step: (workflow, name, phase) => {
    if (name === tell && phase === "begin") process.stdout.write(`${JSON.stringify({ looked: workflow })}\n`);
    const point = `${name}/${phase}`;
    if (!kill || known.has(point) || (only !== undefined && only !== point)) return;
    process.stdout.write(`${JSON.stringify({ point })}\n`);
    process.kill(process.pid, "SIGKILL");
  },
});
process.stdout.write(`${JSON.stringify({ webhookPort: rectify.webhookPort, internalPort: rectify.internalPort })}\n`);
void rectify.lost.then(() => process.exit(1));
process.on("SIGTERM", () => void rectify.close().then(() => process.exit(0)));
