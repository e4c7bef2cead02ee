export interface Document {
  readonly root: Node;
  /** The first key that stands twice in one mapping, which Kubernetes refuses; its offset. */
  readonly duplicate?: { readonly key: string; readonly at: number };
}

/** Offsets are UTF-16 code units of `file.text`; an absent or made-up node has -1. */
interface Place {
  readonly file: { readonly path: string; readonly text: string };
  readonly start: number;
  readonly end: number;
  readonly anchor?: string;
  /** The node this one stands in; undefined for a document's root. */
  parent?: Node;
  /** True when an alias of the same document points to this node. */
  aliased?: boolean;
}

export interface ScalarNode extends Place {
  readonly kind: "scalar";
  readonly text: string;
  readonly style: "plain" | "single" | "double" | "literal" | "folded";
  readonly tagged: boolean;
  /** Indentation of a block scalar's content. */
  readonly indent: number;
}

export interface MapEntry {
  readonly key: ScalarNode;
  readonly value: Node;
}

export interface MapNode extends Place {
  readonly kind: "map";
  readonly flow: boolean;
  readonly entries: ReadonlyMap<string, MapEntry>;
  /** The written mappings that this one was merged from, the strongest last; itself when it is written so. */
  readonly layers: readonly MapNode[];
}

export interface ListNode extends Place {
  readonly kind: "list";
  readonly flow: boolean;
  readonly items: readonly Node[];
}

export interface AliasNode extends Place {
  readonly kind: "alias";
  readonly target: Node | undefined;
}

/** What a patch took away: the place that did it. */
interface RemovedNode extends Place {
  readonly kind: "removed";
}

export type Node = ScalarNode | MapNode | ListNode | AliasNode | RemovedNode;
