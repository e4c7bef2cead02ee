import { loki } from "../../src/adapters/monitoring/loki.ts";
import { prometheus } from "../../src/adapters/monitoring/prometheus.ts";
import { conditionOf } from "../../src/domain/incident/condition.ts";
import { promQuestions } from "../../src/domain/evidence/prom-queries.ts";
import type { Workload } from "../../src/domain/kubernetes/workload.ts";
import { at } from "../../src/lab/cluster/objects/kube-object.ts";
import { until } from "../../src/lab/start.ts";
import type { Finding } from "./finding.ts";
import { alertsOf, stockRules } from "./stock-rules.ts";
import { quickRules, type Telemetry } from "./telemetry.ts";
import { namespace } from "./shop.ts";

const web: Workload = { kind: "Deployment", namespace, name: "web" };
const spanMs = 20_000;

function span() {
  const to = new Date();
  return [new Date(to.getTime() - spanMs), to] as const;
}

/** Every query of the collection, every alert rule and every recording rule, asked through our own adapter. */
export async function checkQueries({ prometheusUrl }: Telemetry): Promise<readonly Finding[]> {
  const metrics = prometheus({ url: prometheusUrl });
  const asked = async (what: string, query: string): Promise<Finding> => {
    const answer = await metrics.range(query, ...span()).catch((error: Error) => error);
    if (answer instanceof Error) return { what, wrong: answer.message, seen: "" };
    const points = answer.series.reduce((sum, { points: own }) => sum + own.length, 0);
    const seen = `${answer.series.length} series, ${points} points`;
    return { what, wrong: points > 0 ? undefined : "no data", seen };
  };
  const findings: Finding[] = [];
  for (const { key, dialects } of promQuestions(web, "5s")) {
    // Prometheus must understand all of them; the lab's shop speaks the first.
    const [spoken, ...others] = await Promise.all(dialects.map(({ query }) => asked(`collection: ${key}`, query)));
    findings.push(...[spoken].flatMap((one) => one ?? []), ...others.filter(({ wrong }) => wrong !== "no data"));
  }
  for (const { name, isAlert } of ruleNames()) {
    if (!isAlert) findings.push(await asked(`recording rule: ${name}`, name));
    else {
      const rule = await metrics.ruleOf({ name, labels: {}, generatorUrl: "" });
      const threshold = rule && conditionOf(rule).threshold;
      const what = `alert rule: ${name}`;
      findings.push(
        threshold ? await asked(what, threshold.query) : { what, wrong: "no threshold was read of it", seen: "" },
      );
    }
  }
  return [...findings, await stockFinding(metrics)];
}

/** Every stock rule as the real Prometheus holds it: found by its alert, and read. */
async function stockFinding(metrics: ReturnType<typeof prometheus>): Promise<Finding> {
  const alerts = alertsOf(stockRules());
  const unread: string[] = [];
  for (const { name, labels } of alerts) {
    const rule = await metrics.ruleOf({ name, labels, generatorUrl: "" });
    if (rule?.expression === undefined) unread.push(name);
  }
  const wrong = unread.length > 0 ? `not found or not read: ${unread.join(", ")}` : undefined;
  return { what: "stock rules", wrong, seen: `${alerts.length} alerts are loaded, found and read` };
}

function ruleNames(): readonly { readonly name: string; readonly isAlert: boolean }[] {
  const groups = at(quickRules(), "groups");
  return (Array.isArray(groups) ? groups : [])
    .flatMap((group): unknown[] => (at(group, "rules") as unknown[]) ?? [])
    .map((rule) => ({
      name: String(at(rule, "alert") ?? at(rule, "record")),
      isAlert: at(rule, "alert") !== undefined,
    }));
}

const limits: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
  ["all of them", {}, /^$/],
  ["max_entries_limit_per_query", { max_entries_limit_per_query: 100 }, /max entries limit per query exceeded/],
  ["max_query_length", { max_query_length: "10s" }, /query time range exceeds the limit/],
  ["max_query_lookback", { max_query_lookback: "5s" }, /nothing before .*lookback limit/],
];

/** The log lines of a workload under each of Loki's limits: what is cut must be told. */
export async function checkLogs({ lokiUrl, limitLoki }: Telemetry): Promise<readonly Finding[]> {
  if (lokiUrl === undefined) return [{ what: "Loki", wrong: "is not there", seen: "" }];
  const findings: Finding[] = [];
  for (const [name, limit, told] of limits) {
    if (name !== "all of them") await limitLoki(limit);
    findings.push(await lookedAt(`log lines, ${name}`, lokiUrl, told));
  }
  await limitLoki({});
  return findings;
}

async function lookedAt(what: string, url: string, told: RegExp): Promise<Finding> {
  const logs = loki({ url });
  const look = async () => {
    const answer = await logs.around(web, ...span()).catch((error: Error) => error);
    if (answer instanceof Error) return { lines: 0, notes: answer.message };
    return { lines: answer.lines.length, notes: answer.notes.join("; ") };
  };
  const isTold = (seen: { lines: number; notes: string }) =>
    told.test(seen.notes) && (seen.lines > 0 || told.source !== "^$");
  const last = await until(
    what,
    async () => {
      const seen = await look();
      return isTold(seen) ? seen : undefined;
    },
    15_000,
  ).catch(look);
  return {
    what,
    wrong: isTold(last) ? undefined : `it does not say ${told.source}`,
    seen: `${last.lines} lines${last.notes === "" ? "" : `: ${last.notes}`}`,
  };
}
