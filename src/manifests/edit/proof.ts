import { lineOf, type Node, parseText } from "../yaml/source.ts";
import { kubernetesScalar } from "../yaml/scalar.ts";
import { type Splice, spliced } from "../yaml/splice.ts";

type Proven = { readonly ok: true; readonly after: string } | { readonly ok: false; readonly problem: string };

/** A difference between two documents: the path below the stream, and whether something was there before. */
interface Difference {
  readonly path: readonly (string | number)[];
  readonly added: boolean;
}

/** Does the splice, reads both texts again and refuses unless the documents differ in exactly one field or one subtree. */
export function proven(path: string, before: string, splice: Splice): Proven {
  const after = spliced(before, [splice]);
  const [left, right] = [parseText(path, before, before), parseText(path, after, after)];
  if (!left.ok || !right.ok) return { ok: false, problem: "the file would not parse after the change" };
  if (left.file.documents.length !== right.file.documents.length)
    return { ok: false, problem: "the number of documents would change" };
  const found = differences(
    left.file.documents.map((d) => d.root),
    right.file.documents.map((d) => d.root),
  );
  if (found.length === 1) return { ok: true, after };
  const line = lineOf(before, splice.start);
  return { ok: false, problem: `the change at line ${line} would touch ${found.length} fields instead of one` };
}

/** Where two streams of documents differ, read as Kubernetes reads them; aliases are compared by name. */
export function differences(before: readonly Node[], after: readonly Node[]): Difference[] {
  const found: Difference[] = [];
  before.forEach((root, n) => compare(root, after[n], [n], found));
  return found;
}

function compare(
  before: Node | undefined,
  after: Node | undefined,
  path: readonly (string | number)[],
  found: Difference[],
): void {
  if (found.length > 10) return;
  if (!before || !after || before.kind !== after.kind) {
    found.push({ path, added: !before });
    return;
  }
  if (before.kind === "map" && after.kind === "map") {
    for (const key of new Set([...before.entries.keys(), ...after.entries.keys()])) {
      compare(before.entries.get(key)?.value, after.entries.get(key)?.value, [...path, key], found);
    }
  } else if (before.kind === "list" && after.kind === "list") {
    for (let n = 0; n < Math.max(before.items.length, after.items.length); n += 1) {
      compare(before.items[n], after.items[n], [...path, n], found);
    }
  } else if (!sameLeaf(before, after)) found.push({ path, added: false });
}

function sameLeaf(before: Node, after: Node): boolean {
  if (before.kind === "alias" && after.kind === "alias")
    return before.file.text.slice(before.start, before.end) === after.file.text.slice(after.start, after.end);
  if (before.kind !== "scalar" || after.kind !== "scalar") return false;
  return kubernetesScalar(before) === kubernetesScalar(after) && before.anchor === after.anchor;
}
