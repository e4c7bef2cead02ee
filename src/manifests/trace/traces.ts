import type { Resource } from "../repository/resource.ts";
import type { Node, ScalarNode } from "../yaml/source.ts";

/** What the transformers of one build leave behind besides the objects. */
export interface Traces {
  /** A patch, an images entry, a replicas entry or a source document → the objects it reaches. */
  readonly reach: Map<Node, Set<Resource>>;
  /** Image scalars that an `images:` entry made → where their tag and digest are written. */
  readonly images: Map<Node, { readonly tag?: ScalarNode; readonly digest?: Node; readonly entry: Node }>;
  readonly files: Set<string>;
  /** What is in the way of knowing the result. */
  readonly opaque: {
    readonly path: string;
    readonly line: number;
    readonly because: string;
    readonly kinds?: string;
  }[];
}

/** Notes that what stands at `root` reaches this object. */
export function reached(traces: Traces, root: Node, resource: Resource): void {
  const known = traces.reach.get(root);
  if (known) known.add(resource);
  else traces.reach.set(root, new Set([resource]));
}
