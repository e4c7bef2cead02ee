import { oncePer } from "./once-per.ts";
import { labelKey, type Labels, type Sample, type SeriesStore } from "./series-store.ts";
import { evaluate, itemsOf } from "./promql/evaluate.ts";
import { parsePromql } from "./promql/parse.ts";
import { withoutName } from "./promql/value.ts";

/** An alerting rule of the lab. Texts may hold `{{ $labels.name }}` and `{{ $value }}`. */
export interface LabRule {
  readonly alert: string;
  readonly expr: string;
  readonly forMs: number;
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface ActiveAlert {
  readonly rule: LabRule;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: "pending" | "firing";
  /** When the condition began to hold, and when the alert began to fire; Unix milliseconds. */
  readonly activeAt: number;
  readonly firedAt: number | undefined;
  readonly value: number;
}

/** What the lab watches unless it is told otherwise. The windows suit incidents of seconds. */
export function defaultRules(window = "3s", forMs = 500): LabRule[] {
  const inbound = `direction="inbound"`;
  const responses = (more: string) =>
    `sum by (namespace, deployment) (rate(response_total{${inbound}${more}}[${window}]))`;
  const buckets = `sum by (namespace, deployment, le) (rate(response_latency_ms_bucket{${inbound}}[${window}]))`;
  return [
    {
      alert: "HighRequestLatency",
      expr: `histogram_quantile(0.99, ${buckets}) > 300`,
      forMs,
      labels: { severity: "critical" },
      annotations: {
        summary: "{{ $labels.deployment }} in {{ $labels.namespace }} answers slowly",
        description: "The 99th percentile of the latency is {{ $value }} ms, the limit is 300 ms.",
      },
    },
    {
      alert: "HighErrorRate",
      expr: `${responses(`,classification="failure"`)} / ${responses("")} > 0.05`,
      forMs,
      labels: { severity: "critical" },
      annotations: { summary: "{{ $labels.deployment }} in {{ $labels.namespace }} fails" },
    },
    {
      alert: "PredictiveSaturation",
      // A step in the load looks like a steep trend for a moment: only what grew all the time counts.
      expr:
        "(predict_linear(deployment:cpu_use:ratio[10s], 20) and " +
        "(min_over_time(deriv(deployment:cpu_use:ratio[4s])[8s:1s]) > 0.004)) > 0.95",
      forMs: 2 * forMs,
      labels: { severity: "warning" },
      annotations: { summary: "{{ $labels.deployment }} in {{ $labels.namespace }} will run out of CPU" },
    },
  ];
}

/** What the lab records for its rules: cores used by cores requested. */
export function recordedSamples(store: SeriesStore, atMs: number, window = "3s"): Sample[] {
  const toDeployment = (inner: string) =>
    `sum by (namespace, deployment) (label_replace(${inner}, "deployment", "$1", "pod", "(.+)-[a-z0-9]+-[a-z0-9]+"))`;
  const used = toDeployment(`rate(container_cpu_usage_seconds_total{container!=""}[${window}])`);
  const requested = toDeployment(`kube_pod_container_resource_requests{resource="cpu"}`);
  const value = evaluate(parsePromql(`${used} / ${requested}`), { store, atMs, lookbackMs: 5_000 });
  return itemsOf(value).map((item) => ({ name: "deployment:cpu_use:ratio", labels: item.labels, value: item.value }));
}

/** One object for each alert, so that what hangs on its labels is worked out once. */
const alertLabels = oncePer((rule: LabRule) =>
  oncePer((own: Labels): Labels => ({ ...own, ...rule.labels, alertname: rule.alert })),
);

/** Evaluates the rules as Prometheus does: pending until `for` has passed, gone as soon as the condition is. */
export function evaluateRules(
  rules: readonly LabRule[],
  before: readonly ActiveAlert[],
  { store, atMs }: { readonly store: SeriesStore; readonly atMs: number },
): ActiveAlert[] {
  const known = new Map(before.map((alert) => [`${alert.rule.alert} ${labelKey(alert.labels)}`, alert]));
  return rules.flatMap((rule) => {
    const items = itemsOf(evaluate(parsePromql(rule.expr), { store, atMs, lookbackMs: 5_000 }));
    return items.map((item): ActiveAlert => {
      const own = withoutName(item.labels);
      const labels = alertLabels(rule)(own);
      const earlier = known.get(`${rule.alert} ${labelKey(labels)}`);
      const activeAt = earlier?.activeAt ?? atMs;
      const firedAt = earlier?.firedAt ?? (atMs - activeAt >= rule.forMs ? atMs : undefined);
      const annotations = Object.fromEntries(
        Object.entries(rule.annotations).map(([name, text]) => [name, expanded(text, own, item.value)]),
      );
      const state = firedAt === undefined ? "pending" : "firing";
      return { rule, labels, annotations, state, activeAt, firedAt, value: item.value };
    });
  });
}

/** The series by which Prometheus shows its own alerts. */
export function alertSamples(alerts: readonly ActiveAlert[]): Sample[] {
  return alerts.map(({ labels, state }) => ({ name: "ALERTS", labels: inState[state](labels), value: 1 }));
}

const inState = { pending: withState("pending"), firing: withState("firing") };

function withState(alertstate: ActiveAlert["state"]): (labels: Labels) => Labels {
  return oncePer((labels: Labels): Labels => ({ ...labels, alertstate }));
}

function expanded(text: string, labels: Labels, value: number): string {
  return text
    .replace(/\{\{\s*\$labels\.(\w+)\s*\}\}/g, (_, name: string) => labels[name] ?? "")
    .replace(/\{\{\s*\$value\s*\}\}/g, String(Number(value.toPrecision(4))));
}
