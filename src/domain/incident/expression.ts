/** A query of Prometheus, taken apart. `text` is the part of the query that it was read from, without outer parentheses. */
export type Expression =
  | { readonly kind: "number"; readonly value: number; readonly text: string }
  | Selector
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[]; readonly text: string }
  | Aggregation
  | Binary
  /** A subquery, an offset, a fixed time, a sign or a string: what matters here is only what is inside. */
  | { readonly kind: "other"; readonly of: readonly Expression[]; readonly text: string };

/** The series of one metric. `insertAt` is the place in the whole query where one more matcher goes. */
interface Selector {
  readonly kind: "selector";
  readonly metric: string | undefined;
  readonly matchers: readonly Matcher[];
  readonly insertAt: number;
  readonly insertAs: "first" | "next" | "braces";
  readonly text: string;
}

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

interface Aggregation {
  readonly kind: "aggregation";
  readonly operator: string;
  readonly by: readonly string[] | undefined;
  readonly args: readonly Expression[];
  readonly text: string;
}

export interface Binary {
  readonly kind: "binary";
  /** Small letters: `>`, `and`, `unless`, … */
  readonly operator: string;
  readonly left: Expression;
  readonly right: Expression;
  /** `bool` makes 0 and 1 of a comparison, which then lets everything pass. */
  readonly bool: boolean;
  readonly text: string;
}

/** Every selector of an expression, in the order of the text. */
export function selectorsOf(expression: Expression): readonly Selector[] {
  switch (expression.kind) {
    case "number":
      return [];
    case "selector":
      return [expression];
    case "binary":
      return [...selectorsOf(expression.left), ...selectorsOf(expression.right)];
    case "call":
    case "aggregation":
      return expression.args.flatMap(selectorsOf);
    case "other":
      return expression.of.flatMap(selectorsOf);
  }
}

/** The number that an expression of numbers comes to, such as `14.4 * 0.01`; undefined when series are in it. */
export function constantOf(expression: Expression): number | undefined {
  if (expression.kind === "number") return expression.value;
  if (expression.kind === "call") return constantCall(expression.name, expression.args);
  if (expression.kind !== "binary") return undefined;
  const [left, right] = [constantOf(expression.left), constantOf(expression.right)];
  return left === undefined || right === undefined ? undefined : calculated(expression.operator, left, right);
}

function constantCall(name: string, [only, ...others]: readonly Expression[]): number | undefined {
  const passes = (name === "vector" || name === "scalar") && only !== undefined && others.length === 0;
  return passes ? constantOf(only) : undefined;
}

function calculated(operator: string, left: number, right: number): number | undefined {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
    case "^":
      return left ** right;
    default:
      return undefined;
  }
}

/** The same query, asked only of series with this label: a matcher for each selector that does not name the label itself. */
export function narrowedTo(query: string, expression: Expression, label: string, value: string): string {
  const matcher = `${/^[a-zA-Z_]\w*$/.test(label) ? label : JSON.stringify(label)}=${JSON.stringify(value)}`;
  return selectorsOf(expression)
    .filter(({ matchers }) => matchers.every((known) => known.label !== label))
    .sort((a, b) => b.insertAt - a.insertAt)
    .reduce((text, { insertAt, insertAs }) => {
      const inserted = insertAs === "braces" ? `{${matcher}}` : insertAs === "first" ? matcher : `${matcher},`;
      return text.slice(0, insertAt) + inserted + text.slice(insertAt);
    }, query);
}
