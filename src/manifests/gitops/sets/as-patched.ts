import { type ControllerObject, placeOfMade } from "../controllers.ts";
import type { Resource } from "../../repository/resource.ts";
import { plainOf } from "../../yaml/plain.ts";
import { at, type MapNode, parseText, resolved } from "../../yaml/source.ts";

/**
 * A set with a template for each Application that it makes, where its patches say what its own template does not; its
 * nodes stand in no file then.
 */
export function asPatched({ apiVersion, kind, names, origin }: Resource, made: readonly ControllerObject[]): MapNode {
  if (!made.some(({ isPatched }) => isPatched) || made.some(({ several }) => several)) return origin;
  const metadata = plainOf(at(origin, ["spec", "template", "metadata"])) ?? {};
  const generators = made.map(({ spec }) => ({ list: { elements: [{}], template: { metadata, spec } } }));
  const object = { apiVersion, kind, metadata: { name: names[0] ?? "" }, spec: { generators } };
  const text = JSON.stringify(object);
  const source = parseText(placeOfMade({ document: object, by: `the patch of ${kind} ${names[0]}` }), text, text);
  const node = source.ok ? resolved(source.file.documents[0]?.root) : undefined;
  return node?.kind === "map" ? node : origin;
}
