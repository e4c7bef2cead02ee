import { itemsAt, type Node, textAt } from "../yaml/source.ts";

/** The kind of a file below `generators:` that says the same as an item of `helmCharts:`. */
export const inflationGenerator = "HelmChartInflationGenerator";

/**
 * Where kustomize looks for a chart before it fetches it, from the kustomization's directory. `home` is what
 * `helmGlobals` says of the whole kustomization.
 */
export function chartPlace(chart: Node, home: string | undefined): string {
  const said = ["name", "version", "repo", "chartHome"].map((key) => [key, textAt(chart, [key])] as const);
  return chartPlaceOf(Object.fromEntries(said), home);
}

/** The same of an item that was read already. */
export function chartPlaceOf(chart: Readonly<Record<string, unknown>>, home: string | undefined): string {
  const [name = "", version, repository, own] = ["name", "version", "repo", "chartHome"].map((key) =>
    typeof chart[key] === "string" ? chart[key] : undefined,
  );
  // What it fetches at an exact version lies in a directory of its own.
  const isFetched = repository !== undefined && version !== undefined;
  return [own ?? home ?? "charts", ...(isFetched ? [`${name}-${version}`] : []), name].join("/");
}

/** `helmGlobals.chartHome` of a kustomization. */
export const chartHome = (kustomization: Node | undefined): string | undefined =>
  textAt(kustomization, ["helmGlobals", "chartHome"]);

/** Every path that a chart to inflate names: its values and itself. */
export function chartReferences(chart: Node, home: string | undefined): string[] {
  const more = itemsAt(chart, ["additionalValuesFiles"]).map((item) => textAt(item, []));
  return [textAt(chart, ["valuesFile"]), ...more, chartPlace(chart, home)].filter((path) => path !== undefined);
}
