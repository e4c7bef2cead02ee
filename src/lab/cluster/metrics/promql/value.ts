import { oncePer } from "../once-per.ts";
import { labelKey, type Labels } from "../series-store.ts";

export interface Item {
  readonly labels: Labels;
  readonly value: number;
}

/** One series over a range: a value for each time, in Unix milliseconds. Never empty. */
export interface Window {
  readonly labels: Labels;
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** What an expression evaluates to at one moment. */
export type Value =
  | { readonly kind: "scalar"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "vector"; readonly items: readonly Item[] }
  /** The windows reach from `fromMs` (excluded) to `toMs`. */
  | { readonly kind: "matrix"; readonly windows: readonly Window[]; readonly fromMs: number; readonly toMs: number };

export function vector(items: readonly Item[]): Value {
  return { kind: "vector", items };
}

/** Label sets live as long as their series, and every evaluation asks for the same parts of them. */
const named = oncePer(({ __name__: _, ...rest }: Labels): Labels => rest);

export const withoutName = (labels: Labels): Labels => (labels.__name__ === undefined ? labels : named(labels));

/** The parts of label sets that one grouping keeps: equal ones are one object. */
interface KnownGroups {
  readonly byLabels: WeakMap<Labels, Labels>;
  readonly byKey: Map<string, Labels>;
}

/** By the list of names as it was parsed: one for all moments of a query, always with the same mode. */
const knownGroups = new WeakMap<readonly string[], KnownGroups>();

/** The labels with these names; the others with `without`. An empty label is an absent one. Equal answers are identical. */
export function grouped(labels: Labels, mode: "by" | "without", names: readonly string[]): Labels {
  const known = knownGroups.get(names) ?? { byLabels: new WeakMap(), byKey: new Map() };
  knownGroups.set(names, known);
  const before = known.byLabels.get(labels);
  if (before) return before;
  const kept = Object.entries(labels).filter(([name, value]) =>
    mode === "by" ? names.includes(name) && value !== "" : name !== "__name__" && !names.includes(name),
  );
  const made = Object.fromEntries(kept);
  const group = known.byKey.get(labelKey(made)) ?? made;
  known.byKey.set(labelKey(made), group);
  known.byLabels.set(labels, group);
  return group;
}
