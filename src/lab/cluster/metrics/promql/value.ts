import type { Labels } from "../series-store.ts";

export interface Item {
  readonly labels: Labels;
  readonly value: number;
}

/** Points are [Unix milliseconds, value]. */
export interface Window {
  readonly labels: Labels;
  readonly points: readonly (readonly [number, number])[];
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
const knownParts = new WeakMap<Labels, Map<string, Labels>>();

function part(labels: Labels, key: string, make: () => Labels): Labels {
  const parts = knownParts.get(labels) ?? new Map<string, Labels>();
  knownParts.set(labels, parts);
  const known = parts.get(key) ?? make();
  parts.set(key, known);
  return known;
}

export function withoutName(labels: Labels): Labels {
  if (labels.__name__ === undefined) return labels;
  return part(labels, "", () => {
    const { __name__: _, ...rest } = labels;
    return rest;
  });
}

/** The labels with these names; the others with `without`. An empty label is an absent one. */
export function grouped(labels: Labels, mode: "by" | "without", names: readonly string[]): Labels {
  return part(labels, partName(mode, names), () => {
    const kept = Object.entries(labels).filter(([name, value]) =>
      mode === "by" ? names.includes(name) && value !== "" : name !== "__name__" && !names.includes(name),
    );
    return Object.fromEntries(kept);
  });
}

const partNames = new WeakMap<readonly string[], string>();

/** The names come out of the parsed query, one array for all of its moments. */
function partName(mode: "by" | "without", names: readonly string[]): string {
  const known = partNames.get(names) ?? `${mode} ${names.join()}`;
  partNames.set(names, known);
  return known;
}
