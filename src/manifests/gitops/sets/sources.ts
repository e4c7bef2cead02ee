import { at, itemsAt, type Node } from "../../yaml/source.ts";
import { templatesIn } from "./templates.ts";

/** An object of Argo CD. */
interface Deploying {
  readonly kind: string;
  readonly node: Node;
}

/** What an Argo CD application says, or what each template of an ApplicationSet does. */
export function specsOf({ kind, node }: Deploying): readonly Node[] {
  const said = kind === "ApplicationSet" ? templatesIn(node) : [node];
  return said.flatMap((one) => at(one, ["spec"]) ?? []);
}

/** The sources of one such spec. */
export function sourcesOfSpec(spec: Node): readonly Node[] {
  // As Argo CD has it: where there are several, the one beside them is ignored.
  const several = itemsAt(spec, ["sources"]);
  const one = at(spec, ["source"]);
  return several.length > 0 || one === undefined ? several : [one];
}

/** The sources of an Argo CD application (or of an ApplicationSet's templates). */
export const sourcesOf = (one: Deploying): readonly Node[] => specsOf(one).flatMap(sourcesOfSpec);

/** What may bring values of a source unseen, also a patch that nobody filled in here. */
export const unseenIn = (source: Node): readonly Node[] => [
  ...itemsAt(source, ["helm", "fileParameters"]),
  ...[at(source, ["templatePatch"])].flatMap((one) => one ?? []),
];
