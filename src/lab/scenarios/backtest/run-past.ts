import { join } from "node:path";
import { openMirror } from "../../../adapters/git-mirror.ts";
import { loki } from "../../../adapters/monitoring/loki.ts";
import { prometheus } from "../../../adapters/monitoring/prometheus.ts";
import { renderer } from "../../../adapters/cli-tools/renderer.ts";
import { openHistory } from "../../../adapters/past/history.ts";
import type { PastRecord } from "../../../domain/backtest/record.ts";
import type { PolicyEngine } from "../../../domain/gate/policy-report.ts";
import type { ChartTools } from "../../../domain/kubernetes/rendered.ts";
import { findPast, type PastFound, analyzePast } from "../../../flow/jobs/backtest/backtest.ts";
import { openPast } from "../../../server/jobs/backtest/past-ports.ts";
import type { PastWorldServers } from "./past-world.ts";

/** The waits of an ordinary installation. */
const pastTimings = {
  ...{ pollMs: 15_000, lookbackMs: 30 * 60_000, rateWindow: "5m", settleMs: 3 * 60_000, coolDownMs: 300_000 },
  ...{ lingerMs: 300_000, decideTimeoutMs: 1, syncTimeoutMs: 1, verifyTimeoutMs: 1, modelDeadlineMs: 1 },
  ...{ historyMs: 7 * 86_400_000, selfHealMs: 600_000 },
};

/** Runs the backtest over a past of the lab, as the command does. */
export async function runPastWorld(
  world: PastWorldServers,
  options: {
    readonly directory: string;
    /** Where the repository is fetched from instead of from the disk. */
    readonly remote?: { readonly url: string; readonly authorization: string };
    readonly overlay?: Record<string, string>;
    readonly policies?: PolicyEngine;
    /** For a past with charts. */
    readonly helm?: { readonly path: string; readonly charts: ChartTools };
    readonly tell?: (line: string) => void;
  },
): Promise<PastFound & { readonly records: readonly PastRecord[] }> {
  const mirror = openMirror({
    ...{ directory: join(options.directory, "mirror"), url: options.remote?.url ?? world.repository, freshMs: 60_000 },
    authorization: async () => options.remote?.authorization ?? "",
  });
  const cluster = "production";
  const past = openPast({
    metrics: prometheus({ url: world.prometheus, authorization: undefined }),
    logs: loki({ url: world.loki, authorization: undefined }),
    history: await openHistory(mirror, options.overlay ?? {}),
    ...{ renderer: renderer({ kubectl: null, kustomize: null, helm: options.helm?.path ?? null }) },
    ...{ cluster, clusterLabel: "cluster", timings: pastTimings, until: world.to, deliveredAfterMs: 30_000 },
    ...{ policies: options.policies, charts: options.helm?.charts },
    ...(options.tell ? { tell: options.tell } : {}),
  });
  const found = await findPast({
    ...{ cluster, from: world.from, to: world.to, metrics: past.metrics, concernAt: past.concernAt },
    ...{ lingerMs: pastTimings.lingerMs, stepSeconds: 30 },
  });
  const records: PastRecord[] = [];
  const analysis = {
    world: past,
    atOnce: 2,
    save: (record: PastRecord) => void records.push(record),
    tell: () => undefined,
  };
  const silent = await analyzePast(found.incidents, new Set(), analysis);
  if (silent.length > 0) throw new Error(`${silent.length} incidents found no answer`);
  return { ...found, records: records.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1)) };
}
