import { json } from "node:stream/consumers";
import { startRectify } from "../../dist/main.js";

/**
 * Rectify in a process of its own, as it is shipped (what compiles TypeScript at the start takes 100 MB of its own). It
 * tells its live heap, after a forced collection, whenever it gets SIGUSR2. From its standard input come the settings.
 */
const settings = await json(process.stdin);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const rectify = await startRectify(settings, { log: () => undefined });
process.on("SIGUSR2", () => {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const peakRss = maxRSS * 1024;
  const cpuS = (userCPUTime + systemCPUTime) / 1e6;
  tell({ live: heapUsed + external, rss, peakRss, cpuS, handles: process.getActiveResourcesInfo().length });
});
const { webhookPort, internalPort, pagesPort } = rectify;
tell({ webhookPort, internalPort, pagesPort });
process.once("SIGTERM", () => void rectify.close().then(() => process.exit(0)));
