import { parsePromql } from "../../src/adapters/monitoring/promql.ts";
import { conditionOf } from "../../src/domain/incident/condition.ts";
import { resolveAlert } from "../../src/flow/collect/concerns/resolve-alert.ts";
import type { ClusterObjects } from "../../src/ports/kubernetes.ts";
import type { Concerns } from "../../src/ports/monitoring.ts";
import { anAlert } from "../builders.ts";
import { type AlertRule, concernsWorkload, labelsFor } from "./alert-rules.ts";

const target = { kind: "Deployment", name: "web" };

/** Whatever an alert names is there, and belongs to one Deployment. */
const everything: ClusterObjects = {
  find: async (type) => {
    if (type === "horizontalpodautoscaler" || type === "scaledobject" || type === "verticalpodautoscaler")
      return { target };
    if (type === "pod" || type === "replicaset") return { owner: target };
    if (type === "service" || type === "poddisruptionbudget" || type === "ingress") return { selector: "app=web" };
    return {};
  },
  pods: async ({ namespace = "some-namespace" }) => [
    {
      ...{ namespace, name: "some-pod", owner: target },
      ...{ containers: ["some-container"], claims: ["some-persistentvolumeclaim"] },
    },
  ],
};

/** Whom alerts concern in a cluster where everything is there that they name. */
export const concernsEverywhere: Concerns = {
  of: (alert) =>
    resolveAlert(alert, [], {
      ...{ objects: everything, metrics: { range: async () => ({ series: [], notes: [] }) } },
      clock: { now: () => new Date("2026-11-24T02:10:00Z") },
      ...{ cluster: "test", clusterLabel: "cluster" },
    }),
};

/** What comes of the alerts of a rule. */
export interface JudgedRule {
  readonly alert: string;
  /** By its labels alone, as people would say. */
  readonly concerns: boolean;
  readonly leads: boolean;
  /** Why it leads to none, with the line that would map it. */
  readonly told: string | undefined;
  /** `number`: a threshold was read. `query`: whether the rule's query has a series of the workload can be told. */
  readonly measured: "number" | "query" | "nothing";
}

/** The real resolver and the real reading of conditions on one rule. */
export async function judgeRule(rule: AlertRule): Promise<JudgedRule> {
  const labels = labelsFor(rule);
  const concern = await concernsEverywhere.of(anAlert({ name: rule.alert, labels }));
  const condition = conditionOf({ query: rule.expr, expression: parsePromql(rule.expr) });
  const { threshold, parts = [], whole, job } = condition;
  const byQuery = parts.length > 0 || whole !== undefined || job !== undefined;
  return {
    ...{ alert: rule.alert, concerns: concernsWorkload(labels), leads: concern.kind === "workload" },
    told: concern.kind === "nobody" ? `${concern.because}: ${concern.line}` : undefined,
    measured: threshold !== undefined ? "number" : byQuery ? "query" : "nothing",
  };
}

/** The bars of stock rules, as numbers. */
interface RuleFigures {
  readonly rules: number;
  readonly concern: number;
  /** Of those that concern a workload. */
  readonly lead: number;
  /** Led somewhere although their labels name nothing of a workload: what was scraped. */
  readonly scraped: number;
  readonly silent: number;
  readonly byNumber: number;
  readonly byQuery: number;
  /** Of those that lead to a workload, how many are measured at all. */
  readonly measuredShare: number;
}

export function figuresOf(judged: readonly JudgedRule[]): RuleFigures {
  const count = (holds: (one: JudgedRule) => boolean) => judged.filter(holds).length;
  const leading = count(({ leads }) => leads);
  const [byNumber, byQuery] = (["number", "query"] as const).map((by) =>
    count(({ leads, measured }) => leads && measured === by),
  ) as [number, number];
  return {
    ...{ rules: judged.length, concern: count(({ concerns }) => concerns) },
    lead: count(({ concerns, leads }) => concerns && leads),
    scraped: count(({ concerns, leads }) => !concerns && leads),
    silent: count(({ leads, told }) => !leads && (told === undefined || told.length < 20)),
    ...{ byNumber, byQuery },
    measuredShare: leading === 0 ? 1 : (byNumber + byQuery) / leading,
  };
}
