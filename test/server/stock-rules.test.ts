import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Durable } from "../../src/adapters/dbos/durable.ts";
import { connectTo } from "../../src/adapters/postgres/query.ts";
import { openStore } from "../../src/adapters/postgres/store.ts";
import { settleAlerts } from "../../src/server/intake/settle-deliveries.ts";
import { aDelivery, anAlert } from "../builders.ts";
import { migratedDatabase } from "../postgres.ts";
import { type AlertRule, concernsWorkload, labelsFor, rulesIn } from "../rules/alert-rules.ts";
import { concernsEverywhere, figuresOf, judgeRule } from "../rules/judge-rules.ts";

/** Rules of the shapes that stock installations have: by a pod, an autoscaler, a job, a service, a node, nothing. */
const ownRules: readonly AlertRule[] = [
  { alert: "PodLoops", expr: 'max_over_time(kube_pod_container_status_waiting_reason{reason="X"}[5m]) >= 1' },
  {
    alert: "ScalerAtMaximum",
    expr: "kube_horizontalpodautoscaler_status_current_replicas == kube_horizontalpodautoscaler_spec_max_replicas",
  },
  { alert: "JobFails", expr: "kube_job_failed > 0" },
  {
    alert: "TargetsGone",
    expr: "100 * (count(up == 0) by (job, namespace, service) / count(up) by (job, namespace, service)) > 10",
  },
  { alert: "VolumeFills", expr: "kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes < 0.03" },
  { alert: "NodeGone", expr: 'kube_node_status_condition{condition="Ready",status="true"} == 0' },
  { alert: "ApiBurns", expr: "sum(apiserver:burnrate1h) > 0.14 and sum(apiserver:burnrate5m) > 0.14" },
  { alert: "AlwaysOn", expr: "vector(1)" },
];

const shared = "../shared/alerts";
const given = existsSync(shared)
  ? readdirSync(shared)
      .filter((file) => file.endsWith(".yaml"))
      .flatMap((file) => rulesIn(readFileSync(join(shared, file), "utf8")))
  : [];
const sets: readonly (readonly [string, readonly AlertRule[]])[] = [
  ["of our own, of the same shapes", ownRules],
  ...(given.length === 0 ? [] : ([["of a stock installation", given]] as const)),
];

test.each(sets)("rules %s: whoever they concern is led to and measured", async (_, rules) => {
  const judged = await Promise.all(rules.map(judgeRule));
  const figures = figuresOf(judged);
  expect(judged.filter(({ concerns, leads }) => concerns && !leads)).toEqual([]);
  expect(figures.silent).toBe(0);
  expect(figures.measuredShare).toBeGreaterThanOrEqual(0.9);
});

test.each(sets)("rules %s: through the real intake no alert is dropped without a word", async (_, rules) => {
  const url = await migratedDatabase();
  const store = await openStore(url);
  const started: string[] = [];
  const durable = {
    start: async (workflow: string) => void started.push(workflow),
    send: async () => undefined,
  } as unknown as Durable;
  // Rules of one name have labels of their own: so do their fingerprints.
  const alerts = rules.map((rule, index) =>
    anAlert({ name: rule.alert, labels: labelsFor(rule), fingerprint: `rule-${index}` }),
  );
  await store.accept("alerts", {}, Buffer.from(JSON.stringify(aDelivery(alerts))));
  await settleAlerts(
    {
      ...{ store, durable, cluster: "test", concerns: concernsEverywhere },
      ...{ telemetry: { log: () => undefined }, receive: async () => undefined, askSoon: () => undefined },
    },
    await store.claim("alerts", "me", 10),
  );
  const database = connectTo(url);
  const keys = async (text: string) => (await database.query(text)).rows.map((row) => String(row.fingerprint));
  const placed = await keys("select fingerprint from alert where incident is not null");
  const unplaced = await keys("select fingerprint from unplaced_alert where because <> '' and line <> ''");
  await Promise.all([database.close(), store.close()]);
  expect([...placed, ...unplaced].sort()).toEqual(alerts.map(({ fingerprint }) => fingerprint).sort());
  const concerned = alerts.filter(({ labels }) => concernsWorkload(labels)).map(({ fingerprint }) => fingerprint);
  expect(concerned.filter((fingerprint) => !placed.includes(fingerprint))).toEqual([]);
  expect(started.length).toBeGreaterThan(0);
});
