import { join } from "node:path";
import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import { yamlOf } from "../../../manifests/charts/chart-files.ts";
import { type Built, inScratch } from "../offline.ts";
import { mayDifferInCopies } from "./alike.ts";
import { type HelmOptions, runHelm, setting, strangePath, type Templating, written } from "./helm-template.ts";
import { packedChart } from "./packed-chart.ts";
import { belowKeys, documentsBelow, documentsOf, textOf } from "./wrapped.ts";

/** A rendering that was made alone, and what came of it. */
export interface Reference {
  readonly asked: Templating;
  readonly documents: readonly string[];
}

/**
 * Several renderings of one chart by one run of Helm, in their order. `apart`: as one of many this chart writes
 * something else than alone. `failed`: some set of values, or every copy, could not be rendered.
 */
export async function copiesOf(
  options: HelmOptions,
  reference: Reference,
  asked: readonly Templating[],
): Promise<readonly Built[] | "apart" | "failed"> {
  const [first] = asked;
  const name = nameOf(reference.asked);
  const all = [reference.asked, ...asked];
  const layers = name === undefined ? undefined : layersOf(all, name);
  if (first === undefined || name === undefined || layers === undefined || all.some(strangePath)) return "apart";
  if (mayDifferInCopies(first.files)) return "apart";
  const archive = packedChart(wrapped(all, name));
  if (archive === undefined) return "apart";
  const built = await inScratch({ files: new Map([[packed, archive]]) }, options.limits, (root, home) => {
    const values = layers.flatMap((text, n) => ["--values", written(root, `values-${n}.yaml`, text)]);
    const sets = all.flatMap((one, n) => one.sets.flatMap((set) => setting(set, `${keyOf(n)}.${name}.`)));
    return runHelm(options, home, [first, join(root, packed), [...values, ...sets]]);
  });
  if (!built.ok) return "failed";
  const places = all.map((_, n) => `${wrapper}/charts/${keyOf(n)}/charts/`);
  const [again, ...made] = documentsBelow(documentsOf(built.output) ?? [], places) ?? [];
  if (again === undefined || textOf(again) !== textOf(reference.documents)) return "apart";
  return made.map((documents) => ({ ok: true, output: textOf(documents) }));
}

const wrapper = "w";
const packed = "w.tgz";

/** Of one length, so that Helm keeps the order. */
const keyOf = (n: number): string => `v${String(n).padStart(3, "0")}`;

/** The chart's name, below which its values stand, where it needs no quotes. */
function nameOf({ files }: Templating): string | undefined {
  const chart = yamlOf(files, "Chart.yaml");
  return isRecord(chart) && typeof chart.name === "string" && /^[A-Za-z][\w-]*$/.test(chart.name)
    ? chart.name
    : undefined;
}

/** The values of all copies, weakest first; undefined where a text cannot stand below a key. */
function layersOf(copies: readonly Templating[], name: string): string[] | undefined {
  const depth = Math.max(...copies.map(({ values }) => values.length));
  const layers: string[] = [];
  for (let layer = 0; layer < depth; layer += 1) {
    const texts = copies.map(({ values }, n) => belowKeys([keyOf(n), name], values[layer] ?? ""));
    if (texts.includes(undefined)) return undefined;
    layers.push(texts.join(""));
  }
  return layers;
}

/** Each copy stands below a chart of its own, because a chart's name is what its values stand below. */
function wrapped(copies: readonly Templating[], name: string): Map<string, Uint8Array> {
  const encoder = new TextEncoder();
  const chartNamed = (its: string) => encoder.encode(`apiVersion: v2\nname: ${its}\nversion: 0.0.0\n`);
  const all = new Map<string, Uint8Array>([[`${wrapper}/Chart.yaml`, chartNamed(wrapper)]]);
  copies.forEach(({ files }, n) => {
    const place = `${wrapper}/charts/${keyOf(n)}`;
    all.set(`${place}/Chart.yaml`, chartNamed(keyOf(n)));
    for (const [path, bytes] of files) all.set(`${place}/charts/${name}/${path}`, bytes);
  });
  return all;
}
