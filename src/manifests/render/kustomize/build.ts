import { posix } from "node:path";
import { isRecord, type RenderedObject } from "../../../domain/kubernetes/rendered.ts";
import { realPath } from "../../../domain/kubernetes/tree.ts";
import { absorb, contentHash, generate } from "./generators.ts";
import {
  type Kustomization,
  maxFileBytes,
  readKustomization,
  readText,
  resolveInside,
} from "../../gitops/kustomization.ts";
import { followRenames } from "./name-references.ts";
import { applyPatch, type PatchText } from "./patches.ts";
import { referenceSpecs } from "./reference-specs.ts";
import { currentName, type Draft, identityOf, metadataOf, rememberName, type BuildResource } from "./build-resource.ts";
import { type BuildInput, mayRead, readConfiguration, readResources } from "./resource-files.ts";
import { transformFields, transformNames } from "./build-transform.ts";

/** The objects of a kustomization and its last steps: hashes, name references, objects that stay local. */
export function buildObjects(build: BuildInput, directory: string, value: Kustomization): readonly RenderedObject[] {
  const resources = accumulate(build, directory, value, []);
  if (build.problems.length > 0) return [];
  for (const resource of resources) {
    if (!resource.hashed) continue;
    const hash = contentHash(resource.object);
    if (hash === undefined) build.problems.push("a generated object whose hash is uncertain");
    rememberName(resource);
    const name = `${currentName(resource).name}-${hash}`;
    resource.object.metadata = { ...metadataOf(resource.object), name };
  }
  build.problems.push(...followRenames(resources, [...referenceSpecs, ...build.references]));
  return resources.filter((resource) => !isLocal(resource.object)).map((resource) => finished(build, resource));
}

/** Adds what a kustomization names to `present`, then changes all of it as the kustomization says. */
function accumulate(
  build: BuildInput,
  directory: string,
  value: Kustomization,
  present: readonly BuildResource[],
): readonly BuildResource[] {
  if (!enter(build, directory)) return [];
  let resources: BuildResource[] = [...present];
  const known = new Set(resources.map((resource) => identityOf(resource)));
  for (const reference of [...(value.resources ?? []), ...(value.bases ?? [])]) {
    for (const resource of readReference(build, directory, reference)) {
      const identity = identityOf(resource);
      if (known.has(identity)) build.problems.push(`${directory}: two objects ${describe(resource)}`);
      known.add(identity);
      resources.push(resource);
    }
    if (build.problems.length > 0) break;
  }
  for (const reference of value.configurations ?? []) addConfiguration(build, directory, reference);
  addGenerated(build, directory, value, resources);
  for (const reference of value.components ?? []) {
    if (build.problems.length > 0) break;
    resources = [...readComponent(build, directory, reference, resources)];
  }
  if (build.problems.length === 0) resources = [...transformed(build, directory, value, resources)];
  build.open.pop();
  return resources;
}

/** False (with a problem) for a cycle, as Kustomize sees it: a directory may not include itself or one above it. */
function enter(build: BuildInput, directory: string): boolean {
  const isAbove = (inner: string) => directory === "." || inner === directory || inner.startsWith(`${directory}/`);
  if (build.open.some(isAbove)) build.problems.push(`${directory} includes itself`);
  if ((build.budget.directories -= 1) < 0) build.problems.push("too many kustomizations");
  build.open.push(directory);
  return build.problems.length === 0;
}

/** What a reference means, behind symbolic links as well. */
function targetOf(build: BuildInput, directory: string, reference: string): ReturnType<typeof resolveInside> {
  const target = resolveInside(directory, reference);
  const { links } = build.tree;
  if (!target.ok || links === undefined) return target;
  const path = links.real(target.path);
  return path === undefined ? { ok: false, because: `${reference} leads nowhere` } : { ok: true, path: path || "." };
}

/** A kustomization that is a link to a file elsewhere, which Kustomize does not read. */
export function strayKustomization(build: BuildInput, path: string): readonly string[] {
  const [real, stands] = [realPath(build.tree, path), realPath(build.tree, posix.dirname(path))];
  const isBelow = stands === "" || stands === "." || real.startsWith(`${stands}/`);
  return isBelow || build.mayLeaveDirectory ? [] : [`${real} is not below ${stands}`];
}

