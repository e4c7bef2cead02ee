import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { type Deployer, indexOf, reaching, type RepositoryIndex } from "../gitops/gitops.ts";
import { foreignSource } from "../gitops/own-repository.ts";
import { directoryOf } from "../repository/reader.ts";
import { refused, type Refusal } from "../repository/refusal.ts";
import { resourcesOf } from "../repository/resource.ts";
import type { FieldQuestion } from "./entry-build.ts";
import { takersOf } from "./sharing.ts";
import { maxFileBytes, parseSource } from "../yaml/source.ts";

/** Where a workload comes from that nobody could lead to its entry. */
interface Deduced {
  readonly path: string;
  /** Why it is perhaps not applied at all, for people. */
  readonly unreached?: string;
}

/** The entry of a workload when nobody could name it: what its labels say, else the only manifest that fits. */
export function deducedEntry(tree: Tree, question: FieldQuestion): Deduced | Refusal {
  const index = indexOf(tree);
  const labelled = labelledEntry(index, question);
  if (labelled !== undefined) return { path: labelled };
  const { workload } = question;
  const what = `${workload.kind} ${workload.name}`;
  const all = filesWith(tree, question);
  const files = all.filter((one) => !archived.test(one) || takersOf({ tree, index }, one).length > 0);
  const [file] = files;
  if (file === undefined) {
    const because = all[0] === undefined ? `no file of the repository holds ${what}` : archivedOnly(all[0], what);
    return refused("not-found", because, "Name the path that deploys it.");
  }
  if (files.length > 1)
    return refused(
      "ambiguous",
      `${files.slice(0, 5).join(", ")} all hold ${what}`,
      "Say which of them the cluster runs.",
    );
  const roots = [...reaching(index, file)].filter((directory) => reaching(index, directory).size === 0);
  if (roots.length > 1)
    return refused(
      "ambiguous",
      `${roots.slice(0, 5).join(", ")} all build ${file}`,
      "Say which of them the cluster runs.",
    );
  const takers = takersOf({ tree, index }, file);
  const [taker, ...more] = takers;
  // What one object takes from a plain directory it applies as the whole that it reads.
  const taken = more.length === 0 && taker?.paths.length === 1 ? taker.paths[0] : undefined;
  const unreached = taker === undefined ? passedOver(tree, index, file) : undefined;
  return { path: roots[0] ?? taken ?? file, ...(unreached === undefined ? {} : { unreached }) };
}

/** What people call a place for what runs no longer. */
export const archived =
  /(?:^|\/)[._-]?(?:archived?|archives|attic|deprecated|disabled|graveyard|obsolete|retired|unused)\//i;

const archivedOnly = (file: string, what: string): string =>
  `${file} holds ${what}, but is put away, and no Flux or Argo CD object here deploys it`;

/** Why an entry that no object here deploys, while others are deployed from here, is perhaps applied by nobody. */
export function unreachedEntry(tree: Tree, { tool, path, object }: Entry): string | undefined {
  if (tool !== "kustomize" || object !== undefined || path === null) return undefined;
  const index = indexOf(tree);
  // A path that a template fills in may be this one.
  const isOpen = index.deployers.some((one) => one.paths.some((place) => /[{$]/.test(place)));
  return isOpen ? undefined : passedOver(tree, index, path);
}

/** Where objects of Flux and Argo CD deploy what is here, what none of them reads is perhaps applied by nobody. */
function passedOver(tree: Tree, index: RepositoryIndex, file: string): string | undefined {
  const isHere = (path: string) => index.directories.has(path) || tree.read(path) !== undefined;
  for (const one of index.deployers) {
    const path = one.kind === "HelmRelease" ? undefined : one.paths.find(isHere);
    if (path === undefined || foreignSource(index, one, path)) continue;
    return `no Flux or Argo CD object here deploys ${file} (${one.kind} ${one.name} deploys ${path || "."}): name the path that is applied`;
  }
  return undefined;
}

/** Flux and Argo CD write on every object which of their objects applied it. */
function labelledEntry(index: RepositoryIndex, { workload }: FieldQuestion): string | undefined {
  const flux = workload.labels?.["kustomize.toolkit.fluxcd.io/name"];
  const application =
    workload.annotations?.["argocd.argoproj.io/tracking-id"]?.split(":")[0] ??
    workload.labels?.["argocd.argoproj.io/instance"];
  const release = workload.labels?.["helm.toolkit.fluxcd.io/name"];
  const only = (kind: Deployer["kind"], name: string | undefined): Deployer | undefined => {
    const fitting = index.deployers.filter((one) => one.kind === kind && one.name === name);
    return fitting.length === 1 ? fitting[0] : undefined;
  };
  const deployer = only("Kustomization", flux) ?? only("Application", application);
  if (deployer?.paths.length === 1) return deployer.paths[0];
  const made = only("HelmRelease", release);
  return made ? directoryOf(made.file) : undefined;
}

function filesWith(tree: Tree, { workload }: FieldQuestion): string[] {
  const latin1 = new TextDecoder("latin1");
  const found: string[] = [];
  for (const path of tree.paths()) {
    if (!/\.(?:ya?ml|json)$/.test(path)) continue;
    const bytes = tree.read(path);
    if (!bytes || bytes.length > maxFileBytes) continue;
    const text = latin1.decode(bytes);
    if (!text.includes(workload.kind) || !text.includes(workload.name)) continue;
    const source = parseSource(path, bytes);
    const resources = source.ok ? source.file.documents.flatMap((document) => resourcesOf(document.root)) : [];
    const fits = resources.some(
      (one) =>
        one.kind === workload.kind &&
        one.names[0] === workload.name &&
        (one.namespace ?? workload.namespace) === workload.namespace,
    );
    if (fits) found.push(path);
  }
  return found.sort();
}
