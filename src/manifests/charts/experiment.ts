import {
  type ChartBuild,
  type ChartTools,
  type Rendered,
  type RenderedObject,
  isRecord,
  objectKey,
  valueAt,
} from "../../domain/kubernetes/rendered.ts";
import type { Candidate, ValuePath } from "./candidates.ts";
import type { RenderedField } from "./rendered-field.ts";
import type { Values } from "./release-values.ts";

/** How many renderings one question may still cost. */
export interface Budget {
  left: number;
}

/** Renders within the budget; what is beyond it counts as not renderable. */
export async function spend(budget: Budget, tools: ChartTools, build: ChartBuild): Promise<Rendered> {
  if (budget.left <= 0) return { kind: "unsupported", because: "the question would cost too many renderings" };
  budget.left -= 1;
  return tools.template(build);
}

/**
 * The one candidate whose mark arrives in the field. All are marked at once; where the chart cannot be rendered so, or
 * no longer makes the object, each half is tried by itself.
 */
export async function arrivingIn<T extends { readonly token: string; readonly as: Candidate["as"] }>(
  field: RenderedField,
  candidates: readonly T[],
  render: (some: readonly T[]) => Promise<Rendered>,
): Promise<T | undefined> {
  if (candidates.length === 0) return undefined;
  const rendered = await render(candidates);
  const object = rendered.kind === "rendered" ? sameObject(rendered.objects, field.object) : undefined;
  if (object) return candidates.find((one) => carries(valueAt(object, field.path), one));
  if (candidates.length === 1) return undefined;
  const middle = Math.ceil(candidates.length / 2);
  return (
    (await arrivingIn(field, candidates.slice(0, middle), render)) ??
    (await arrivingIn(field, candidates.slice(middle), render))
  );
}

const sameObject = (objects: readonly RenderedObject[], object: RenderedObject): RenderedObject | undefined =>
  objects.find((one) => objectKey(one) === objectKey(object));

function carries(value: unknown, { token, as }: { readonly token: string; readonly as: Candidate["as"] }): boolean {
  if (typeof value !== "number" && typeof value !== "string") return false;
  return as === "value" ? String(value) === token : tagOf(String(value)).endsWith(token);
}

export const tagOf = (image: string): string => /:([^/:@]*)(?:@.*)?$/.exec(image)?.[1] ?? "";

/** The build with every candidate's mark in place of its value. */
export function markedBuild(build: ChartBuild, values: Values, candidates: readonly Candidate[]): ChartBuild {
  const marks = new Map(candidates.map((one) => [one.path.join("."), String(one.mark)]));
  const sets = build.sets.map((set) => ({ ...set, value: marks.get(set.name) ?? set.value }));
  const override = candidates.reduce<Values>((all, one) => withMark(all, values, one.path, one.mark), {});
  return { ...build, values: [...build.values, JSON.stringify(override)], sets, checked: false };
}

/** A value of a list cannot be given alone: the list goes along as it is. */
function withMark(all: Values, values: Values, path: ValuePath, mark: string | number): Values {
  return setIn(all, values, path, mark) as Values;
}

function setIn(above: unknown, below: unknown, [step, ...rest]: ValuePath, mark: string | number): unknown {
  if (step === undefined) return mark;
  if (typeof step === "number") {
    const items: readonly unknown[] = Array.isArray(above) ? above : Array.isArray(below) ? below : [];
    return items.map((item, n) => (n === step ? setIn(item, item, rest, mark) : item));
  }
  const own = isRecord(above) ? above : {};
  // Inside a list every item is written whole.
  const inner = isRecord(below) ? below[step] : undefined;
  return { ...own, [step]: setIn(own[step], inner, rest, mark) };
}
