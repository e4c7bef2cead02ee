import { monitorEventLoopDelay } from "node:perf_hooks";
import { json } from "node:stream/consumers";
import { startRectify } from "../../dist/main.js";

/**
 * Rectify in a process of its own, as it is shipped (what compiles TypeScript at the start takes 100 MB of its own). It
 * tells its live heap, after a forced collection, and the pauses since it was up, whenever it gets SIGUSR2. From its standard input come the settings.
 */
const settings = await json(process.stdin);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const rectify = await startRectify(settings, { log: () => undefined });
const pauses = monitorEventLoopDelay({ resolution: 10 });
pauses.enable();
process.on("SIGUSR2", () => {
  // Before the collection that is forced here, and starved by what else runs on the machine as much as by ourselves.
  const pauseP99Ms = Math.round(pauses.percentile(99) / 1e6);
  const pauseMaxMs = Math.round(pauses.max / 1e6);
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const peakRss = maxRSS * 1024;
  const cpuS = (userCPUTime + systemCPUTime) / 1e6;
  const handles = process.getActiveResourcesInfo().length;
  tell({ live: heapUsed + external, rss, peakRss, cpuS, handles, pauseP99Ms, pauseMaxMs });
});
const { webhookPort, internalPort, pagesPort } = rectify;
tell({ webhookPort, internalPort, pagesPort });
process.once("SIGTERM", () => void rectify.close().then(() => process.exit(0)));
