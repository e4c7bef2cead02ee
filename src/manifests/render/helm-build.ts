import { posix } from "node:path";
import { z } from "zod";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { unfitNames } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { controllerObjectOf, plainPath } from "../gitops/controllers.ts";
import { maxFileBytes, resolveInside } from "../gitops/kustomization.ts";
import { filesBelow, seenBy } from "../gitops/links.ts";
import { renderYaml } from "../yaml/yaml.ts";

/** What `helm template` needs for the chart of an Argo CD Application. */
export interface HelmBuild {
  readonly kind: "prepared";
  readonly release: string;
  readonly namespace: string;
  /** The files of the chart by their path below it. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Texts of values in the order in which later ones win. */
  readonly values: readonly Uint8Array[];
}

const Source = z.strictObject({
  repoURL: z.string(),
  path: z.string(),
  targetRevision: z.string().optional(),
  name: z.string().optional(),
  ref: z.string().optional(),
  helm: z
    .strictObject({
      releaseName: z.string().optional(),
      valueFiles: z.array(z.string()).optional(),
      ignoreMissingValueFiles: z.boolean().optional(),
      values: z.string().optional(),
      valuesObject: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
});
const Spec = z.object({
  destination: z.object({ namespace: z.string().optional() }),
  source: z.unknown().optional(),
  // Where there are several, the one source says nothing.
  sources: z.array(z.record(z.string(), z.unknown())).optional(),
});

type Unsupported = { readonly kind: "unsupported"; readonly because: string };

/** Undefined when the entry is no Application with a chart in this repository. */
export function helmBuild(tree: Tree, entry: Entry): HelmBuild | Unsupported | undefined {
  const directory = plainPath(entry.path);
  const seen = seenBy(entry.tool, tree);
  if (!seen.ok) return entry.tool === "argocd" ? unsupported(seen.because) : undefined;
  if (entry.tool !== "argocd" || directory === null || !tree.read(posix.join(directory, "Chart.yaml")))
    return undefined;
  const object = entry.object === undefined ? undefined : controllerObjectOf(tree, entry);
  const read = object && sourceOf(object.spec, directory);
  if (object === undefined || read === undefined)
    return unsupported(`${entry.object ?? "the Application"} has source fields that are not understood`);
  const { source, destination, here } = read;
  const release = source.helm?.releaseName ?? object.entry.object?.split("/")[1] ?? "";
  const namespace = destination.namespace ?? "default";
  const unfit = unfitNames({ release, namespace });
  if (unfit !== undefined) return unsupported(unfit);
  const found = filesOf(tree, directory, { helm: source.helm ?? {}, here });
  return "because" in found ? found : { kind: "prepared", release, namespace, ...found };
}

/** The only source with this path; undefined where there is another one, or fields that are not understood. */
function sourceOf(spec: unknown, directory: string) {
  const { data } = Spec.safeParse(spec);
  if (data === undefined) return undefined;
  const { destination, source, sources = [] } = data;
  const isMine = ({ path }: Record<string, unknown>) => typeof path === "string" && plainPath(path) === directory;
  const [mine, ...others] = data.sources === undefined ? [source] : sources.filter(isMine);
  const own = Source.safeParse(mine).data;
  if (own === undefined || others.length > 0) return undefined;
  return { source: own, destination, here: namesOfHere(own, sources) };
}

/** The names under which sources of one Application refer to the commit that this source reads. */
function namesOfHere(own: Source, sources: readonly Record<string, unknown>[]): ReadonlySet<string> {
  const named = sources.filter(({ ref }) => typeof ref === "string");
  const isHere = (one: Record<string, unknown>) =>
    one.repoURL === own.repoURL &&
    one.targetRevision === own.targetRevision &&
    named.filter(({ ref }) => ref === one.ref).length === 1;
  return new Set(named.filter(isHere).map(({ ref }) => String(ref)));
}

function unsupported(because: string): Unsupported {
  return { kind: "unsupported", because };
}

type Source = z.infer<typeof Source>;

interface Read {
  readonly helm: NonNullable<Source["helm"]>;
  readonly here: ReadonlySet<string>;
}

function filesOf(tree: Tree, directory: string, read: Read): Pick<HelmBuild, "files" | "values"> | Unsupported {
  const { helm } = read;
  const values: Uint8Array[] = [];
  for (const reference of helm.valueFiles ?? []) {
    const target = valueFile(directory, reference, read);
    if (target === undefined) return unsupported(`the value file ${reference}`);
    const bytes = tree.read(target);
    if (bytes === undefined && helm.ignoreMissingValueFiles === true) continue;
    if (bytes === undefined) return unsupported(`the value file ${target} is not there`);
    if (bytes.byteLength > maxFileBytes) return unsupported(`${target} is too long`);
    values.push(bytes);
  }
  const prefix = directory === "." ? "" : `${directory}/`;
  const files = new Map<string, Uint8Array>();
  const below = filesBelow(tree, directory);
  if (below.broken !== undefined) return unsupported(below.broken.because);
  for (const name of below.paths) {
    const bytes = tree.read(name);
    if (bytes === undefined || bytes.byteLength > maxFileBytes) return unsupported(`${name} is too long`);
    files.set(name.slice(prefix.length), bytes);
  }
  const inline = helm.valuesObject === undefined ? helm.values : renderYaml(helm.valuesObject);
  if (inline !== undefined) values.push(new TextEncoder().encode(inline));
  return { files, values };
}

/** Where a value file is: below the chart, or by the name of a source from the root on. */
function valueFile(directory: string, reference: string, { here }: Read): string | undefined {
  const [, name = "", path = ""] = /^\$([^/]+)\/(.+)$/.exec(reference) ?? [];
  const [from, file] = here.has(name) ? [".", path] : [directory, reference];
  const target = resolveInside(from, file);
  return target.ok && !/[*?[$]/.test(file) ? target.path : undefined;
}
