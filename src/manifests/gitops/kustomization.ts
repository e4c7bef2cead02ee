import { posix } from "node:path";
import { z } from "zod";
import { realPath, type Tree } from "../../domain/kubernetes/tree.ts";
import { isKustomization, kustomizationsIn } from "../repository/reader.ts";
import { readKubeYaml } from "../yaml/kube-yaml.ts";

const Text = z.string();
const Paths = z.array(Text).nullish();
const StringMap = z.record(Text, Text).nullish();

export const PatchTarget = z.strictObject({
  group: Text.optional(),
  version: Text.optional(),
  kind: Text.optional(),
  name: Text.optional(),
  namespace: Text.optional(),
  labelSelector: Text.optional(),
  annotationSelector: Text.optional(),
});
export type PatchTarget = z.infer<typeof PatchTarget>;

const Patch = z.strictObject({
  path: Text.optional(),
  patch: Text.optional(),
  target: PatchTarget.optional(),
  options: z.record(Text, z.unknown()).optional(),
});
type Patch = z.infer<typeof Patch>;

const Labels = z.strictObject({
  pairs: StringMap,
  includeSelectors: z.boolean().optional(),
  includeTemplates: z.boolean().optional(),
  fields: z.array(z.unknown()).optional(),
});

const GeneratorOptions = z.strictObject({
  labels: StringMap,
  annotations: StringMap,
  disableNameSuffixHash: z.boolean().optional(),
  immutable: z.boolean().optional(),
});
export type GeneratorOptions = z.infer<typeof GeneratorOptions>;

const Generator = z.strictObject({
  name: Text.optional(),
  namespace: Text.optional(),
  behavior: Text.optional(),
  literals: Paths,
  files: Paths,
  envs: Paths,
  env: Text.optional(),
  type: Text.optional(),
  options: GeneratorOptions.nullish(),
});
export type Generator = z.infer<typeof Generator>;

const Image = z.strictObject({
  name: Text,
  newName: Text.optional(),
  newTag: Text.optional(),
  tagSuffix: Text.optional(),
  digest: Text.optional(),
});
export type Image = z.infer<typeof Image>;

/** What we understand of a kustomization file. Any other field makes it unsupported, never ignored. */
const Kustomization = z.strictObject({
  apiVersion: Text.optional(),
  kind: z.enum(["Kustomization", "Component"]).optional(),
  metadata: z.unknown().optional(),
  resources: Paths,
  bases: Paths,
  components: Paths,
  namespace: Text.nullish(),
  namePrefix: Text.nullish(),
  nameSuffix: Text.nullish(),
  commonLabels: StringMap,
  commonAnnotations: StringMap,
  labels: z.array(Labels).nullish(),
  patches: z.array(Patch).nullish(),
  patchesStrategicMerge: Paths,
  patchesJson6902: z.array(Patch).nullish(),
  replicas: z.array(z.strictObject({ name: Text, count: z.number().int() })).nullish(),
  images: z.array(Image).nullish(),
  configMapGenerator: z.array(Generator).nullish(),
  secretGenerator: z.array(Generator).nullish(),
  generatorOptions: GeneratorOptions.nullish(),
  configurations: Paths,
});
export type Kustomization = z.infer<typeof Kustomization>;

type ReadKustomization =
  | { readonly ok: true; readonly path: string; readonly value: Kustomization }
  | { readonly ok: false; readonly path: string; readonly problems: readonly string[] };

/** The kustomization of a directory (`.` is the root); undefined when the directory has none. */
export function readKustomization(tree: Tree, directory: string): ReadKustomization | undefined {
  const present = kustomizationsIn(tree, directory);
  const path = present[0];
  if (path === undefined) return undefined;
  if (present.length > 1) return { ok: false, path, problems: [`${directory} has two kustomization files`] };
  const text = readText(tree, path);
  if (!text.ok) return { ok: false, path, problems: [text.problem] };
  const documents = readKubeYaml(text.value, "kubernetes");
  if (!documents.ok) return { ok: false, path, problems: [`${path}: ${documents.problem}`] };
  if (documents.value.length !== 1) return { ok: false, path, problems: [`${path}: not exactly one document`] };
  return readKustomizationValue(path, documents.value[0]);
}

