import { parser } from "@prometheus-io/lezer-promql";
import type { Binary, Expression, Matcher } from "../../domain/incident/expression.ts";

// The grammar is that of Prometheus itself, as its own editor uses it.
type Node = ReturnType<typeof parser.parse>["topNode"];

/** Reads a query of Prometheus; undefined where its grammar finds a mistake. */
export function parsePromql(query: string): Expression | undefined {
  if (query.length > longestQuery) return undefined;
  const tree = parser.parse(query);
  let sound = true;
  tree.iterate({
    enter: ({ type }) => {
      sound &&= !type.isError;
    },
  });
  const [only, ...others] = childrenOf(tree.topNode).filter(({ name }) => name !== "LineComment");
  return sound && only !== undefined && others.length === 0 ? expressionOf(only, query) : undefined;
}

// The reading recurses: nothing that people write by hand is longer.
const longestQuery = 20_000;

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

function textOf({ from, to }: Node, query: string): string {
  return query.slice(from, to);
}

function expressionOf(node: Node, query: string): Expression {
  const text = textOf(node, query);
  const children = childrenOf(node).filter(({ name }) => name !== "LineComment");
  switch (node.name) {
    case "ParenExpr":
      return children[0] === undefined ? { kind: "other", of: [], text } : expressionOf(children[0], query);
    case "NumberDurationLiteral":
      return { kind: "number", value: numberOf(text), text };
    case "VectorSelector":
      return selectorOf(node, query);
    case "MatrixSelector":
      return { kind: "other", of: operandsOf(children, query), text };
    case "UnaryExpr":
      return unaryOf(children, query, text);
    case "BinaryExpr":
      return binaryOf(children, query, text);
    case "FunctionCall":
      return {
        ...{ kind: "call", name: nameOf(children, "FunctionIdentifier", query), text },
        args: argumentsOf(children, query),
      };
    case "AggregateExpr":
      return {
        ...{ kind: "aggregation", operator: nameOf(children, "AggregateOp", query).toLowerCase(), text },
        ...{ by: groupingOf(children, query), args: argumentsOf(children, query) },
      };
    default:
      return { kind: "other", of: operandsOf(children, query), text };
  }
}

const operands = new Set([
  ...["ParenExpr", "NumberDurationLiteral", "VectorSelector", "MatrixSelector", "UnaryExpr", "BinaryExpr"],
  ...["FunctionCall", "AggregateExpr", "SubqueryExpr", "OffsetExpr", "StepInvariantExpr", "StringLiteral"],
]);

function operandsOf(children: readonly Node[], query: string): Expression[] {
  return children.filter(({ name }) => operands.has(name)).map((child) => expressionOf(child, query));
}

function argumentsOf(children: readonly Node[], query: string): Expression[] {
  const body = children.find(({ name }) => name === "FunctionCallBody");
  return body === undefined ? [] : operandsOf(childrenOf(body), query);
}

function nameOf(children: readonly Node[], name: string, query: string): string {
  const found = children.find((child) => child.name === name);
  return found === undefined ? "" : textOf(found, query);
}

function groupingOf(children: readonly Node[], query: string): readonly string[] | undefined {
  const modifier = children.find(({ name }) => name === "AggregateModifier");
  if (modifier === undefined || childrenOf(modifier)[0]?.name !== "By") return undefined;
  const labels = childrenOf(modifier).find(({ name }) => name === "GroupingLabels");
  return labels === undefined ? [] : childrenOf(labels).map((label) => unquoted(textOf(label, query)));
}

function unaryOf(children: readonly Node[], query: string, text: string): Expression {
  const [operand] = operandsOf(children, query);
  const isNegative = children[0] !== undefined && textOf(children[0], query) === "-";
  if (operand?.kind === "number") return { kind: "number", value: isNegative ? -operand.value : operand.value, text };
  return { kind: "other", of: operand === undefined ? [] : [operand], text };
}

function binaryOf(children: readonly Node[], query: string, text: string): Expression {
  const [left, right] = operandsOf(children, query);
  const [first, second] = children.filter(({ name }) => operands.has(name));
  if (left === undefined || right === undefined || !first || !second) return { kind: "other", of: [], text };
  const between = children.filter(({ from, to }) => from >= first.to && to <= second.from);
  const operator = between[0] === undefined ? "" : textOf(between[0], query).toLowerCase();
  // The grammar takes the sign of `-2 ^ 2` first, Prometheus the power: rather not read than read wrongly.
  if (operator === "^" && /^[+-]/.test(textOf(first, query))) return { kind: "other", of: [left, right], text };
  const bool = between.some(({ name }) => name === "BoolModifier");
  return { kind: "binary", operator, left, right, bool, text } satisfies Binary;
}

function selectorOf(node: Node, query: string): Expression {
  const children = childrenOf(node);
  const text = textOf(node, query);
  const name = children.find((child) => child.name === "Identifier");
  const braces = children.find((child) => child.name === "LabelMatchers");
  const inside = braces === undefined ? [] : childrenOf(braces);
  const quotedName = inside.find((child) => child.name === "QuotedLabelName");
  const matchers = inside.flatMap((child) => matcherOf(child, query));
  const metric = name === undefined ? quotedName && unquoted(textOf(quotedName, query)) : textOf(name, query);
  return {
    ...{ kind: "selector", matchers, text },
    metric: metric ?? matchers.find(({ label, operator }) => label === "__name__" && operator === "=")?.value,
    insertAt: braces === undefined ? node.to : braces.from + 1,
    insertAs: braces === undefined ? "braces" : inside.length === 0 ? "first" : "next",
  };
}

function matcherOf(node: Node, query: string): Matcher[] {
  if (node.name !== "UnquotedLabelMatcher" && node.name !== "QuotedLabelMatcher") return [];
  const [label, operator, value] = childrenOf(node).map((child) => textOf(child, query));
  if (label === undefined || operator === undefined || value === undefined) return [];
  return [{ label: unquoted(label), operator, value: unquoted(value) }];
}

function unquoted(text: string): string {
  if (!/^["'`]/.test(text)) return text;
  const inner = text.slice(1, -1);
  return text.startsWith("`") ? inner : inner.replace(/\\(.)/g, (_, escaped: string) => escapes[escaped] ?? escaped);
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

const units: Readonly<Record<string, number>> = {
  ...{ ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, y: 31_536_000 },
};

/** Numbers as Prometheus writes them: `1_000`, `0x1F`, `Inf`, and durations as seconds. */
function numberOf(text: string): number {
  if (/^[+-]?inf$/i.test(text)) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const plain = Number(text.replaceAll("_", ""));
  if (!Number.isNaN(plain) || /^nan$/i.test(text)) return plain;
  const parts = [...text.matchAll(/(\d+)(ms|[smhdwy])/g)];
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ""] ?? Number.NaN), 0);
}
