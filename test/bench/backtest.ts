/**
 * Backtest over 500 incidents of a loopback Prometheus without a limit, with this project's policies where Kyverno is found.
 * One JSON object: incidents, questions, seconds, and what the same takes at 10 questions a second. Writing the history is
 * not in the seconds; the Prometheus that answers is this same process.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findKyverno, kyvernoEngine } from "../../src/adapters/cli-tools/kyverno.ts";
import type { PolicyEngine } from "../../src/domain/gate/policy-report.ts";
import { reportOf } from "../../src/domain/backtest/report.ts";
import { manyTroubles } from "../../src/lab/scenarios/backtest/past-troubles.ts";
import { openPastWorld } from "../../src/lab/scenarios/backtest/past-world.ts";
import { runPastWorld } from "../../src/lab/scenarios/backtest/run-past.ts";
import { kyvernoPlaces } from "../../src/server/policy-engine.ts";

const wanted = Number(process.argv[2] ?? 500);
const directory = mkdtempSync(join(tmpdir(), "rectify-backtest-"));
const { troubles, days } = manyTroubles(wanted);
const judged = { times: 0 };
const policies = await countedEngine(judged);
const written = performance.now();
const files = policies === undefined ? {} : policyFiles();
const world = await openPastWorld({ directory, days, troubles, guardrails: "namespaces: [shop]\n", files });
try {
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const { records } = await runPastWorld(world, { directory, ...(policies ? { policies } : {}) });
  const seconds = (performance.now() - begun) / 1000;
  const { verdicts } = reportOf({ records, from: "", to: "" });
  const used = process.cpuUsage(cpu);
  console.log(
    JSON.stringify({
      ...{ incidents: records.length, days, questions: world.asked.length, seconds: Number(seconds.toFixed(1)) },
      ...{ cpuSeconds: Number(((used.user + used.system) / 1e6).toFixed(1)), verdicts },
      proposed: records.filter(({ would }) => would.kind === "proposed").length,
      policyRuns: policies === undefined ? "no Kyverno" : judged.times,
      atTenPerSecondMinutes: Number((world.asked.length / 10 / 60).toFixed(1)),
      historyWrittenSeconds: Number(((begun - written) / 1000).toFixed(1)),
    }),
  );
} finally {
  await world.close();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

async function countedEngine(count: { times: number }): Promise<PolicyEngine | undefined> {
  const options = { ...kyvernoPlaces({}), timeoutMs: 60_000 };
  const found = await findKyverno(options);
  if (found.kind === "absent") return undefined;
  const engine = kyvernoEngine({ ...options, path: found.path });
  return {
    judge: (question) => {
      count.times += 1;
      return engine.judge(question);
    },
  };
}

function policyFiles(): Record<string, string> {
  const folder = fileURLToPath(new URL("../../policies/", import.meta.url));
  const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  // The same rules, for the namespace of this past.
  const text = (name: string) => readFileSync(join(folder, name), "utf8").replaceAll("shop-production", "shop");
  return Object.fromEntries(names.map((name) => [`policies/${name}`, text(name)]));
}
