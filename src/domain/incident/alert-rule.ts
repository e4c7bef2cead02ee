import type { Alert } from "./alert.ts";
import type { Expression } from "./expression.ts";

/** An alerting rule as Prometheus has it loaded. */
export interface AlertRule {
  readonly name: string;
  readonly query: string;
  /** The query taken apart; undefined where it is none that can be read. */
  readonly expression: Expression | undefined;
  /** How long the condition must hold before the alert fires. */
  readonly forMs: number;
  /** What the rule puts on its alerts; texts may be templates. */
  readonly labels: Readonly<Record<string, string>>;
  /** What Prometheus itself says of it now: `firing`, `pending` or `inactive`. */
  readonly state?: string | undefined;
}

/** Which rule an alert came from. */
type RuleChoice =
  | { readonly kind: "rule"; readonly rule: AlertRule }
  | { readonly kind: "none"; readonly because: string };

/**
 * Several rules may have one name: the right one carries no label that the alert has otherwise, and of those it is the
 * one with the most labels in common, or the one that the alert itself links to.
 */
export function ruleFor(
  alert: Pick<Alert, "name" | "labels" | "generatorUrl">,
  rules: readonly AlertRule[],
): RuleChoice {
  const named = rules.filter(({ name }) => name === alert.name);
  if (named.length === 0) return { kind: "none", because: "Prometheus has no rule of that name" };
  const fitting = named.filter(({ labels }) => commonLabels(labels, alert.labels) !== undefined);
  const most = Math.max(...fitting.map(({ labels }) => commonLabels(labels, alert.labels) ?? 0));
  const best = fitting.filter(({ labels }) => commonLabels(labels, alert.labels) === most);
  const linked = best.filter(({ query }) => query === linkedQuery(alert.generatorUrl));
  const [rule, ...others] = linked.length > 0 ? linked : best;
  if (rule === undefined) return { kind: "none", because: "the labels of no rule of that name fit those of the alert" };
  if (others.some(({ query }) => query !== rule.query))
    return { kind: "none", because: `${others.length + 1} rules of that name fit the labels of the alert` };
  return { kind: "rule", rule };
}

/** How many of the rule's labels the alert has; undefined when it has one of them otherwise. */
function commonLabels(
  rule: Readonly<Record<string, string>>,
  alert: Readonly<Record<string, string>>,
): number | undefined {
  const fixed = Object.entries(rule).filter(([, value]) => !value.includes("{{"));
  const shared = fixed.filter(([label]) => alert[label] !== undefined);
  return shared.every(([label, value]) => alert[label] === value) ? shared.length : undefined;
}

/** Prometheus links each alert to its query. */
function linkedQuery(url: string): string | undefined {
  return URL.canParse(url) ? (new URL(url).searchParams.get("g0.expr") ?? undefined) : undefined;
}
