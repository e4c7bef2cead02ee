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

const Spec = z.object({
  destination: z.object({ namespace: z.string().optional() }),
  source: z.strictObject({
    repoURL: z.string(),
    path: z.string(),
    targetRevision: z.string().optional(),
    helm: z
      .strictObject({
        releaseName: z.string().optional(),
        valueFiles: z.array(z.string()).optional(),
        ignoreMissingValueFiles: z.boolean().optional(),
        values: z.string().optional(),
        valuesObject: z.record(z.string(), z.unknown()).optional(),
      })
      .optional(),
  }),
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
  const spec = Spec.safeParse(object?.spec);
  if (object === undefined || !spec.success || object.spec.sources !== undefined) {
    return unsupported(`${entry.object ?? "the Application"} has source fields that are not understood`);
  }
  const { source, destination } = spec.data;
  const release = source.helm?.releaseName ?? object.entry.object?.split("/")[1] ?? "";
  const namespace = destination.namespace ?? "default";
  const unfit = unfitNames({ release, namespace });
  if (unfit !== undefined) return unsupported(unfit);
  const found = filesOf(tree, directory, source.helm ?? {});
  return "because" in found ? found : { kind: "prepared", release, namespace, ...found };
}

function unsupported(because: string): Unsupported {
  return { kind: "unsupported", because };
}

type HelmSource = NonNullable<z.infer<typeof Spec>["source"]["helm"]>;

function filesOf(tree: Tree, directory: string, helm: HelmSource): Pick<HelmBuild, "files" | "values"> | Unsupported {
  const values: Uint8Array[] = [];
  for (const reference of helm.valueFiles ?? []) {
    const target = resolveInside(directory, reference);
    if (!target.ok || /[*?[$]/.test(reference)) return unsupported(`the value file ${reference}`);
    const bytes = tree.read(target.path);
    if (bytes === undefined && helm.ignoreMissingValueFiles === true) continue;
    if (bytes === undefined) return unsupported(`the value file ${target.path} is not there`);
    if (bytes.byteLength > maxFileBytes) return unsupported(`${target.path} is too long`);
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
