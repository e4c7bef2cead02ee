import { canonicalText } from "../../kubernetes/object-changes.ts";
import type { RenderedObject } from "../../kubernetes/rendered.ts";
import type { Workload } from "../../kubernetes/workload.ts";
import { byIdentity } from "./object-fields.ts";
import { type Relation, relationsTo } from "./relations.ts";

/** What a commit did to the objects of one entry, before and with it. */
interface Around {
  readonly parent: readonly RenderedObject[];
  readonly commit: readonly RenderedObject[];
}

interface Touched {
  /** Identities of the objects that a reversal must make whole again. */
  readonly keys: ReadonlySet<string>;
  /** True where that is all that the commit did in this entry. */
  readonly isEverything: boolean;
}

/** The objects that the commit changed and that bear on the workload; all of them where none does, or where asked. */
export function touchedBy(around: Around, workload: Workload, which: "related" | "all"): Touched {
  const changed = keysBetween(around.parent, around.commit);
  const relations = relationsAround(around, workload);
  const related = changed.filter((key) => which === "all" || (relations.get(key) ?? "other") !== "other");
  const keys = new Set(related.length === 0 ? changed : related);
  return { keys, isEverything: keys.size === changed.length };
}

/** How each object bears on the workload, by what it did before the commit or does since, whichever is closer. */
export function relationsAround({ parent, commit }: Around, workload: Workload): ReadonlyMap<string, Relation> {
  const [before, since] = [relationsTo(workload, parent), relationsTo(workload, commit)];
  const order: readonly Relation[] = ["self", "uses", "calls", "namespace", "other"];
  const closer = (left: Relation | undefined, right: Relation | undefined) =>
    order.find((relation) => relation === left || relation === right) ?? "other";
  const keys = new Set([...before.keys(), ...since.keys()]);
  return new Map([...keys].map((key) => [key, closer(before.get(key), since.get(key))]));
}

/** The identities of the objects that differ. */
export function keysBetween(before: readonly RenderedObject[], after: readonly RenderedObject[]): readonly string[] {
  const [left, right] = [byIdentity(before), byIdentity(after)];
  const keys = [...new Set([...left.keys(), ...right.keys()])];
  return keys.filter((key) => canonicalText(left.get(key)) !== canonicalText(right.get(key)));
}
