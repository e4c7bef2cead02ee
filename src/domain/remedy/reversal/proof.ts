import { canonicalText } from "../../kubernetes/object-changes.ts";
import type { RenderedObject } from "../../kubernetes/rendered.ts";
import { byIdentity, fieldsOf } from "../../root-cause/changes/object-fields.ts";

/** What one entry renders to around the commit, and around the change that reverts it. */
interface Renderings {
  readonly parent: readonly RenderedObject[];
  readonly commit: readonly RenderedObject[];
  readonly head: readonly RenderedObject[];
  readonly after: readonly RenderedObject[];
}

type ReversalProof =
  | {
      readonly kind: "proven" /** The objects that come back to what they were. */;
      readonly restored: readonly string[];
    }
  | { readonly kind: "refused"; readonly because: string };

/**
 * Shows that a change reverts what the commit did and does nothing else: each field that moves had been moved by the
 * commit, stands as the commit left it, and becomes what it was before. `wanted` are objects that must be whole again.
 */
export function proveReversal(renderings: Renderings, wanted: ReadonlySet<string> = new Set()): ReversalProof {
  const [parent, commit, head, after] = (["parent", "commit", "head", "after"] as const).map((side) =>
    byIdentity(renderings[side]),
  ) as [Objects, Objects, Objects, Objects];
  const restored: string[] = [];
  for (const key of new Set([...head.keys(), ...after.keys()])) {
    const [was, becomes] = [head.get(key), after.get(key)];
    if (canonicalText(was) === canonicalText(becomes)) continue;
    const stranger = strangerIn({ parent: parent.get(key), commit: commit.get(key), head: was, after: becomes });
    if (stranger !== undefined) return refused(`it would also change ${key}${stranger}, which the commit did not`);
    restored.push(key);
  }
  for (const key of wanted) {
    const left = leftIn({
      parent: parent.get(key),
      commit: commit.get(key),
      head: head.get(key),
      after: after.get(key),
    });
    if (left !== undefined) return refused(`${key}${left} would not become what it was before the commit`);
  }
  if (restored.length === 0) return refused("it changes nothing in what the entry renders");
  return { kind: "proven", restored };
}

type Objects = ReadonlyMap<string, RenderedObject>;
type Side = RenderedObject | undefined;
type Four = { readonly parent: Side; readonly commit: Side; readonly head: Side; readonly after: Side };

/** The first field that moves and is not what the commit moved, in reverse. */
function strangerIn({ parent, commit, head, after }: Four): string | undefined {
  const isAsLeft = canonicalText(head) === canonicalText(commit);
  if (isAsLeft && canonicalText(after) === canonicalText(parent)) return undefined;
  const [was, left, now, becomes] = [parent, commit, head, after].map(fieldsOf) as [Fields, Fields, Fields, Fields];
  const paths = new Set([...now.keys(), ...becomes.keys()]);
  return [...paths].find((path) => {
    if (now.get(path) === becomes.get(path)) return false;
    return now.get(path) !== left.get(path) || becomes.get(path) !== was.get(path);
  });
}

/** The first field that the commit moved, that nobody moved since, and that does not come back. */
function leftIn({ parent, commit, head, after }: Four): string | undefined {
  const [was, left, now, becomes] = [parent, commit, head, after].map(fieldsOf) as [Fields, Fields, Fields, Fields];
  const paths = new Set([...was.keys(), ...left.keys()]);
  return [...paths].find((path) => {
    const moved = was.get(path) !== left.get(path) && now.get(path) === left.get(path);
    return moved && becomes.get(path) !== was.get(path);
  });
}

type Fields = ReadonlyMap<string, string>;

function refused(because: string): ReversalProof {
  return { kind: "refused", because };
}
