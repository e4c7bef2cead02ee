import { z } from "zod";
import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import type { Draft } from "./build-resource.ts";

const Operation = z.strictObject({
  op: z.enum(["add", "replace", "remove", "test"]),
  path: z.string().startsWith("/"),
  value: z.unknown().optional(),
});
const Operations = z.array(Operation).min(1);
export type JsonPatch = z.infer<typeof Operations>;

/** Reads a JSON patch (RFC 6902) without `move` and `copy`; undefined when it is none that we can apply. */
export function readJsonPatch(value: unknown): JsonPatch | undefined {
  const parsed = Operations.safeParse(value);
  if (!parsed.success) return undefined;
  const raw = Array.isArray(value) ? value : [];
  const lacksValue = parsed.data.some(
    (operation, index) => operation.op !== "remove" && !Object.hasOwn(raw[index] as object, "value"),
  );
  return lacksValue ? undefined : parsed.data;
}

/** Applies the operations to the object in place. The answer is a problem, or undefined. */
export function applyJsonPatch(object: Draft, patch: JsonPatch): string | undefined {
  for (const operation of patch) {
    const problem = apply(object, operation);
    if (problem !== undefined) return `${operation.op} ${operation.path}: ${problem}`;
  }
  return undefined;
}

function apply(object: Draft, operation: JsonPatch[number]): string | undefined {
  const path = operation.path
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (path.includes("__proto__")) return "the key __proto__";
  const key = path.pop() ?? "";
  let holder: unknown = object;
  for (const part of path) {
    const index = Array.isArray(holder) ? indexOf(part, holder.length) : undefined;
    if (Array.isArray(holder) && index !== undefined) holder = holder[index];
    else if (isRecord(holder) && Object.hasOwn(holder, part)) holder = holder[part];
    else return "there is no such place";
  }
  const value = structuredClone(operation.value);
  if (Array.isArray(holder)) return applyToList(holder, operation.op, key, value);
  return isRecord(holder) ? applyToMap(holder, operation.op, key, value) : "there is no such place";
}

type Op = JsonPatch[number]["op"];

function applyToMap(holder: Draft, op: Op, key: string, value: unknown): string | undefined {
  const exists = Object.hasOwn(holder, key);
  if (op !== "add" && !exists) return "there is no such field";
  if (op === "test") return isSame(holder[key], value) ? undefined : "the test fails";
  if (op === "remove") delete holder[key];
  else holder[key] = value;
  return undefined;
}

function applyToList(holder: unknown[], op: Op, key: string, value: unknown): string | undefined {
  if (op === "add" && key === "-") {
    holder.push(value);
    return undefined;
  }
  const index = indexOf(key, op === "add" ? holder.length + 1 : holder.length);
  if (index === undefined) return "there is no such item";
  if (op === "test") return isSame(holder[index], value) ? undefined : "the test fails";
  if (op === "add") holder.splice(index, 0, value);
  else if (op === "remove") holder.splice(index, 1);
  else holder[index] = value;
  return undefined;
}

function indexOf(part: string, length: number): number | undefined {
  const index = /^(0|[1-9][0-9]{0,6})$/.test(part) ? Number(part) : length;
  return index < length ? index : undefined;
}

/** Equal as JSON values; a null that nobody wrote equals a written one. */
function isSame(left: unknown, right: unknown): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isSame(item, right[index]));
  }
  if (isRecord(left) && isRecord(right)) {
    const keys = Object.keys(left);
    return (
      keys.length === Object.keys(right).length &&
      keys.every((key) => Object.hasOwn(right, key) && isSame(left[key], right[key]))
    );
  }
  return (left ?? null) === (right ?? null);
}
