import type { Expression } from "../../src/domain/incident/expression.ts";
import { parsePromql } from "../../src/adapters/monitoring/promql.ts";
import { parseYaml } from "../../src/manifests/yaml/yaml.ts";

/** One alerting rule as people publish it. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RuleFile {
  readonly groups?: readonly { readonly rules: readonly Partial<AlertRule>[] }[];
  readonly spec?: { readonly groups: readonly { readonly rules: readonly Partial<AlertRule>[] }[] };
}

/** The alerting rules of a file of Prometheus, or of a PrometheusRule. */
export function rulesIn(text: string): readonly AlertRule[] {
  const parsed = parseYaml(text);
  if (!parsed.ok) throw new Error("the rules cannot be read");
  const { groups, spec } = parsed.value as RuleFile;
  const rules = (groups ?? spec?.groups ?? []).flatMap((group) => group.rules);
  return rules.flatMap((rule) =>
    rule.alert === undefined || rule.expr === undefined ? [] : [{ ...rule, alert: rule.alert, expr: rule.expr }],
  );
}

const scraped = ["namespace", "pod", "container", "service", "endpoint", "instance", "job"];
/** What an exporter names its objects by, beside who scraped it. */
const families: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^(kube_pod_container|kube_pod_init_container|container)_/, ["namespace", "pod", "container"]],
  [/^kubelet_volume_/, ["namespace", "persistentvolumeclaim", "node"]],
  [/^kube_job_/, ["namespace", "job_name"]],
];
const ofKubeStateMetrics =
  /^kube_(pod|deployment|statefulset|daemonset|replicaset|cronjob|horizontalpodautoscaler|persistentvolumeclaim|ingress|service|poddisruptionbudget|resourcequota)_/;

function labelsOfMetric(metric: string | undefined): readonly string[] {
  if (metric === undefined || metric.includes(":")) return [];
  const family = families.find(([name]) => name.test(metric))?.[1];
  if (family !== undefined) return [...family, "instance", "job"];
  const kind = ofKubeStateMetrics.exec(metric)?.[1];
  if (kind !== undefined) return ["namespace", kind, "instance", "job"];
  if (/^kube_/.test(metric)) return ["node", "instance", "job"];
  return scraped;
}

/** The labels that the series of an expression have, by what it aggregates and selects. */
function labelsOf(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case "number":
      return [];
    case "selector": {
      const equal = expression.matchers.filter(({ operator }) => operator === "=").map(({ label }) => label);
      return [...labelsOfMetric(expression.metric), ...equal.filter((label) => label !== "__name__")];
    }
    case "aggregation": {
      const inside = expression.args.flatMap(labelsOf);
      const without = /^\w+\s*without\s*\(([^)]*)\)|without\s*\(([^)]*)\)\s*$/.exec(expression.text);
      const dropped = (without?.[1] ?? without?.[2] ?? "").split(",").map((label) => label.trim());
      if (without !== null || /^(topk|bottomk)/.test(expression.operator))
        return inside.filter((label) => !dropped.includes(label));
      return expression.by ?? [];
    }
    case "binary":
      return expression.left.kind === "number" ? labelsOf(expression.right) : labelsOf(expression.left);
    case "call":
      return /^(absent|absent_over_time|scalar|vector|time)$/.test(expression.name)
        ? []
        : expression.args.flatMap(labelsOf);
    case "other":
      return expression.of.flatMap(labelsOf);
  }
}

/** Names of labels that the alerts of a rule have: by its query, by its own labels, and by what its texts speak of. */
function labelNamesOf({ expr, labels = {}, annotations = {} }: AlertRule): readonly string[] {
  const expression = parsePromql(expr);
  const spoken = [
    ...Object.values(annotations)
      .join(" ")
      .matchAll(/\$labels\.([A-Za-z_]\w*)/g),
  ].map(([, name]) => name);
  const names = [...(expression === undefined ? [] : labelsOf(expression)), ...Object.keys(labels), ...spoken];
  return [...new Set(names)].filter((name) => name !== undefined).sort();
}

const naming = new Set([
  ...["deployment", "statefulset", "daemonset", "replicaset", "cronjob", "workload", "pod", "container", "job_name"],
  ...["horizontalpodautoscaler", "hpa", "scaledobject", "scaledObject", "verticalpodautoscaler"],
  ...["persistentvolumeclaim", "ingress", "service", "poddisruptionbudget"],
]);

/** Labels with values that Kubernetes could hold; those of the rule keep what it gives them. */
export function labelsFor(rule: AlertRule): Record<string, string> {
  const value = (name: string) => {
    if (name === "instance") return "10.0.0.7:8080";
    return name === "cluster" ? "test" : `some-${name.toLowerCase().replaceAll("_", "-")}`;
  };
  const made = Object.fromEntries(labelNamesOf(rule).map((name) => [name, value(name)]));
  return { ...made, ...rule.labels, alertname: rule.alert };
}

/** Whether the labels name a workload, or what belongs to one, and the namespace that it is in. */
export function concernsWorkload(labels: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(labels).map((label) => label.replace(/^exported_/, ""));
  return names.includes("namespace") && names.some((name) => naming.has(name));
}
