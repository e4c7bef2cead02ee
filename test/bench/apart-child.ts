import { readFileSync } from "node:fs";
import { startRectify } from "../../src/main.ts";
import type { Settings } from "../../src/settings/settings.ts";

/** Rectify in a process of its own that tells its live heap, after a forced collection, whenever it gets SIGUSR2. */
const settings = JSON.parse(readFileSync(0, "utf8")) as Settings;
const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
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
