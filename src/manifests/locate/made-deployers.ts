import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { isRecord, type Rendered, type RenderedObject } from "../../domain/kubernetes/rendered.ts";
import type { MadeObject, Tree } from "../../domain/kubernetes/tree.ts";
import { plainPath } from "../gitops/controllers.ts";
import { entriesOf } from "../gitops/entries.ts";
import { type Deployer, deployersOfObjects, indexOf } from "../gitops/gitops.ts";
import { filesRead } from "../gitops/reach.ts";
import { hiddenReaders, type Unrendered } from "../gitops/readers/hidden-makers.ts";
import { isKustomization, roughText } from "../repository/reader.ts";

/** Renders one entry of a tree. Never throws for what is in the tree: what cannot be rendered is `unsupported`. */
export type Render = (tree: Tree, entry: Entry) => Promise<Rendered>;

/** A tree with the deployers that its entries make by rendering, and who else may be one without being seen. */
export interface WholeTree {
  readonly tree: Tree;
  /** Who may read one of the edited files, and could not be rendered here. */
  readonly hidden: ReturnType<typeof hiddenReaders>;
}

const wholeByTree = new WeakMap<Tree, Promise<WholeTree>>();

/**
 * Deployers are what entries render, not what files say: charts, variables, patches and replacements make and move
 * them. Only entries that may make others than their files show are rendered, once for each tree.
 */
export function withMadeDeployers(tree: Tree, render: Render): Promise<WholeTree> {
  const known = wholeByTree.get(tree);
  if (known) return known;
  const whole = wholeOf(tree, render);
  wholeByTree.set(tree, whole);
  void whole.then(
    (made) => wholeByTree.set(made.tree, whole),
    () => wholeByTree.delete(tree),
  );
  return whole;
}

// An app of apps of apps; deeper ones were never seen.
const mostRounds = 3;

async function wholeOf(tree: Tree, render: Render): Promise<WholeTree> {
  const made: MadeObject[] = [];
  const unrendered: Unrendered[] = [];
  const rendered = new Set<string>();
  const asked = new Set<string>();
  let whole = tree;
  for (let round = 0; round < mostRounds; round += 1) {
    const found: MadeObject[] = [];
    for (const entry of entriesOf(whole)) {
      const key = JSON.stringify([entry.path, entry.object, entry.cluster]);
      if (asked.has(key) || !mayMake(whole, entry)) continue;
      asked.add(key);
      const [path, name] = [plainPath(entry.path) ?? ".", entry.object ?? entry.path ?? "."];
      const result = await render(whole, entry);
      if (result.kind === "unsupported") unrendered.push({ path, name, because: result.because });
      else {
        rendered.add(path);
        found.push(...unknownAmong(whole, result.objects, entry));
      }
    }
    if (found.length === 0) break;
    made.push(...found);
    whole = { ...tree, made: [...made], over: { tree, paths: [] } };
  }
  return { tree: whole, hidden: hiddenReaders(whole, indexOf(whole), { unrendered, rendered }) };
}

/** Whether an entry may make deployers other than those that its files show. */
function mayMake(tree: Tree, entry: Entry): boolean {
  const path = plainPath(entry.path);
  if (path === null) return false;
  const { mentions } = indexOf(tree);
  const files = [...filesRead(tree, path)];
  const textOf = (file: string) => roughText(tree, file);
  const isOpen = (file: string) => mentions.has(file) && /\{\{|\$\{/.test(textOf(file));
  const moves = (file: string) =>
    isKustomization(file) && /patch|replacements|transformers|generators|helmCharts/.test(textOf(file));
  const mayReadGit = (file: string) => mentions.has(file) && readersOfGit.test(textOf(file));
  return files.some(mayReadGit) && files.some((file) => isOpen(file) || moves(file));
}

/** A release reads Git where its chart is of a GitRepository: fleets are full of others, and each costs a rendering. */
const readersOfGit = /\b(?:Application|ApplicationSet|Kustomization|GitRepository)\b|\bkind["']?:\s*["']?\$/;

function unknownAmong(tree: Tree, objects: readonly RenderedObject[], entry: Entry): MadeObject[] {
  const index = indexOf(tree);
  const by = entry.object ?? entry.path ?? ".";
  const cluster = entry.cluster === undefined ? {} : { cluster: entry.cluster };
  return objects.flatMap((object) => {
    const document = object as unknown as Record<string, unknown>;
    const [deployer] = deployersOfObjects(tree, [{ document, by, ...cluster }]);
    if (deployer === undefined || !isOfGit(deployer, document)) return [];
    const isKnown = index.deployers.some((one) => isSame(one, deployer));
    return isKnown ? [] : [{ document, by, ...cluster }];
  });
}

function isSame(one: Deployer, other: Deployer): boolean {
  const namespaces = [one.namespace, other.namespace];
  return (
    one.kind === other.kind &&
    one.name === other.name &&
    (namespaces.includes(undefined) || one.namespace === other.namespace) &&
    other.paths.every((path) => one.paths.includes(path))
  );
}

/** What Flux takes from other sources than Git stands under paths of its own. */
function isOfGit({ kind }: Deployer, { spec }: Record<string, unknown>): boolean {
  if (!isRecord(spec)) return false;
  const chart = isRecord(spec.chart) && isRecord(spec.chart.spec) ? spec.chart.spec : {};
  const source = kind === "HelmRelease" ? chart.sourceRef : spec.sourceRef;
  return kind === "Application" || kind === "ApplicationSet" || (isRecord(source) && source.kind === "GitRepository");
}
