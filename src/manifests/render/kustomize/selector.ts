import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import type { PatchTarget } from "../../gitops/kustomization.ts";
import { currentName, gvkOf, metadataOf, originalName, type BuildResource } from "./build-resource.ts";

/** The resources a patch target means; a problem when its patterns are not simple enough to be sure. */
export function selectResources(
  resources: readonly BuildResource[],
  target: PatchTarget,
): { readonly ok: true; readonly value: readonly BuildResource[] } | { readonly ok: false; readonly because: string } {
  const patterns = new Map<string, RegExp>();
  for (const field of ["group", "version", "kind", "name", "namespace"] as const) {
    const text = target[field];
    if (text === undefined || text === "") continue;
    const pattern = patternOf(text);
    if (pattern === undefined) return { ok: false, because: `the pattern ${text} in a patch target` };
    patterns.set(field, pattern);
  }
  const labels = requirementsOf(target.labelSelector ?? "");
  const annotations = requirementsOf(target.annotationSelector ?? "");
  if (labels === undefined || annotations === undefined) return { ok: false, because: "a selector in a patch target" };
  const matches = (field: string, ...texts: readonly string[]) => {
    const pattern = patterns.get(field);
    return pattern === undefined || texts.some((text) => pattern.test(text));
  };
  const value = resources.filter((resource) => {
    const gvk = gvkOf(resource.object);
    const names = [originalName(resource), currentName(resource)];
    return (
      matches("group", gvk.group) &&
      matches("version", gvk.version) &&
      matches("kind", gvk.kind) &&
      matches("name", ...names.map((name) => name.name)) &&
      matches("namespace", ...names.map((name) => name.namespace || notANamespace)) &&
      labels.every((meets) => meets(metadataOf(resource.object).labels)) &&
      annotations.every((meets) => meets(metadataOf(resource.object).annotations))
    );
  });
  return { ok: true, value };
}

/** What Kustomize writes for the namespace of an object that has none; patterns are matched against it. */
const notANamespace = "_non_namespaceable_";

/** Literals, `.`, `.*`, `.+`, groups and alternatives: the same in Go and here, and never slow. */
function patternOf(text: string): RegExp | undefined {
  const isSimple = /^\^?(?:[A-Za-z0-9_|()-]|\\\.|\.[*+]?)*\$?$/.test(text) && !/\)[*+?]|\(\?/.test(text);
  const repeats = text.match(/\.[*+]/g)?.length ?? 0;
  if (!isSimple || repeats > 3 || text.length > 300) return undefined;
  try {
    return new RegExp(`^(?:${text})$`);
  } catch {
    return undefined;
  }
}

type Requirement = (values: unknown) => boolean;

/** The parts of a label selector; only `a`, `!a`, `a=b`, `a==b` and `a!=b` are understood. */
function requirementsOf(selector: string): readonly Requirement[] | undefined {
  if (selector.trim() === "") return [];
  const requirements = selector.split(",").map((part) => requirementOf(part.trim()));
  return requirements.every((requirement) => requirement !== undefined) ? requirements : undefined;
}

function requirementOf(part: string): Requirement | undefined {
  const match = /^(!?)([A-Za-z0-9._/-]+)(?:\s*(==|=|!=)\s*([A-Za-z0-9._-]*))?$/.exec(part);
  if (!match?.[2] || (match[1] === "!" && match[3] !== undefined)) return undefined;
  const [, not, key, operator, wanted] = match;
  const textOf = (values: unknown) => {
    const value = isRecord(values) && Object.hasOwn(values, key) ? values[key] : undefined;
    return value === undefined || value === null ? undefined : String(value);
  };
  if (operator === undefined) return (values) => (textOf(values) !== undefined) === (not !== "!");
  if (operator === "!=") return (values) => textOf(values) !== wanted;
  return (values) => textOf(values) === wanted;
}
