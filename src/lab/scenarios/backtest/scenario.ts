import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reportOf } from "../../../domain/backtest/report.ts";
import { forgeWrites } from "../../forge/writes.ts";
import type { LabPrinter } from "../../printer.ts";
import { pastTroubles } from "./past-troubles.ts";
import { openPastWorld } from "./past-world.ts";
import { runPastWorld } from "./run-past.ts";
import { openReadingForge } from "./reading-forge.ts";

const days = 14;

/** Runs the backtest over two weeks of known truth; the answer is what is not as it should be. */
export async function runBacktest({ say }: LabPrinter): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), "rectify-lab-"));
  say("lab", `writes ${days} days of history: metrics, alerts, logs and commits`);
  const world = await openPastWorld({ directory, days, troubles: pastTroubles, guardrails: "namespaces: [shop]\n" });
  const { forge } = await openReadingForge(join(directory, "forge"), world.repository);
  try {
    say("lab", `Prometheus on ${world.prometheus}, Loki on ${world.loki}, Git on ${forge.cloneUrl}`);
    const remote = { url: forge.cloneUrl, authorization: forge.fetchAuthorization() };
    const { records, unplaced } = await runPastWorld(world, { directory, remote });
    for (const { startedAt, alert, workload, verdict } of records)
      say("backtest", `${startedAt.slice(0, 16)} ${alert} of ${workload}: ${verdict.kind}, ${verdict.because}`);
    const { verdicts } = reportOf({ records, from: world.from.toISOString(), to: world.to.toISOString() });
    say("backtest", `${records.length} incidents: ${JSON.stringify(verdicts)}; ${world.asked.length} questions`);
    const methods = new Set(world.asked.map((asked) => asked.split(" ")[0]));
    return [
      ...wrongIn(records, world.from),
      ...(unplaced.length === 0 ? [] : [`${unplaced.length} alerts lead nowhere`]),
      ...([...methods].join() === "GET" ? [] : [`it asked by ${[...methods].join(", ")}`]),
      ...forgeWrites(forge).map((write) => `it tried to write: ${write}`),
      ...(forge.gitCalls.length > 0 ? [] : ["the forge was never asked"]),
    ];
  } finally {
    await forge.close();
    await world.close();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

type Ran = Awaited<ReturnType<typeof runPastWorld>>["records"];

/** Each trouble once, with its verdict, and the lead to the second. */
function wrongIn(records: Ran, from: Date): string[] {
  const count =
    records.length === pastTroubles.length ? [] : [`${records.length} incidents, not ${pastTroubles.length}`];
  const wrong = pastTroubles.flatMap((trouble, index): string[] => {
    const record = records[index];
    if (record === undefined) return [`day ${trouble.day} was not found`];
    const { verdict, would } = record;
    const name = `day ${trouble.day}, ${trouble.workload}`;
    const begun = from.getTime() + trouble.day * 86_400_000 + 10 * 3_600_000;
    const at = would.kind === "proposed" ? Date.parse(would.at) : Number.NaN;
    const lead = trouble.person && begun + trouble.person.at * 60_000 - at;
    const compares = trouble.truth === "earlier" || trouble.truth === "agreed";
    return [
      ...(record.workload.endsWith(`/${trouble.workload}`) ? [] : [`${name}: found ${record.workload}`]),
      ...(verdict.kind === trouble.truth ? [] : [`${name}: ${verdict.kind}, not ${trouble.truth}: ${verdict.because}`]),
      ...(!compares || verdict.leadMs === lead ? [] : [`${name}: a lead of ${verdict.leadMs}, not ${lead}`]),
    ];
  });
  return [...count, ...wrong];
}
