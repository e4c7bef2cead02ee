import type { Entry, ObjectChange, ShownAt } from "../../domain/kubernetes/manifest-edit.ts";
import { spelledOut } from "../../domain/kubernetes/object-changes.ts";
import { type Rendered, type RenderedObject, objectKey } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import type { FieldQuestion } from "../trace/entry-build.ts";
import { heldBack } from "./arriving.ts";
import { type Arriving, firstHeld, type Held } from "./doubt.ts";
import { heldElsewhere } from "./elsewhere.ts";
import { ownedAmong } from "./owned.ts";

interface Edited {
  readonly question: FieldQuestion;
  /** The object that runs the workload, where that is another one. */
  readonly shows: ShownAt["object"];
  readonly target: Entry;
  /** The target with the edit. */
  readonly rendered: Rendered;
  /** What the edit moves there. */
  readonly moved: readonly ObjectChange[];
}

type Render = (tree: Tree, entry: Entry) => Promise<Rendered>;

/**
 * What stands against an edit whose rendering is as it should be: who else writes the field, whether the controller takes
 * the object, whether the API does. Read from the objects that arrive, in this entry and in those beside it.
 */
export async function heldAnywhere(tree: Tree, edited: Edited, render: Render): Promise<Held> {
  const { target, shows, rendered, moved } = edited;
  const { change, workload } = edited.question;
  const objects = rendered.kind === "rendered" ? rendered.objects : [];
  const { namespace } = workload;
  const runs = shows === undefined ? workload : { ...workload, kind: shows.kind, name: shows.name };
  const asked = { workload: runs, change, outside: namespace };
  const owned = ownedAmong(objects, asked);
  if (owned && "reason" in owned) return owned;
  const all = moved.flatMap((one): Arriving[] => {
    const { object, field } = spelledOut(one);
    const found = objects.find((candidate) => isObject(candidate, object));
    return found ? [{ object: found, path: field, change, namespace, tool: target.tool, isOfRelease: false }] : [];
  });
  const held = firstHeld(all, (one) => heldBack(objects, one));
  if (held && "reason" in held) return held;
  const arriving = all.find(({ object }) => object.kind === runs.kind && object.metadata.name === runs.name);
  const elsewhere = await heldElsewhere(tree, { target, question: asked, arriving }, render);
  return elsewhere && "reason" in elsewhere ? elsewhere : (owned ?? held ?? elsewhere);
}

const isObject = (one: RenderedObject, { apiVersion, kind, namespace, name }: ObjectChange["object"]): boolean =>
  objectKey(one) === `${apiVersion}/${kind} ${namespace}/${name}`;
