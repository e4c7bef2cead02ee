import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../../domain/kubernetes/tree.ts";
import { readKubeYaml } from "../../yaml/kube-yaml.ts";
import { readText } from "../../gitops/kustomization.ts";
import { configuredReferences, type ReferenceSpec } from "./reference-specs.ts";
import { type Draft, metadataOf, type BuildResource, resourceOf } from "./build-resource.ts";

/** One build. Any problem makes its result worthless: it goes on only to end soon. */
export interface BuildInput {
  readonly tree: Tree;
  /** Kustomize alone reads no file above a kustomization's directory; Flux does, inside the repository. */
  mayLeaveDirectory: boolean;
  /** How plain scalars of objects are read: Argo CD itself reads plain directories as Kubernetes does. */
  dialect: "kustomize" | "kubernetes";
  readonly problems: string[];
  /** Name references that the repository's own configuration adds. */
  readonly references: ReferenceSpec[];
  /** The directories that are being built, outermost first. */
  readonly open: string[];
  readonly budget: { directories: number; bytes: number; objects: number };
}

export function newBuild(tree: Tree, mayLeaveDirectory: boolean): BuildInput {
  const budget = { directories: 3_000, bytes: 60_000_000, objects: 30_000 };
  return { tree, mayLeaveDirectory, dialect: "kustomize", problems: [], references: [], open: [], budget };
}

/** Whether a kustomization may read this file; a problem when not. */
export function mayRead(build: BuildInput, directory: string, path: string): boolean {
  const isBelow = directory === "." || path.startsWith(`${directory}/`);
  if (!isBelow && !build.mayLeaveDirectory) build.problems.push(`${path} is not below ${directory}`);
  return isBelow || build.mayLeaveDirectory;
}

/** The objects of one file, lists unpacked. */
export function readResources(build: BuildInput, path: string): readonly BuildResource[] {
  const size = build.tree.read(path)?.byteLength ?? 0;
  if ((build.budget.bytes -= size) < 0) build.problems.push("too many bytes of manifests");
  if (build.problems.length > 0) return [];
  const text = readText(build.tree, path);
  const documents = text.ok ? readKubeYaml(text.value, build.dialect) : text;
  if (!documents.ok) {
    build.problems.push(documents.problem.startsWith(path) ? documents.problem : `${path}: ${documents.problem}`);
    return [];
  }
  const objects = unpacked(documents.value);
  if ((build.budget.objects -= objects.length) < 0) build.problems.push("too many objects");
  return objects.flatMap((object) => {
    const resource = resourceOf(object);
    const problem = resource.ok ? reservedProblem(resource.value.object) : resource.problem;
    if (problem !== undefined) build.problems.push(`${path}: ${problem}`);
    return resource.ok ? [resource.value] : [];
  });
}

/** A `List`, or any kind that ends so and has items, stands for its items. */
function unpacked(documents: readonly unknown[]): readonly unknown[] {
  const open = [...documents];
  const objects: unknown[] = [];
  for (let index = 0; index < open.length && index < 100_000; index += 1) {
    const document = open[index];
    if (isRecord(document) && Object.keys(document).length === 0) continue;
    const isList = isRecord(document) && String(document.kind).endsWith("List") && Object.hasOwn(document, "items");
    if (!isList) objects.push(document);
    else if (Array.isArray(document.items)) open.push(...document.items);
    else if (document.items !== null && document.items !== undefined) objects.push(document.items);
  }
  return objects;
}

/** Annotations that steer Kustomize itself. */
function reservedProblem(object: Draft): string | undefined {
  const annotations = metadataOf(object).annotations;
  const keys = isRecord(annotations) ? Object.keys(annotations) : [];
  return keys.find((key) => /^(internal\.config\.kubernetes\.io|kustomize\.config\.k8s\.io)\//.test(key));
}

/** Reads a transformer configuration; only `nameReference` is understood. */
export function readConfiguration(build: BuildInput, path: string): void {
  const text = readText(build.tree, path);
  const documents = text.ok ? readKubeYaml(text.value, "kubernetes") : text;
  const specs = documents.ok && documents.value.length === 1 ? configuredReferences(documents.value[0]) : undefined;
  if (specs === undefined) build.problems.push(`${path}: a configuration with more than plain name references`);
  else build.references.push(...specs);
}
