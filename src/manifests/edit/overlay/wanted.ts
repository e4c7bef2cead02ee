import { imageName } from "../../trace/images.ts";
import { podSpecPath, type Resource } from "../../repository/resource.ts";
import { at, itemsAt, type Node, textAt } from "../../yaml/source.ts";
import type { Written } from "../../yaml/splice.ts";
import { nested } from "./insert.ts";

/** Where a field of an object shall get a value for this environment only. */
export interface Wanted {
  readonly resource: Resource;
  readonly path: readonly (string | number)[];
  readonly value: string | number;
  /** Why the owner itself cannot be changed, for people. */
  readonly because: string;
  /** The place that owns the value now; undefined when nobody wrote it. */
  readonly owner: Node | undefined;
}

/** A JSON patch's operation that sets the field; undefined where nothing is there to add it to. */
export function jsonOperation(wanted: Wanted): { op: string; path: string; value: Written } | undefined {
  const { resource, path, value } = wanted;
  const pointer = (steps: readonly (string | number)[]): string =>
    steps.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  const current = at(resource.node, path);
  if (current && current.kind !== "removed") return { op: "replace", path: pointer(path), value };
  for (let n = path.length - 1; n > 0; n -= 1) {
    const parent = at(resource.node, path.slice(0, n));
    if (parent?.kind === "map")
      return { op: "add", path: pointer(path.slice(0, n + 1)), value: nested(path.slice(n + 1), value) };
    if (parent) return undefined;
  }
  return undefined;
}

/** `images:` changes every container that runs the image: it may be the wanted one only. */
export function imageItem(
  inside: readonly Resource[],
  wanted: Wanted,
  present: readonly (string | undefined)[],
): { name: string; newTag: string } | undefined {
  const current = at(wanted.resource.node, wanted.path);
  if (wanted.path.at(-1) !== "image" || current?.kind !== "scalar") return undefined;
  const name = imageName(current.text);
  const users = inside.flatMap((one) => {
    const pod = podSpecPath(one.kind) ?? [];
    const containers = ["containers", "initContainers"].flatMap((list) => itemsAt(one.node, [...pod, list]));
    return containers.filter((container) => imageName(textAt(container, ["image"]) ?? "") === name);
  });
  const tag = /:([^:/]+)$/.exec(String(wanted.value))?.[1];
  return users.length === 1 && !present.includes(name) && tag !== undefined ? { name, newTag: tag } : undefined;
}