function readReference(build: BuildInput, directory: string, reference: string): readonly BuildResource[] {
  const target = targetOf(build, directory, reference);
  if (!target.ok) {
    build.problems.push(`${directory}: ${target.because}`);
    return [];
  }
  const isFile = build.tree.read(target.path) !== undefined;
  if (isFile && mayRead(build, directory, target.path)) return readResources(build, target.path);
  if (isFile) return [];
  const value = readDirectory(build, directory, target.path, "Kustomization");
  return value === undefined ? [] : accumulate(build, target.path, value, []);
}

function readComponent(
  build: BuildInput,
  directory: string,
  reference: string,
  present: readonly BuildResource[],
): readonly BuildResource[] {
  const target = targetOf(build, directory, reference);
  if (!target.ok) build.problems.push(`${directory}: ${target.because}`);
  const value = target.ok ? readDirectory(build, directory, target.path, "Component") : undefined;
  return target.ok && value !== undefined ? accumulate(build, target.path, value, present) : [];
}

function readDirectory(
  build: BuildInput,
  from: string,
  directory: string,
  kind: "Kustomization" | "Component",
): Kustomization | undefined {
  const read = readKustomization(build.tree, directory);
  if (read === undefined) build.problems.push(`${from}: there is no kustomization in ${directory}`);
  if (!read?.ok) {
    build.problems.push(...(read?.problems ?? []));
    return undefined;
  }
  const isKind = (read.value.kind ?? "Kustomization") === kind;
  if (!isKind) build.problems.push(`${read.path} is no ${kind}`);
  build.problems.push(...headProblems(read.path, read.value), ...strayKustomization(build, read.path));
  return isKind ? read.value : undefined;
}

/** What Kustomize refuses about a kustomization as a whole. */
export function headProblems(path: string, value: Kustomization): readonly string[] {
  const { apiVersion, kind, ...fields } = value;
  const version = kind === "Component" ? "kustomize.config.k8s.io/v1alpha1" : "kustomize.config.k8s.io/v1beta1";
  const isEmpty = Object.values(fields).every((field) => field === undefined || field === null);
  return [
    ...(isEmpty ? [`${path} is empty`] : []),
    ...(apiVersion && apiVersion !== version ? [`${path}: apiVersion ${apiVersion}`] : []),
  ];
}

function addConfiguration(build: BuildInput, directory: string, reference: string): void {
  const target = targetOf(build, directory, reference);
  if (!target.ok) build.problems.push(`${directory}: ${target.because}`);
  else if (mayRead(build, directory, target.path)) readConfiguration(build, target.path);
}

function addGenerated(build: BuildInput, directory: string, value: Kustomization, resources: BuildResource[]): void {
  const readFile = (reference: string) => {
    const target = targetOf(build, directory, reference);
    if (!target.ok || !mayRead(build, directory, target.path)) return undefined;
    const bytes = build.tree.read(target.path);
    return bytes !== undefined && bytes.byteLength <= maxFileBytes ? bytes : undefined;
  };
  const wanted = [
    ...(value.configMapGenerator ?? []).map((generator) => ({ kind: "ConfigMap" as const, generator })),
    ...(value.secretGenerator ?? []).map((generator) => ({ kind: "Secret" as const, generator })),
  ];
  for (const { kind, generator } of wanted) {
    const made = generate(kind, generator, value.generatorOptions, readFile);
    if (!made.ok) {
      build.problems.push(`${directory}: ${made.because}`);
      return;
    }
    const identity = identityOf(made.value);
    const present = resources.filter((resource) =>
      [...resource.previous, currentName(resource)].some((name) => identityOf(resource, name) === identity),
    );
    const behavior = generator.behavior ?? "create";
    const [first] = present;
    if (present.length > 1) build.problems.push(`${directory}: a generator that meets two objects`);
    const problem = first === undefined ? undefined : absorb(first, made.value, behavior);
    if (problem !== undefined) build.problems.push(`${directory}: ${problem}`);
    if (first === undefined && (behavior === "merge" || behavior === "replace")) {
      build.problems.push(`${directory}: a generator has nothing to ${behavior}`);
    }
    if (first === undefined) resources.push(made.value);
  }
}

