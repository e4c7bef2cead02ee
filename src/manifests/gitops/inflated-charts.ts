import { itemsAt, type Node, textAt } from "../yaml/source.ts";

/** The kind of a file below `generators:` that says the same as an item of `helmCharts:`. */
export const inflationGenerator = "HelmChartInflationGenerator";

/**
 * Where kustomize looks for a chart before it fetches it, from the kustomization's directory. `home` is what
 * `helmGlobals` says of the whole kustomization.
 */
export function chartPlace(chart: Node, home: string | undefined): string {
  const [name = "", version, repository] = ["name", "version", "repo"].map((key) => textAt(chart, [key]));
  const own = textAt(chart, ["chartHome"]) ?? home ?? "charts";
  // What it fetches at an exact version lies in a directory of its own.
  const isFetched = repository !== undefined && version !== undefined;
  return [own, ...(isFetched ? [`${name}-${version}`] : []), name].join("/");
}

/** `helmGlobals.chartHome` of a kustomization. */
export const chartHome = (kustomization: Node | undefined): string | undefined =>
  textAt(kustomization, ["helmGlobals", "chartHome"]);

/** Every path that a chart to inflate names: its values and itself. */
export function chartReferences(chart: Node, home: string | undefined): string[] {
  const more = itemsAt(chart, ["additionalValuesFiles"]).map((item) => textAt(item, []));
  return [textAt(chart, ["valuesFile"]), ...more, chartPlace(chart, home)].filter((path) => path !== undefined);
}
