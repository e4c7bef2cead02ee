import { type Binary, constantOf, type Expression, selectorsOf } from "./expression.ts";

export type Comparison = ">" | ">=" | "<" | "<=" | "==" | "!=";

interface Bound {
  readonly comparison: Comparison;
  readonly limit: number;
}

/** What is measured, and the line that it must not cross. A band has a second line: both must hold, or either. */
export interface Threshold extends Bound {
  readonly query: string;
  readonly and?: Bound;
  readonly or?: Bound;
}

/** When an alert fires, as far as it can be measured. */
export interface Condition {
  /** The rule's whole query: it has a series of the workload exactly while the condition holds. */
  readonly query: string;
  /** The first number that something measured is compared with. */
  readonly threshold?: Threshold;
  /** True where this threshold is the whole condition: then its metric alone tells whether the condition holds. */
  readonly exact: boolean;
  /** The scrape job that exposes what is measured first, where it is known. */
  readonly job?: string;
  /** What a share is taken of: while it has a value for the workload, a share without one is zero and not unmeasured. */
  readonly whole?: string;
  /** What the query compares and combines: while each of them has a value for the workload, no series means "no". */
  readonly parts?: readonly string[];
}

/**
 * Reads what a rule's query measures. One that compares with no number, or that cannot be read, is measured by the query
 * itself. `alertJob` is the scrape job that the alert's labels name.
 */
export function conditionOf(
  { query, expression }: { readonly query: string; readonly expression: Expression | undefined },
  alertJob?: string,
): Condition {
  if (expression === undefined) return { query, exact: false };
  const { threshold, exact } = judged(expression);
  const [first] = selectorsOf(expression);
  const named = first?.matchers.find(({ label, operator }) => label === "job" && operator === "=")?.value;
  const job = named ?? alertJob;
  const whole = wholeIn(expression);
  const parts = exact ? [] : partsOf(expression);
  return {
    ...{ query, exact },
    ...(threshold && { threshold }),
    ...(job === undefined ? {} : { job }),
    ...(whole === undefined ? {} : { whole }),
    ...(parts.length === 0 || parts.length > mostParts ? {} : { parts }),
  };
}

// Each part is a question of its own at every look.
const mostParts = 6;

/** The operands without the comparisons that filter them. What follows `unless` may be absent: the left side passes then. */
function partsOf(expression: Expression): readonly string[] {
  if (constantOf(expression) !== undefined) return [];
  if (expression.kind !== "binary") return [expression.text];
  const { operator, left, right, text } = expression;
  if (operator === "unless") return partsOf(left);
  const combines = operator === "and" || operator === "or" || isComparison(operator);
  return combines ? [...new Set([...partsOf(left), ...partsOf(right)])] : [text];
}

/**
 * `failed / all > 0.05`, `100 * (failed / all) > 5`: counters of failures may not exist before the first one, and a filter
 * like `up == 0` leaves nothing of what is well; those of all do.
 */
function wholeIn(expression: Expression): string | undefined {
  if (expression.kind !== "binary") return undefined;
  const { operator, left, right } = expression;
  if (operator === "/" && constantOf(right) === undefined) return right.text;
  return wholeIn(operator === "*" && constantOf(left) !== undefined ? right : left);
}

/**
 * Has a value while another party than the namespace itself exposes what is measured, and is scraped: an empty answer is
 * then a "no". What the namespace's own pods expose is gone when they are: there an empty answer says nothing.
 */
export function sourceQuery(job: string, namespace: string): string {
  const [of, here] = [`job=${JSON.stringify(job)}`, JSON.stringify(namespace)];
  return `count(up{${of},namespace!=${here}} == 1) unless count(up{${of},namespace=${here}})`;
}

/** True when the value is on the alerting side. */
export function crosses(threshold: Omit<Threshold, "query">, value: number): boolean {
  const { and, or } = threshold;
  if (or !== undefined && beyond(or, value)) return true;
  return beyond(threshold, value) && (and === undefined || beyond(and, value));
}

/** The line for people: `> 0.9 and < 1`. */
export function renderThreshold({ comparison, limit, and, or }: Omit<Threshold, "query">): string {
  const shown = (bound: Bound) => `${bound.comparison} ${Number(bound.limit.toPrecision(12))}`;
  const second = and ?? or;
  const more = second && ` ${and ? "and" : "or"} ${shown(second)}`;
  return `${shown({ comparison, limit })}${more ?? ""}`;
}

function beyond({ comparison, limit }: Bound, value: number): boolean {
  switch (comparison) {
    case ">":
      return value > limit;
    case ">=":
      return value >= limit;
    case "<":
      return value < limit;
    case "<=":
      return value <= limit;
    case "==":
      return value === limit;
    case "!=":
      return value !== limit;
  }
}

interface Judged {
  readonly threshold?: Threshold;
  readonly exact: boolean;
}

const unknown: Judged = { exact: false };

function judged(expression: Expression): Judged {
  if (expression.kind !== "binary") return unknown;
  const { operator, left, right } = expression;
  if (isComparison(operator)) return compared(expression, operator);
  if (operator !== "and" && operator !== "or" && operator !== "unless") return unknown;
  const [first, second] = [judged(left), judged(right)];
  const { threshold } = first;
  if (threshold === undefined) return unknown;
  const band = operator === "unless" ? undefined : bandOf(operator, first, second);
  return band ?? { threshold, exact: false };
}

function compared({ left, right, bool }: Binary, operator: Comparison): Judged {
  const [low, high] = [constantOf(left), constantOf(right)];
  // With `bool` every series passes, whatever it is compared with: the comparison is no condition.
  if (bool || (low === undefined) === (high === undefined)) return unknown;
  const measured = high === undefined ? right : left;
  const bound = { comparison: high === undefined ? mirrored[operator] : operator, limit: high ?? low ?? 0 };
  // `x > 0.9 < 1` compares what the first comparison lets pass.
  const inner = judged(measured);
  if (inner.threshold !== undefined && measured.kind === "binary" && isComparison(measured.operator))
    return inner.threshold.and || inner.threshold.or
      ? { threshold: inner.threshold, exact: false }
      : { threshold: { ...inner.threshold, and: bound }, exact: inner.exact };
  const passed = passedBy(measured);
  return { threshold: { query: passed.text, ...bound }, exact: passed === measured };
}

/** The operand whose values come through: the left one of `and` and `unless`. */
function passedBy(expression: Expression): Expression {
  const filters = expression.kind === "binary" && ["and", "unless"].includes(expression.operator);
  return filters ? passedBy(expression.left) : expression;
}

/** Two lines for one and the same metric are one band. */
function bandOf(operator: "and" | "or", first: Judged, second: Judged): Judged | undefined {
  const [a, b] = [first.threshold, second.threshold];
  if (!first.exact || !second.exact || a === undefined || b === undefined) return undefined;
  if (squeezed(a.query) !== squeezed(b.query) || a.and || a.or || b.and || b.or) return undefined;
  const bound = { comparison: b.comparison, limit: b.limit };
  return { threshold: { ...a, [operator]: bound }, exact: true };
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, "");
}

const mirrored = { ">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!=" } as const;

function isComparison(operator: string): operator is Comparison {
  return operator in mirrored;
}
