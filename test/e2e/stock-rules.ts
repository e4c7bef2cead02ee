import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { at } from "../../src/lab/cluster/objects/kube-object.ts";
import { objectsIn } from "./definitions.ts";

type Rule = Readonly<Record<string, unknown>>;

interface Group {
  readonly name: string;
  readonly rules: readonly Rule[];
}

const given = fileURLToPath(new URL("../../../shared/alerts", import.meta.url));

const notReady = `sum by (namespace, pod) (
  max by (namespace, pod) (kube_pod_status_phase{job="kube-state-metrics",phase=~"Pending|Unknown"})
  * on (namespace, pod) group_left () max by (namespace, pod) (kube_pod_owner{owner_kind!="Job"})
) > 0`;
const warning = { severity: "warning" };

const down = `100 * (count by (job, namespace, service) (up == 0) / count by (job, namespace, service) (up)) > 10`;

/** Rules of the same shapes, where those of a stock installation are not given: by a pod, an autoscaler, a quota, a service. */
const ownRules: readonly Rule[] = [
  { alert: "PodStaysPending", expr: notReady, for: "15m", labels: warning },
  { alert: "TargetIsDown", expr: down, for: "10m", labels: warning },
  {
    ...{ alert: "AutoscalerAtMaximum", for: "15m", labels: warning },
    expr: "kube_horizontalpodautoscaler_status_current_replicas == kube_horizontalpodautoscaler_spec_max_replicas",
  },
  {
    ...{ alert: "QuotaIsFull", for: "15m", labels: warning },
    expr: `kube_resourcequota{type="used"} / ignoring (type) (kube_resourcequota{type="hard"} > 0) > 0.95`,
  },
];

/** What is loaded beside our own rules, and which of its alerts says that a pod is not ready, that nothing answers. */
interface StockRules {
  readonly groups: readonly Group[];
  readonly podNotReady: string;
  readonly targetDown: string;
}

/** The rules of a stock installation as they are, or ours of the same shapes where they are not given. */
export function stockRules(): StockRules {
  if (!existsSync(given))
    return {
      ...{ groups: [{ name: "stock", rules: ownRules }], podNotReady: "PodStaysPending", targetDown: "TargetIsDown" },
    };
  const files = readdirSync(given).filter((name) => name.endsWith(".yaml"));
  const groups = files
    .flatMap((name) => objectsIn(join(given, name)))
    .flatMap((object) => (at(object, "spec", "groups") ?? []) as readonly Group[]);
  return { groups, podNotReady: "KubePodNotReady", targetDown: "TargetDown" };
}

/** As they are loaded: with the waits of a scenario for one alert, or those of an installation for all. */
export function pacedGroups({ groups }: StockRules, quickAlert: string | undefined): object {
  const paced = (rule: Rule) => (quickAlert !== undefined && rule.alert === quickAlert ? { ...rule, for: "3s" } : rule);
  return {
    groups: groups.map(({ name, rules }) => {
      const isQuick = rules.some(({ alert }) => alert === quickAlert);
      return { name, interval: isQuick ? "1s" : "5s", rules: rules.map(paced) };
    }),
  };
}

/** By what each alert is known, as its rule gives it. */
export function alertsOf({
  groups,
}: StockRules): readonly { name: string; labels: Readonly<Record<string, string>> }[] {
  return groups.flatMap(({ rules }) =>
    rules.flatMap(({ alert, labels }) =>
      typeof alert === "string" ? [{ name: alert, labels: (labels ?? {}) as Readonly<Record<string, string>> }] : [],
    ),
  );
}
