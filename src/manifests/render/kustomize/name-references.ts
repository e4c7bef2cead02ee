import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import { type FieldSpec, setField } from "./field-specs.ts";
import { type ReferenceSpec, referenceSpecs } from "./reference-specs.ts";
import {
  currentName,
  type Gvk,
  gvkOf,
  isClusterScoped,
  isSelected,
  metadataOf,
  originalName,
  type BuildResource,
} from "./build-resource.ts";

/** Lets every reference follow the renamed object it means. The answer is a list of problems. */
export function followRenames(
  resources: readonly BuildResource[],
  specs: readonly ReferenceSpec[] = referenceSpecs,
): readonly string[] {
  const renamed = renamedByName(resources);
  if (renamed.size === 0) return [];
  const problems: string[] = [];
  for (const referrer of resources) {
    const kind = { ...gvkOf(referrer.object), kind: originalName(referrer).kind };
    for (const { target, referrers } of specs) {
      const fields = referrers.filter((candidate) => isSelected(kind, candidate));
      for (const spec of fields) followField({ referrer, target, renamed, problems, isRole: isRoleRef(spec) }, spec);
    }
  }
  return problems;
}

function isRoleRef(spec: FieldSpec): boolean {
  return spec.path.slice(-2).join("/") === "roleRef/name";
}

function followField(reference: Reference, spec: FieldSpec): void {
  const own = gvkOf(reference.referrer.object);
  const follow = (value: unknown) => followed(reference, value);
  const problem = setField(reference.referrer.object, { ...own, path: spec.path }, () => undefined, follow);
  if (problem !== undefined) reference.problems.push(`a reference of ${own.kind}: ${problem}`);
}

interface Reference {
  readonly referrer: BuildResource;
  readonly target: Partial<Gvk>;
  readonly isRole: boolean;
  readonly renamed: ReadonlyMap<string, readonly BuildResource[]>;
  readonly problems: string[];
}

function renamedByName(resources: readonly BuildResource[]): ReadonlyMap<string, readonly BuildResource[]> {
  const byName = new Map<string, BuildResource[]>();
  for (const resource of resources) {
    for (const name of new Set(resource.previous.map((previous) => previous.name))) {
      const known = byName.get(name);
      if (known === undefined) byName.set(name, [resource]);
      else known.push(resource);
    }
  }
  return byName;
}

function followed(reference: Reference, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => followed(reference, item));
  if (isRecord(value)) return followedMap(reference, value);
  if (typeof value !== "string") return value;
  const candidates = candidatesOf(reference, value);
  const meant = choose(reference, candidates, (resource) => currentName(resource).name);
  return meant === undefined ? value : currentName(meant).name;
}

/** A map with a name, and a namespace that follows too. */
function followedMap(reference: Reference, value: Record<string, unknown>): unknown {
  if (typeof value.name !== "string") {
    reference.problems.push("a reference without a name");
    return value;
  }
  let candidates = candidatesOf(reference, value.name);
  if (Object.hasOwn(value, "namespace")) {
    const wanted = String(value.namespace ?? "");
    const original = candidates.filter((resource) => originalName(resource).namespace === wanted);
    const isKnown = [...reference.renamed.values()].flat().some((item) => originalName(item).namespace === wanted);
    candidates = isKnown ? original : candidates.filter((resource) => currentName(resource).namespace === wanted);
  }
  const namespaceOf = (resource: BuildResource) => String(metadataOf(resource.object).namespace ?? "");
  const meant = choose(reference, candidates, (resource) => `${namespaceOf(resource)}/${currentName(resource).name}`);
  if (meant === undefined) return value;
  const namespace = namespaceOf(meant);
  return { ...value, name: currentName(meant).name, ...(namespace === "" ? {} : { namespace }) };
}

function candidatesOf(reference: Reference, name: string): readonly BuildResource[] {
  const { referrer, target, isRole } = reference;
  const roleRef = isRole && isRecord(referrer.object.roleRef) ? referrer.object.roleRef : undefined;
  const role =
    typeof roleRef?.apiGroup === "string" && typeof roleRef.kind === "string"
      ? { group: roleRef.apiGroup, kind: roleRef.kind }
      : {};
  const wasOf = (resource: BuildResource, selector: Partial<Gvk>) =>
    resource.previous.some((previous) => isSelected({ ...gvkOf(resource.object), kind: previous.kind }, selector));
  return (reference.renamed.get(name) ?? []).filter(
    (resource) => wasOf(resource, target) && wasOf(resource, role) && isReachable(referrer, resource),
  );
}

function isReachable(referrer: BuildResource, candidate: BuildResource): boolean {
  if (isClusterScoped(referrer.object) || isClusterScoped(candidate.object)) return true;
  const home = currentName(candidate).namespace;
  if (currentName(referrer).namespace === home) return true;
  // A RoleBinding names service accounts of other namespaces.
  if (referrer.object.kind !== "RoleBinding" || candidate.object.kind !== "ServiceAccount") return false;
  const subjects = Array.isArray(referrer.object.subjects) ? referrer.object.subjects : [];
  const namespace = metadataOf(candidate.object).namespace ?? "";
  return subjects.some(
    (subject) => isRecord(subject) && subject.kind === "ServiceAccount" && subject.namespace === namespace,
  );
}

/** The one object that is meant; a problem when it stays unclear. */
function choose(
  reference: Reference,
  candidates: readonly BuildResource[],
  meaning: (resource: BuildResource) => string,
): BuildResource | undefined {
  if (candidates.length <= 1) return candidates[0];
  const { referrer } = reference;
  const near = candidates.filter((resource) => sharesAffixes(resource, referrer, "loose"));
  const nearest = near.length > 1 ? near.filter((resource) => sharesAffixes(resource, referrer, "strict")) : near;
  if (nearest.length <= 1) return nearest[0];
  if (new Set(nearest.map(meaning)).size > 1) {
    reference.problems.push(`a reference of ${String(referrer.object.kind)} that could mean two objects`);
  }
  return nearest[0];
}

function sharesAffixes(left: BuildResource, right: BuildResource, mode: "loose" | "strict"): boolean {
  return sharesEnd(left.prefixes, right.prefixes, mode) && sharesEnd(left.suffixes, right.suffixes, mode);
}

function sharesEnd(left: readonly string[], right: readonly string[], mode: "loose" | "strict"): boolean {
  if (left.length === 0 || right.length === 0) return mode === "loose" || left.length === right.length;
  const length = Math.min(left.length, right.length);
  return left.slice(-length).join(",") === right.slice(-length).join(",");
}
