import { json } from "node:stream/consumers";
import { startRectify } from "../../dist/main.js";

/**
 * Rectify in a process of its own, as it is shipped, which pulls the plug on itself: with SIGKILL, the first time that a
 * step reaches a point that is not in the list of points survived so far. The parent reads which point it was and starts
 * the next. From its standard input come the settings; `only`, when given, is the one point at which the plug is pulled;
 * `tell` is the step whose every begin is told.
 */
const { settings, survived, kill, only, tell } = await json(process.stdin);
const known = new Set(survived);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const starting = startRectify(settings, {
  log: (incident, verb, text) => say({ incident, verb, text }),
  step: (workflow, name, phase) => {
    if (name === tell && phase === "begin") say({ looked: workflow });
    const point = `${name}/${phase}`;
    if (!kill || known.has(point) || (only !== undefined && only !== point)) return;
    say({ point });
    process.kill(process.pid, "SIGKILL");
  },
});
// Also while it starts: what it began by then would outlive it.
const close = () => starting.then((rectify) => rectify.close());
process.on("SIGTERM", () => void close().finally(() => process.exit(0)));
const rectify = await starting;
say({ webhookPort: rectify.webhookPort, internalPort: rectify.internalPort });
void rectify.lost.then(() => process.exit(1));
