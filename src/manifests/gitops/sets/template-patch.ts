import { z } from "zod";
import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import { readKubeYaml } from "../../yaml/kube-yaml.ts";

type Written = Readonly<Record<string, unknown>>;

/** An Application with what Git says of it. */
interface Application {
  readonly metadata: Written;
  readonly spec: Written;
}

/**
 * An Application with the patch of its set, filled in, as Argo CD merges it: mappings by key, a null takes away, and
 * everything else is replaced, lists as well. Undefined where the patch says more than that, or what Argo CD refuses.
 */
export function withPatch({ metadata, spec }: Application, patch: string): Application | undefined {
  const documents = readKubeYaml(patch, "kubernetes");
  if (!documents.ok || documents.value.length > 1) return undefined;
  const [said = {}] = documents.value;
  if (!isRecord(said) || hasDirective(said) || Object.keys(said).some((key) => !parts.has(key))) return undefined;
  const all = mergedOnto({ metadata, spec }, said);
  const made = all && Made.safeParse(all);
  return made?.success === true ? made.data : undefined;
}

const parts: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata", "spec"]);

// What Argo CD reads as another type it refuses, and then there is no Application at all.
const text = z.string().optional();
const texts = z.record(z.string(), z.string()).optional();
const Parameter = z.looseObject({ name: text, value: text, forceString: z.boolean().optional() });
const Helm = z.looseObject({
  releaseName: text,
  values: text,
  valuesObject: z.record(z.string(), z.unknown()).optional(),
  valueFiles: z.array(z.string()).optional(),
  parameters: z.array(Parameter).optional(),
  ignoreMissingValueFiles: z.boolean().optional(),
});
const Source = z.looseObject({
  ...{ repoURL: text, path: text, targetRevision: text, chart: text, ref: text },
  helm: Helm.optional(),
});
const Made = z.object({
  metadata: z.looseObject({ name: text, labels: texts, annotations: texts }),
  spec: z.looseObject({
    source: Source.optional(),
    sources: z.array(Source).optional(),
    destination: z.looseObject({ server: text, name: text, namespace: text }).optional(),
  }),
});

/** `$patch` and the like, which change how the rest is merged. */
function hasDirective(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasDirective);
  if (!isRecord(value)) return false;
  return Object.entries(value).some(([key, item]) => key.startsWith("$") || hasDirective(item));
}

function mergedOnto(below: Written, patch: Written, isFree = false): Record<string, unknown> | undefined {
  const all: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(patch)) {
    const old = all[key];
    if (value === null || value === undefined) delete all[key];
    else if (isFree && isRecord(old) === isRecord(value) && typeof value === "object" && typeof old === "object")
      // Argo CD knows no type for what is written in there, and gives up.
      return undefined;
    else if (isRecord(old) && isRecord(value)) {
      const inner = mergedOnto(old, value, key === "valuesObject");
      if (inner === undefined) return undefined;
      all[key] = inner;
    } else all[key] = isRecord(value) ? withoutNulls(value) : value;
  }
  return all;
}

const withoutNulls = (value: Written): Written =>
  Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      item === null || item === undefined ? [] : [[key, isRecord(item) ? withoutNulls(item) : item]],
    ),
  );
