import { isRecord } from "../../../../domain/kubernetes/rendered.ts";
import { goFunction } from "./functions.ts";
import { NotUnderstood, type Operand, parseTemplate, type Part, type Pipe } from "./parse.ts";
import { isTextMap, isTrue, list, shown, type Value } from "./values.ts";

/** What a template is filled in with, and whether a key that is not there is an error (`missingkey=error`). */
interface Filling {
  readonly data: Readonly<Record<string, Value>>;
  readonly isStrict: boolean;
}

/** The text that Go makes of a template, or why nobody can tell it here, or why Go makes none. */
export type Filled = { readonly text: string } | { readonly text: undefined; readonly because: string };

export function filledIn(template: string, { data, isStrict }: Filling): Filled {
  try {
    const run: Run = { variables: [["$", data]], isStrict, steps: 0, length: 0 };
    return { text: written(run, parseTemplate(template), data) };
  } catch (error) {
    if (error instanceof NotUnderstood) return { text: undefined, because: error.message };
    // Parentheses nested deeper than any stack.
    if (error instanceof RangeError) return { text: undefined, because: "it is nested too deep" };
    throw error;
  }
}

interface Run {
  /** Inner ones last. */
  readonly variables: [string, Value][];
  readonly isStrict: boolean;
  steps: number;
  length: number;
}

// More than any real template asks for.
const mostSteps = 100_000;
const longestText = 1_000_000;

function written(run: Run, parts: readonly Part[], dot: Value): string {
  const outer = run.variables.length;
  const text = parts.map((part) => ofPart(run, part, dot)).join("");
  run.variables.length = outer;
  run.length += text.length;
  if (run.length > longestText) throw new NotUnderstood("too long a text");
  return text;
}

function ofPart(run: Run, part: Part, dot: Value): string {
  run.steps += 1;
  if (run.steps > mostSteps) throw new NotUnderstood("too many steps");
  if (part.kind === "text") return part.text;
  if (part.kind === "range") return ofRange(run, part, dot);
  const outer = run.variables.length;
  const value = valueOf(run, part.pipe, dot);
  if (part.kind === "print") return part.pipe.variables.length > 0 ? "" : shown(value);
  const inner = part.kind === "with" && isTrue(value) ? value : dot;
  const text = written(run, isTrue(value) ? part.then : part.otherwise, inner);
  run.variables.length = outer;
  return text;
}

function ofRange(run: Run, part: Extract<Part, { pipe: Pipe; then: unknown }>, dot: Value): string {
  const { variables, commands } = part.pipe;
  const value = valueOf(run, { variables: [], isNew: false, commands }, dot);
  const entries = entriesOf(value);
  if (entries.length === 0) return written(run, part.otherwise, dot);
  if (variables.length > 0 && !part.pipe.isNew) throw new NotUnderstood("a loop over variables that are there");
  const outer = run.variables.length;
  const texts = entries.map(([key, item]) => {
    const values = variables.length > 1 ? [key, item] : [item];
    for (const [n, name] of variables.entries()) run.variables.push([name, values[n]]);
    const text = written(run, part.then, item);
    run.variables.length = outer;
    return text;
  });
  return texts.join("");
}

/** Maps by their keys in order, as Go has it. */
function entriesOf(value: Value): readonly (readonly [Value, Value])[] {
  if (value === undefined || value === null) return [];
  const map = isTextMap(value) ? Object.fromEntries(value) : value;
  if (isRecord(map)) return Object.entries(map).sort(([one], [other]) => (one < other ? -1 : 1));
  return list(map).map((item, n) => [BigInt(n), item]);
}

function valueOf(run: Run, { variables, isNew, commands }: Pipe, dot: Value): Value {
  let piped: readonly Value[] = [];
  for (const command of commands) piped = [ofCommand(run, command, dot, piped)];
  const [value] = piped;
  const [name, other] = variables;
  if (other !== undefined) throw new NotUnderstood("two variables outside of a loop");
  if (name === undefined) return value;
  if (isNew) run.variables.push([name, value]);
  else variableOf(run, name)[1] = value;
  return value;
}

function ofCommand(run: Run, [head, ...rest]: readonly Operand[], dot: Value, piped: readonly Value[]): Value {
  if (head === undefined) throw new NotUnderstood("an empty command");
  if (head.kind !== "function") {
    if (rest.length + piped.length > 0) throw new NotUnderstood("a value that is called");
    if (head.kind === "value" && head.value === null) throw new NotUnderstood("nil alone");
    return ofOperand(run, head, dot);
  }
  if (head.name === "and" || head.name === "or") return chosen(run, head.name, { rest, dot, piped });
  const made = goFunction(head.name)(...rest.map((operand) => ofOperand(run, operand, dot)), ...piped);
  // A loop that appends a text to itself doubles it each time.
  if (typeof made === "string" && made.length > longestText) throw new NotUnderstood("too long a text");
  return made;
}

interface Given {
  readonly rest: readonly Operand[];
  readonly dot: Value;
  readonly piped: readonly Value[];
}

/** The first that decides; those behind it are not looked at. */
function chosen(run: Run, name: "and" | "or", { rest, dot, piped }: Given): Value {
  const all = [...rest.map((operand) => () => ofOperand(run, operand, dot)), ...piped.map((value) => () => value)];
  let value: Value;
  for (const next of all) {
    value = next();
    if (isTrue(value) === (name === "or")) break;
  }
  return value;
}

function ofOperand(run: Run, operand: Operand, dot: Value): Value {
  if (operand.kind === "value") return operand.value;
  if (operand.kind === "function") return goFunction(operand.name)();
  const { of, fields } = operand;
  const base = typeof of !== "string" ? valueOf(run, of, dot) : of === "" ? dot : variableOf(run, of)[1];
  return fields.reduce<Value>((value, field) => fieldOf(run, value, field), base);
}

function variableOf({ variables }: Run, name: string): [string, Value] {
  const found = variables.findLast(([one]) => one === name);
  if (found === undefined) throw new NotUnderstood(name);
  return found;
}

function fieldOf({ isStrict }: Run, value: Value, field: string): Value {
  const has = isTextMap(value) ? value.has(field) : isRecord(value) && Object.hasOwn(value, field);
  if (has) return isTextMap(value) ? value.get(field) : (value as Record<string, Value>)[field];
  if (isStrict || !isRecord(value)) throw new NotUnderstood(`no ${field}`);
  return undefined;
}
