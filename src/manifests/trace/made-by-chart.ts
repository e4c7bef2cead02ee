import type { RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { type Resource, resourcesOf } from "../repository/resource.ts";
import { type Node, parseText } from "../yaml/source.ts";

/** Stands for the file of what no file of the repository writes. */
export const madeByChart = "what the chart makes";

/** The objects that charts make, by the place that asks for the chart. */
export type MadeByCharts = ReadonlyMap<string, readonly RenderedObject[]>;

/** The same place is the same text in the same file, however often it is read. */
export const placeOfChart = ({ file, start }: Node): string => `${file.path}:${start}`;

/** What a chart makes, as if it stood in a file. */
export function resourcesMade(objects: readonly RenderedObject[]): Resource[] {
  const text = streamOf(objects);
  const source = parseText(madeByChart, text, text);
  return source.ok ? source.file.documents.flatMap((document) => resourcesOf(document.root)) : [];
}

export const streamOf = (objects: readonly RenderedObject[]): string =>
  objects.map((object) => JSON.stringify(object)).join("\n---\n");
