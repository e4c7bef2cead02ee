import { createHash } from "node:crypto";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { Rendered } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import type { Renderer } from "../../ports/ports.ts";

// A plan and its gate render two states of one entry, and a few changes may be under way at once.
const keptRenderings = 8;

/**
 * Renders the same files for the same entry once: the proof of a plan and the policies that judge it look at the same
 * two states. What could not be rendered is tried again, because a build may only have taken too long.
 */
export function renderOnce(renderer: Renderer, kept = keptRenderings): Renderer {
  const renderings = new Map<string, Promise<Rendered>>();
  const names = new WeakMap<Tree, string>();
  let trees = 0;
  const nameOf = (tree: Tree): string => {
    const name = names.get(tree) ?? `${(trees += 1)}`;
    names.set(tree, name);
    return name;
  };
  return {
    render: async (tree, entry) => {
      const key = keyOf(tree, entry, nameOf);
      const rendering = renderings.get(key) ?? renderer.render(tree, entry);
      renderings.delete(key);
      renderings.set(key, rendering);
      for (const old of [...renderings.keys()].slice(0, -kept)) renderings.delete(old);
      try {
        const rendered = await rendering;
        if (rendered.kind === "unsupported") renderings.delete(key);
        return rendered;
      } catch (error) {
        renderings.delete(key);
        throw error;
      }
    },
  };
}

/** The commit's own tree, what differs from it, and the entry: all that a rendering depends on. */
function keyOf(tree: Tree, entry: Entry, nameOf: (tree: Tree) => string): string {
  const changed = new Set<string>();
  let base = tree;
  for (; base.over !== undefined; base = base.over.tree) for (const path of base.over.paths) changed.add(path);
  const hash = createHash("sha256").update(JSON.stringify(entry));
  for (const path of [...changed].sort()) {
    const bytes = tree.read(path);
    hash.update(`\0${path}\0${bytes === undefined ? "gone" : bytes.length}\0`).update(bytes ?? "");
  }
  return `${nameOf(base)} ${hash.digest("hex")}`;
}
