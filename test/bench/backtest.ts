/**
 * Backtest over 500 incidents of a loopback Prometheus without a limit, policies off.
 * One JSON object: incidents, questions, seconds, and what the same would take at 10 questions a second.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manyStories } from "../../src/lab/scenarios/backtest/past-stories.ts";
import { openPastWorld } from "../../src/lab/scenarios/backtest/past-world.ts";
import { playPastWorld } from "../../src/lab/scenarios/backtest/play-past.ts";
import { reportOf } from "../../src/domain/backtest/report.ts";

const wanted = Number(process.argv[2] ?? 500);
const directory = mkdtempSync(join(tmpdir(), "rectify-backtest-"));
const { stories, days } = manyStories(wanted);
const written = performance.now();
const world = await openPastWorld({ directory, days, stories, guardrails: "namespaces: [shop]\n" });
try {
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const { records } = await playPastWorld(world, { directory });
  const seconds = (performance.now() - begun) / 1000;
  const { verdicts } = reportOf({ records, from: "", to: "" });
  const used = process.cpuUsage(cpu);
  console.log(
    JSON.stringify({
      ...{ incidents: records.length, days, questions: world.asked.length, seconds: Number(seconds.toFixed(1)) },
      ...{ cpuSeconds: Number(((used.user + used.system) / 1e6).toFixed(1)), verdicts },
      atTenPerSecondMinutes: Number((world.asked.length / 10 / 60).toFixed(1)),
      historyWrittenSeconds: Number(((begun - written) / 1000).toFixed(1)),
    }),
  );
} finally {
  await world.close();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
