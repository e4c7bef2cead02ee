import { changesBetween } from "../../domain/kubernetes/effect.ts";
import type { Entry, ObjectChange } from "../../domain/kubernetes/manifest-edit.ts";
import type { Rendered, RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { overlaid, type Tree } from "../../domain/kubernetes/tree.ts";
import { outOfBounds } from "../../domain/remedy/reversal/namespaces.ts";
import { proveReversal } from "../../domain/remedy/reversal/proof.ts";
import type { ReversedFile, Sides } from "../../manifests/edit/reverse.ts";
import { specOf } from "../../manifests/gitops/controllers.ts";
import { entriesOf, othersOf } from "../../manifests/gitops/entries.ts";
import { affectedEntries } from "../../manifests/gitops/reach.ts";
import type { Ports } from "../../ports/ports.ts";

type Asked = Pick<Ports, "renderer">;
type Refusal = { readonly kind: "refused"; readonly because: string };

/** What one entry renders to around the commit, and now. */
export interface Renderings {
  readonly kind: "rendered";
  readonly with: string;
  readonly parent: readonly RenderedObject[];
  readonly commit: readonly RenderedObject[];
  readonly head: readonly RenderedObject[];
}

/** Renders an entry before the commit, with it, and now; refused where one of them cannot be rendered. */
export async function renderSides(sides: Sides, entry: Entry, ports: Asked): Promise<Renderings | Refusal> {
  const parent = await ports.renderer.render(sides.parent, entry);
  const commit = await ports.renderer.render(sides.commit, entry);
  const head = await ports.renderer.render(sides.head, entry);
  const failed = [parent, commit, head].find(
    (one): one is Extract<Rendered, { kind: "unsupported" }> => one.kind === "unsupported",
  );
  if (failed !== undefined || parent.kind !== "rendered" || commit.kind !== "rendered" || head.kind !== "rendered") {
    return { kind: "refused", because: `${nameOf(entry)} cannot be rendered (${failed?.because ?? ""})` };
  }
  return { kind: "rendered", with: head.with, parent: parent.objects, commit: commit.objects, head: head.objects };
}

interface Others {
  readonly kind: "hold";
  readonly changes: readonly ObjectChange[];
  readonly warnings: readonly string[];
}

/** A reversal that is proved for the workload's own entry. */
interface Reversal {
  readonly sides: Sides;
  readonly entry: Entry;
  readonly files: readonly ReversedFile[];
  /** Where the guardrails allow a change. */
  readonly namespaces: readonly string[];
}

/** Every other entry that reads an edited file may only lose what the commit did to it, and only where people allow. */
export async function otherEntries(reversal: Reversal, ports: Asked): Promise<Others | Refusal> {
  const after = withFiles(reversal.sides.head, reversal.files);
  const paths = reversal.files.map(({ path }) => path);
  const others = othersReading({ before: reversal.sides.head, after }, paths, reversal.entry);
  const changes: ObjectChange[] = [];
  const warnings: string[] = [];
  for (const other of others) {
    const moved = await movedIn(other, { ...reversal, after }, ports);
    if (moved.kind === "refused") return moved;
    if (moved.changes.length === 0) continue;
    changes.push(...moved.changes);
    warnings.push(`${nameOf(other)} reads the same files and loses the commit's effect, too`);
  }
  return { kind: "hold", changes, warnings };
}

/** What one other entry loses, proved and allowed. One that nobody can render may lose anything: that is a refusal. */
async function movedIn(
  other: Entry,
  { sides, namespaces, after }: Reversal & { readonly after: Tree },
  ports: Asked,
): Promise<Omit<Others, "warnings"> | Refusal> {
  const both = await renderBoth({ before: sides.head, after }, other, ports);
  if (both.kind === "unsupported")
    return refused(`${nameOf(other)} reads the same files and cannot be rendered: ${both.because}`);
  const moved = changesBetween(both.before, both.after);
  if (moved.length === 0) return { kind: "hold", changes: [] };
  const spec = specOf(sides.head, other);
  const bounds = outOfBounds({ entry: { ...other, spec }, changes: moved, namespaces });
  if (bounds !== undefined) return refused(bounds);
  const around = await renderSides(sides, other, ports);
  if (around.kind === "refused") return around;
  const proof = proveReversal({ ...around, after: both.after });
  if (proof.kind === "refused") return refused(`in ${nameOf(other)} ${proof.because}`);
  return { kind: "hold", changes: moved };
}

interface Trees {
  readonly before: Tree;
  readonly after: Tree;
}

/** The entries that read one of these files, without this one. */
export function othersReading({ before, after }: Trees, paths: readonly string[], entry: Entry): readonly Entry[] {
  return othersOf(affectedEntries(after, entriesOf(before), paths), entry);
}

/** What an entry renders to without a change and with it. */
type Both =
  | { readonly kind: "both"; readonly before: readonly RenderedObject[]; readonly after: readonly RenderedObject[] }
  | Extract<Rendered, { kind: "unsupported" }>;

export async function renderBoth(trees: Trees, entry: Entry, ports: Asked): Promise<Both> {
  const before = await ports.renderer.render(trees.before, entry);
  if (before.kind === "unsupported") return before;
  const after = await ports.renderer.render(trees.after, entry);
  return after.kind === "unsupported" ? after : { kind: "both", before: before.objects, after: after.objects };
}

/** The tree with the reversed files in it. */
export function withFiles(tree: Tree, files: readonly ReversedFile[]): Tree {
  return overlaid(tree, Object.fromEntries(files.map(({ path, after }) => [path, after])));
}

/** What people know an entry by. */
export function nameOf(entry: Entry): string {
  return entry.object ?? entry.path ?? "the entry";
}

function refused(because: string): Refusal {
  return { kind: "refused", because };
}