function transformed(
  build: BuildInput,
  directory: string,
  value: Kustomization,
  present: readonly BuildResource[],
): readonly BuildResource[] {
  const early = [
    ...(value.patchesStrategicMerge ?? []).map((patch) =>
      patch.includes("\n")
        ? { field: "patchesStrategicMerge" as const, patch }
        : { field: "patchesStrategicMerge" as const, path: patch },
    ),
    ...(value.patches ?? []).map((patch) => ({ ...patch, field: "patches" as const })),
  ];
  const late = (value.patchesJson6902 ?? []).map((patch) => ({ ...patch, field: "patchesJson6902" as const }));
  const patched = patchedBy(build, directory, early, present);
  build.problems.push(...transformNames(patched, value).map((problem) => `${directory}: ${problem}`));
  const all = patchedBy(build, directory, late, patched);
  build.problems.push(...transformFields(all, value).map((problem) => `${directory}: ${problem}`));
  return all;
}

interface NamedPatch {
  readonly field: PatchText["field"];
  readonly path?: string | undefined;
  readonly patch?: string | undefined;
  readonly target?: PatchText["target"];
  readonly options?: unknown;
}

function patchedBy(
  build: BuildInput,
  directory: string,
  patches: readonly NamedPatch[],
  present: readonly BuildResource[],
): readonly BuildResource[] {
  let resources = present;
  for (const patch of patches) {
    if (build.problems.length > 0) return resources;
    const text = patchText(build, directory, patch);
    if (patch.options !== undefined) build.problems.push(`${directory}: a patch with options`);
    if (text === undefined) return resources;
    const patched = applyPatch(resources, { text, target: patch.target, field: patch.field });
    if (patched.ok) resources = patched.value;
    else build.problems.push(`${patch.path ?? directory}: ${patched.because}`);
  }
  return resources;
}

function patchText(build: BuildInput, directory: string, patch: NamedPatch): string | undefined {
  const inline = patch.patch?.trim() ?? "";
  if ((inline === "") === (patch.path === undefined)) {
    build.problems.push(`${directory}: a patch needs either a path or a text`);
    return undefined;
  }
  if (patch.path === undefined) return inline;
  const target = targetOf(build, directory, patch.path);
  if (!target.ok) {
    build.problems.push(`${directory}: ${target.because}`);
    return undefined;
  }
  if (!mayRead(build, directory, target.path)) return undefined;
  const text = readText(build.tree, target.path);
  if (text.ok) return text.value;
  build.problems.push(text.problem);
  return undefined;
}

function isLocal(object: Draft): boolean {
  const { annotations } = metadataOf(object);
  if (!isRecord(annotations) || !Object.hasOwn(annotations, "config.kubernetes.io/local-config")) return false;
  return annotations["config.kubernetes.io/local-config"] !== "false";
}

/** Kustomize writes every annotation as a text and leaves out an empty map of them. */
function finished(build: BuildInput, resource: BuildResource): RenderedObject {
  const { object } = resource;
  const { annotations, ...metadata } = metadataOf(object);
  const entries = Object.entries(isRecord(annotations) ? annotations : {});
  const texts = entries.map(([key, value]) => [key, value === undefined ? "" : value] as const);
  if (texts.some(([, value]) => typeof value !== "string")) {
    build.problems.push(`${describe(resource)}: an annotation that is no text`);
  }
  const labels = Object.values(isRecord(metadata.labels) ? metadata.labels : {});
  if (labels.some((value) => value === null || value === undefined)) {
    build.problems.push(`${describe(resource)}: a label without a value`);
  }
  const written = texts.length === 0 ? metadata : { ...metadata, annotations: Object.fromEntries(texts) };
  return withNulls({ ...object, metadata: written }) as RenderedObject;
}

function withNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNulls);
  if (!isRecord(value)) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withNulls(item)]));
}

function describe(resource: BuildResource): string {
  const { kind, namespace, name } = currentName(resource);
  return `${kind} ${namespace}/${name}`;
}
