import { type ChartFiles, type ChartSet, type ChartTools, isRecord } from "../../domain/kubernetes/rendered.ts";
import type { Release } from "../helm/releases.ts";
import { plainOf } from "../yaml/plain.ts";
import { type EntryBuild, substituted } from "../trace/entry-build.ts";
import { at, itemsAt, type Node, textAt } from "../yaml/source.ts";
import { dependenciesOf, keysOf, vendoredIn, yamlOf } from "./chart-files.ts";

export type Values = Readonly<Record<string, unknown>>;

/** What Helm is given for a release, and what its templates see in the end. */
interface ReleaseValues {
  /** Texts of values, weakest first, without the chart's own. */
  readonly texts: readonly string[];
  readonly sets: readonly ChartSet[];
  /** Everything merged: the defaults of the chart and of its subcharts, then every layer. */
  readonly effective: Values;
}

/** The values of a release as Helm would read them; undefined when one of them is known only to the cluster. */
export function valuesOf(
  entryBuild: EntryBuild,
  release: Release,
  files: ChartFiles,
  tools: ChartTools,
): ReleaseValues | undefined {
  const isFlux = release.resource?.kind === "HelmRelease";
  const plain = (node: Node): unknown => plainOf(node, isFlux ? (text) => substituted(text, entryBuild) : undefined);
  const own = release.directory === undefined ? undefined : `${release.directory}/values.yaml`.replace(/^\//, "");
  const layers = release.layers
    .filter((layer, n) => n > 0 || layer.values.file.path !== own)
    .map((layer) => plain(layer.values))
    .filter(isRecord);
  const sets = release.parameters.map((item) => ({
    name: textAt(item, ["name"]) ?? "",
    value: textAt(item, ["value"]) ?? "",
    isString: textAt(item, ["forceString"]) === "true",
  }));
  const texts = layers.map((layer) => JSON.stringify(layer));
  const open = isFlux && isTemplate(release) ? /\$\{\w+[}:]|\{\{ *\./ : /\$\{\w+[}:]/;
  if (isFlux && [...texts, ...sets.map((set) => set.value)].some((text) => open.test(text))) return undefined;
  const effective = [defaultsOf(files, tools), ...layers, ...sets.map(nestedSet)].reduce<Values>(mergedValues, {});
  return { texts, sets, effective };
}

/** Whether a program fills the release in before Flux sees it: in values alone, such a text is one for the chart. */
function isTemplate({ resource }: Release): boolean {
  if (resource === undefined) return false;
  const { file, start, end } = resource.origin;
  const values = at(resource.origin, ["spec", "values"]);
  const around = values ? file.text.slice(start, values.start) + file.text.slice(values.end, end) : file.text;
  return /(?:^|\/)templates\//.test(file.path) || around.includes("{{");
}

/** True when values from elsewhere may matter: then a rendering here is an experiment, and no proof. */
export function hasUnseenValues(release: Release): boolean {
  return release.unseen.length > 0 || release.uncertain !== undefined;
}

/** Flux replaces the chart's own values by these files, where they are named. */
export function replacesOwnValues(release: Release): boolean {
  return itemsAt(release.from?.node, ["valuesFiles"]).length > 0;
}

/** The defaults of a chart with those of its subcharts below their names. */
function defaultsOf(files: ChartFiles, tools: Pick<ChartTools, "unpack">, depth = 0): Values {
  const own = yamlOf(files, "values.yaml");
  const dependencies = dependenciesOf(files);
  let all: Values = {};
  for (const inner of depth > 4 ? [] : vendoredIn(files, tools)) {
    const defaults = defaultsOf(inner.files, tools, depth + 1);
    for (const key of keysOf(inner, dependencies)) all = { ...all, [key]: defaults };
  }
  return mergedValues(all, isRecord(own) ? own : {});
}

/** Helm's merge: mappings merge, null takes a key away, everything else is replaced. */
function mergedValues(below: Values, above: Values): Values {
  const all: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const old = all[key];
    if (value === null || value === undefined) {
      if (isRecord(old)) delete all[key];
      else all[key] = null;
    } else all[key] = isRecord(value) && isRecord(old) ? mergedValues(old, value) : value;
  }
  return all;
}

function nestedSet({ name, value, isString }: ChartSet): Values {
  const steps = name.split(/(?<!\\)\./).map((step) => step.replaceAll("\\.", "."));
  if (steps.some((step) => /\[\d+\]$/.test(step))) return {};
  const typed = !isString && /^(?:\d+|true|false|null)$/.test(value) ? (JSON.parse(value) as unknown) : value;
  return steps.reduceRight<unknown>((inner, step) => ({ [step]: inner }), typed) as Values;
}
