import { z } from "zod";
import { isRecord, type RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { plainScalar } from "../yaml/kube-yaml.ts";
import type { Kustomization } from "../gitops/kustomization.ts";

/** What a Flux Kustomization adds to the kustomization at its path. Keys that do not touch the objects are left out. */
const FluxSpec = z.object({
  targetNamespace: z.string().optional(),
  namePrefix: z.string().optional(),
  nameSuffix: z.string().optional(),
  components: z.array(z.string()).optional(),
  patches: z
    .array(
      z.strictObject({
        patch: z.string(),
        target: z
          .strictObject({
            group: z.string().optional(),
            version: z.string().optional(),
            kind: z.string().optional(),
            name: z.string().optional(),
            namespace: z.string().optional(),
            labelSelector: z.string().optional(),
            annotationSelector: z.string().optional(),
          })
          .optional(),
      }),
    )
    .optional(),
  images: z
    .array(
      z.strictObject({
        name: z.string(),
        newName: z.string().optional(),
        newTag: z.string().optional(),
        digest: z.string().optional(),
      }),
    )
    .optional(),
  commonMetadata: z
    .strictObject({
      labels: z.record(z.string(), z.string()).optional(),
      annotations: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
  postBuild: z
    .strictObject({
      substitute: z.record(z.string(), z.string()).optional(),
      substituteFrom: z.array(z.unknown()).optional(),
      strategy: z.unknown().optional(),
    })
    .optional(),
});
/** What Flux adds, or what the `kustomize` options of an Argo CD source add in the same way. */
export type FluxSpec = z.infer<typeof FluxSpec> & Pick<Kustomization, "replicas" | "commonLabels">;

const harmless = new Set([
  ...["interval", "retryInterval", "timeout", "path", "prune", "wait", "sourceRef", "dependsOn", "force", "suspend"],
  ...[
    "healthChecks",
    "healthCheckExprs",
    "decryption",
    "serviceAccountName",
    "kubeConfig",
    "deletionPolicy",
    "validation",
  ],
]);

/** Reads the spec; undefined when it holds what could change objects in a way we do not know. */
export function readFluxSpec(spec: Readonly<Record<string, unknown>>): FluxSpec | undefined {
  const own = Object.keys(FluxSpec.shape);
  if (Object.keys(spec).some((key) => !harmless.has(key) && !own.includes(key))) return undefined;
  const parsed = FluxSpec.safeParse(spec);
  return parsed.success ? parsed.data : undefined;
}

/** The kustomization as Flux builds it: the spec's names win, its patches and components come last. */
export function withFluxSpec(value: Kustomization, spec: FluxSpec): Kustomization {
  const images = [...(value.images ?? [])];
  for (const image of spec.images ?? []) {
    const at = images.findIndex((present) => present.name === image.name);
    if (at < 0) images.push(image);
    else images[at] = image;
  }
  return {
    ...value,
    ...(spec.targetNamespace ? { namespace: spec.targetNamespace } : {}),
    ...(spec.namePrefix ? { namePrefix: spec.namePrefix } : {}),
    ...(spec.nameSuffix ? { nameSuffix: spec.nameSuffix } : {}),
    ...(spec.components?.length ? { components: [...(value.components ?? []), ...spec.components] } : {}),
    ...(spec.patches?.length ? { patches: [...(value.patches ?? []), ...spec.patches] } : {}),
    ...(images.length > 0 ? { images } : {}),
    ...(spec.replicas?.length ? { replicas: [...(value.replicas ?? []), ...spec.replicas] } : {}),
    ...(spec.commonLabels ? { commonLabels: { ...value.commonLabels, ...spec.commonLabels } } : {}),
  };
}

/**
 * What Flux does to the built objects: variables and common metadata. A variable whose value only the cluster knows
 * stays as it is written, the same before and after an edit; one that nothing else may set has what its text says.
 */
export function withPostBuild(
  objects: readonly RenderedObject[],
  spec: FluxSpec,
): { readonly ok: true; readonly value: readonly RenderedObject[] } | { readonly ok: false; readonly because: string } {
  const state = { problem: undefined as string | undefined };
  const { substitute: variables = {}, substituteFrom = [] } = spec.postBuild ?? {};
  const known = { variables, areAll: substituteFrom.length === 0 };
  const value = objects.map((object) => {
    const filled = spec.postBuild === undefined || isExempt(object) ? object : substituted(object, known, state);
    const { labels, annotations } = spec.commonMetadata ?? {};
    const metadata = {
      ...(filled as RenderedObject).metadata,
      ...mergedTexts("labels", filled, labels),
      ...mergedTexts("annotations", filled, annotations),
    };
    return { ...(filled as RenderedObject), metadata };
  });
  return state.problem === undefined ? { ok: true, value } : { ok: false, because: state.problem };
}

function mergedTexts(
  field: "labels" | "annotations",
  object: unknown,
  texts: Readonly<Record<string, string>> | undefined,
) {
  if (texts === undefined || !isRecord(object) || !isRecord(object.metadata)) return {};
  const present = object.metadata[field];
  return { [field]: { ...(isRecord(present) ? present : {}), ...texts } };
}

const exemption = "kustomize.toolkit.fluxcd.io/substitute";

function isExempt({ metadata }: RenderedObject): boolean {
  return [metadata.labels, metadata.annotations].some((map) => isRecord(map) && map[exemption] === "disabled");
}

/** An image, which YAML reads as a text although it holds colons. */
const image = /^[A-Za-z][\w./-]*(?::[\w][\w./-]*)+$/;

interface Variables {
  readonly variables: Readonly<Record<string, string>>;
  /** False where only the cluster knows others. */
  readonly areAll: boolean;
}

/** Flux replaces in the text of the object, so a value that reads as a number becomes one. */
function substituted(value: unknown, from: Variables, state: { problem: string | undefined }): unknown {
  if (Array.isArray(value)) return value.map((item) => substituted(item, from, state));
  if (isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substituted(item, from, state)]));
  }
  if (typeof value !== "string" || !value.includes("${")) return value;
  let isOpen = false;
  const text = value.replace(
    /\$\{([A-Za-z_]\w*)(?::?[=-]([\w./@-]*))?\}/g,
    (match, name: string, fallback?: string) => {
      const said = Object.hasOwn(from.variables, name) ? from.variables[name] : undefined;
      const known = said ?? (from.areAll ? fallback : undefined);
      if (known === undefined) isOpen = true;
      else if (!/^[\w./@+-]*$/.test(known) && !image.test(known))
        state.problem = `the variable ${name} holds characters that YAML reads`;
      return known === undefined ? match : known === "" && fallback !== undefined ? fallback : known;
    },
  );
  if (isOpen || text.includes("${") || !/^[\w./@+-]+$/.test(text)) return text;
  return plainScalar(text) ?? text;
}
