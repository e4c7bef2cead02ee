import type { Tree } from "../../domain/kubernetes/tree.ts";
import { type Deployer, indexOf, reaching, type RepositoryIndex } from "../gitops/gitops.ts";
import { directoryOf } from "../repository/reader.ts";
import { refused, type Refusal } from "../repository/refusal.ts";
import { resourcesOf } from "../repository/resource.ts";
import type { FieldQuestion } from "./entry-build.ts";
import { maxFileBytes, parseSource } from "../yaml/source.ts";

/** The entry of a workload when nobody could name it: what its labels say, else the only manifest that fits. */
export function deducedEntry(tree: Tree, question: FieldQuestion): string | Refusal {
  const index = indexOf(tree);
  const labelled = labelledEntry(index, question);
  if (labelled !== undefined) return labelled;
  const { workload } = question;
  const what = `${workload.kind} ${workload.name}`;
  const files = filesWith(tree, question);
  const [file] = files;
  if (file === undefined)
    return refused("not-found", `no file of the repository holds ${what}`, "Name the path that deploys it.");
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
  return roots[0] ?? file;
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
