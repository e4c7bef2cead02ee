import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { type PastRecord, readRecords } from "../../domain/backtest/record.ts";
import { productVersion } from "../../domain/incident/product-version.ts";
import type { Settings } from "../../settings/settings.ts";
import type { BacktestAsked } from "./options.ts";

interface Asked {
  readonly asked: Pick<BacktestAsked, "repository">;
  readonly guardrails: string;
  readonly stepSeconds: number;
}

/** Everything that an answer depends on beside the time: where one of it is another, each incident may come to another end. */
export function worldOf(
  settings: Settings,
  { asked, guardrails, stepSeconds }: Asked,
): Readonly<Record<string, unknown>> {
  const { cluster, clusterLabel, prometheus, loki, kubernetes, kyverno, chartHosts, timings, repository } = settings;
  return {
    ...{ version: productVersion, guardrails, place: asked.repository ?? `${repository.owner}/${repository.repo}` },
    ...{ cluster, clusterLabel, step: stepSeconds, timings },
    ...{ prometheus: sourceOf(prometheus), loki: loki && sourceOf(loki) },
    ...{ kubernetes: kubernetes.url, kubeconfig: process.env.KUBECONFIG, kyverno, chartHosts },
  };
}

/** The tenant is in the headers. What lets us in may be renewed, and is nothing to keep even a digest of. */
function sourceOf({ url, headers = {} }: Settings["prometheus"]) {
  return { url, headers: Object.entries(headers).filter(([name]) => !/auth|cookie|token|key|secret/i.test(name)) };
}

/** What is on record, and what comes to it. */
export interface Kept {
  all(): readonly PastRecord[];
  add(record: PastRecord): void;
}

/** One JSON object a line, written as soon as it is known: a restart goes on. Whoever asks of another world begins anew. */
export function openRecord(file: string, world: Readonly<Record<string, unknown>>): Kept {
  const head = JSON.stringify({ world: createHash("sha256").update(JSON.stringify(world)).digest("hex") });
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const goesOn = text.startsWith(`${head}\n`);
  if (!goesOn) writeFileSync(file, `${head}\n`);
  // A crash may have cut the last line short.
  if (goesOn && !text.endsWith("\n")) appendFileSync(file, "\n");
  const known = new Map((goesOn ? readRecords(text) : []).map((one) => [one.uid, one]));
  return {
    all: () => [...known.values()],
    add: (record) => {
      known.set(record.uid, record);
      appendFileSync(file, `${JSON.stringify(record)}\n`);
    },
  };
}