/** Reads a kustomization that is already a value; `path` is only for messages. */
function readKustomizationValue(path: string, value: unknown): ReadKustomization {
  const parsed = Kustomization.safeParse(value);
  if (parsed.success) return { ok: true, path, value: parsed.data };
  const problems = parsed.error.issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return `${path}: ${issue.path.join(".") || "(file)"}: ${issue.message}`;
    return issue.keys.map((key) => `${path}: ${[...issue.path, key].join(".")} is not known to the built-in Kustomize`);
  });
  return { ok: false, path, problems };
}

/** Longest file that is read at all, in bytes. */
export const maxFileBytes = 6_000_000;

/** The text of a file; a problem when it is absent, too long or not UTF-8. */
export function readText(
  tree: Tree,
  path: string,
): { readonly ok: true; readonly value: string } | { readonly ok: false; readonly problem: string } {
  const bytes = tree.read(path);
  if (bytes === undefined) return { ok: false, problem: `${path} is not in the repository` };
  if (bytes.byteLength > maxFileBytes) return { ok: false, problem: `${path} is longer than ${maxFileBytes} bytes` };
  try {
    return { ok: true, value: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { ok: false, problem: `${path} is not UTF-8` };
  }
}

/** A reference of a kustomization, resolved: a path inside the repository, or why it is none. */
export function resolveInside(
  directory: string,
  reference: string,
): { readonly ok: true; readonly path: string } | { readonly ok: false; readonly because: string } {
  if (isRemote(reference)) return { ok: false, because: `${reference} is a remote base` };
  if (reference.startsWith("/") || reference.includes("\\") || reference.includes("\0") || reference === "") {
    return { ok: false, because: `${JSON.stringify(reference)} is not a relative path` };
  }
  const path = posix.normalize(posix.join(directory, reference)).replace(/\/$/, "");
  if (path === ".." || path.startsWith("../")) return { ok: false, because: `${reference} leaves the repository` };
  return { ok: true, path };
}

/** True for what Kustomize would fetch: a URL, or a repository on a host. */
export function isRemote(reference: string): boolean {
  if (/^[a-z][a-z0-9+.-]*:/i.test(reference) || reference.includes("?ref=") || reference.includes("?version="))
    return true;
  // `git@host:owner/repo`, and `github.com/owner/repo//path`: a host, then a path.
  return /^[^/\s]+@[^/\s]+:/.test(reference) || /^(?:github|gitlab|bitbucket)\.(?:com|org)[/:]/i.test(reference);
}

/** Which kustomization files name a path (file or directory) directly. Unreadable kustomizations consume nothing. */
export function consumersOf(tree: Tree): ReadonlyMap<string, readonly string[]> {
  const consumers = new Map<string, string[]>();
  for (const directory of kustomizationDirectories(tree)) {
    const read = readKustomization(tree, directory);
    if (!read?.ok) continue;
    for (const reference of referencesOf(read.value)) {
      const target = resolveInside(directory, reference);
      if (!target.ok) continue;
      const path = realPath(tree, target.path) || ".";
      const known = consumers.get(path);
      if (known === undefined) consumers.set(path, [read.path]);
      else if (!known.includes(read.path)) known.push(read.path);
    }
  }
  return consumers;
}

/** Every directory that holds a kustomization file, sorted. */
export function kustomizationDirectories(tree: Tree): readonly string[] {
  const directories = tree.paths().filter(isKustomization);
  return [...new Set(directories.map((path) => posix.dirname(path)))].sort();
}

/** Every path a kustomization names: resources, bases, components, patch files and generator files. */
function referencesOf(value: Kustomization): readonly string[] {
  const generators = [...(value.configMapGenerator ?? []), ...(value.secretGenerator ?? [])];
  const files = generators.flatMap((generator) => [
    ...(generator.files ?? []).map((file) => file.slice(file.indexOf("=") + 1)),
    ...(generator.envs ?? []),
    ...(generator.env === undefined ? [] : [generator.env]),
  ]);
  const patches = [...(value.patches ?? []), ...(value.patchesJson6902 ?? [])].flatMap((patch) => patch.path ?? []);
  const strategic = (value.patchesStrategicMerge ?? []).filter((patch) => !patch.includes("\n"));
  return [...structureOf(value), ...strategic, ...patches, ...files, ...(value.configurations ?? [])];
}

/** The resources, bases and components of a kustomization, in Kustomize's order. */
function structureOf(value: Kustomization): readonly string[] {
  return [...(value.resources ?? []), ...(value.bases ?? []), ...(value.components ?? [])];
}
