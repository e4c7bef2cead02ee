import { parseQuantity } from "../../domain/kubernetes/quantity.ts";
import { isRecord, type RenderedObject } from "../../domain/kubernetes/rendered.ts";
import type { Condition } from "./fault-file.ts";

/** Whether the condition holds for these rendered objects. A value that is not there equals nothing. */
export function holds(condition: Condition, objects: readonly RenderedObject[]): boolean {
  const { all, any, not, always } = condition;
  const parts = [
    ...(always === undefined ? [] : [always]),
    ...(all === undefined ? [] : [all.every((one) => holds(one, objects))]),
    ...(any === undefined ? [] : [any.some((one) => holds(one, objects))]),
    ...(not === undefined ? [] : [!holds(not, objects)]),
    ...(condition.object === undefined ? [] : [leafHolds(condition, objects)]),
  ];
  return parts.length > 0 && parts.every(Boolean);
}

function leafHolds(leaf: Condition, objects: readonly RenderedObject[]): boolean {
  const found = objects.filter((object) => isMeant(object, leaf.object));
  const values = found.flatMap((object) => (leaf.path === undefined ? [object] : valuesAt(object, leaf.path)));
  const { exists, absent } = leaf;
  if (absent !== undefined) return (values.length === 0) === absent;
  if (exists !== undefined) return values.length > 0 === exists;
  const tests = testsOf(leaf);
  if (tests.length === 0) return values.length > 0;
  const negative =
    leaf.notEquals !== undefined ||
    leaf.notIn !== undefined ||
    leaf.notContains !== undefined ||
    leaf.notMatches !== undefined;
  if (values.length === 0) return negative;
  return tests.every((test) => values.some(test));
}

function isMeant({ kind, metadata }: RenderedObject, object: Condition["object"]): boolean {
  const wanted = typeof object === "string" ? parted(object) : object;
  if (wanted === undefined || kind !== wanted.kind) return false;
  const inNamespace = wanted.namespace === undefined || wanted.namespace === (metadata.namespace ?? wanted.namespace);
  const isNamed = wanted.name === undefined || metadata.name === wanted.name || isGenerated(metadata.name, wanted.name);
  return inNamespace && isNamed;
}

/** Kustomize adds a hash to what it generates. */
function isGenerated(name: string, wanted: string): boolean {
  return name.startsWith(`${wanted}-`) && /^[bcdfghkmt2456789]{10}$/.test(name.slice(wanted.length + 1));
}

function parted(object: string): { kind: string; name?: string | undefined; namespace?: string | undefined } {
  const [kind = "", name] = object.split("/");
  return { kind, name };
}

/** Every value at a path: names, [0], [*], [name=web]; `\\.` is a dot within a name. */
function valuesAt(root: unknown, path: string): unknown[] {
  const steps = path.match(/\[[^\]]*\]|(?:\\.|[^.[\]])+/g) ?? [];
  let values: unknown[] = [root];
  for (const step of steps) values = values.flatMap((value) => inner(value, step));
  return values.filter((value) => value !== undefined && value !== null);
}

function inner(value: unknown, step: string): unknown[] {
  const inside = step.startsWith("[") ? step.slice(1, -1).replace(/^["']|["']$/g, "") : undefined;
  const key = inside ?? step.replace(/\\(.)/g, "$1");
  if (Array.isArray(value)) {
    if (key === "*") return value;
    const [field, ...rest] = key.split("=");
    if (rest.length > 0) return value.filter((item) => isRecord(item) && String(item[field ?? ""]) === rest.join("="));
    if (/^\d+$/.test(key)) return [value[Number(key)]];
    return value.flatMap((item) => (isRecord(item) ? (item.name === key ? [item] : inner(item, key)) : []));
  }
  if (!isRecord(value)) return [];
  return key === "*" ? Object.values(value) : [value[key]];
}

type Test = (value: unknown) => boolean;

function testsOf(leaf: Condition): Test[] {
  const tests: Test[] = [];
  const add = (wanted: unknown, test: Test) => {
    if (wanted !== undefined) tests.push(test);
  };
  add(leaf.equals, (value) => same(value, leaf.equals));
  add(leaf.notEquals, (value) => !same(value, leaf.notEquals));
  add(leaf.in, (value) => (leaf.in ?? []).some((one) => same(value, one)));
  add(leaf.notIn, (value) => !(leaf.notIn ?? []).some((one) => same(value, one)));
  add(leaf.matches, (value) => new RegExp(leaf.matches ?? "").test(textOf(value)));
  add(leaf.notMatches, (value) => !new RegExp(leaf.notMatches ?? "").test(textOf(value)));
  add(leaf.contains, (value) => includes(value, leaf.contains));
  add(leaf.notContains, (value) => !includes(value, leaf.notContains));
  add(leaf.lessThan, (value) => numberOf(value) < numberOf(leaf.lessThan));
  add(leaf.greaterThan, (value) => numberOf(value) > numberOf(leaf.greaterThan));
  return tests;
}

function same(left: unknown, right: unknown): boolean {
  if (typeof left !== "object" && typeof right !== "object") return String(left) === String(right);
  return JSON.stringify(left) === JSON.stringify(right);
}

function includes(value: unknown, wanted: unknown): boolean {
  if (Array.isArray(value)) return value.some((item) => same(item, wanted));
  if (isRecord(value)) return Object.hasOwn(value, String(wanted));
  return String(value).includes(String(wanted));
}

function textOf(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function numberOf(value: unknown): number {
  return parseQuantity(String(value)) ?? Number.NaN;
}
