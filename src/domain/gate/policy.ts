import { z } from "zod";
import { unknownName } from "../kubernetes/known-resources.ts";
import type { RenderedObject } from "../kubernetes/rendered.ts";

/** A Kyverno policy, as far as the gate must know it before it runs. */
export interface Policy {
  readonly name: string;
  readonly kind: string;
  readonly path: string;
  /** True when a failure is only shown: Kyverno would admit the object. */
  readonly audit: boolean;
  /** Why it cannot be judged without a cluster; undefined when it can. */
  readonly needs: string | undefined;
  /** True when selectors or conditions may leave out an object that the rules match. */
  readonly selective: boolean;
  readonly matches: readonly Match[];
}

/** Objects that a policy looks at; `*` stands for any. Resources are plural. */
interface Match {
  readonly groups: readonly string[];
  readonly versions: readonly string[];
  readonly resources: readonly string[];
}

export interface PolicyFile {
  readonly path: string;
  /** The parsed YAML documents; undefined when the file could not be parsed. */
  readonly documents: readonly unknown[] | undefined;
}

interface ReadPolicies {
  readonly policies: readonly Policy[];
  /** Files or documents that were not understood. One of them is enough to give no verdict. */
  readonly problems: readonly string[];
}

const Rules = z
  .array(
    z.object({
      apiGroups: z.array(z.string()).default(["*"]),
      apiVersions: z.array(z.string()).default(["*"]),
      operations: z.array(z.string()).default(["*"]),
      resources: z.array(z.string()),
      resourceNames: z.array(z.string()).default([]),
    }),
  )
  .default([]);
const Shape = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string().min(1) }),
  spec: z.looseObject({
    validationActions: z.array(z.string()).optional(),
    validationAction: z.array(z.string()).optional(),
    matchConstraints: z
      .looseObject({
        resourceRules: Rules,
        excludeResourceRules: z.unknown().optional(),
        objectSelector: z.unknown().optional(),
        namespaceSelector: z.unknown().optional(),
      })
      .optional(),
    matchConditions: z.array(z.unknown()).default([]),
    evaluation: z.looseObject({ mode: z.string().optional() }).optional(),
  }),
});

const judged = new Set(["ValidatingPolicy", "NamespacedValidatingPolicy"]);
// Kyverno's other judges: deprecated, or in need of an image registry.
const foreign = new Set(["ClusterPolicy", "Policy", "ImageValidatingPolicy", "NamespacedImageValidatingPolicy"]);
// They do not judge objects: the gate has no question for them.
const silent = /^(Kustomization|PolicyException|(Namespaced)?(Mutating|Generating|Deleting)Policy)$/;

/** Reads every policy file of the base commit. What is not understood is a problem, never left out. */
export function readPolicies(files: readonly PolicyFile[]): ReadPolicies {
  const read = files.map(readFile);
  const policies = read.flatMap((file) => file.policies);
  const names = policies.map((policy) => policy.name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  return {
    policies,
    problems: [...read.flatMap((file) => file.problems), ...twice.map((name) => `two policies are called ${name}`)],
  };
}

function readFile({ path, documents }: PolicyFile): ReadPolicies {
  if (documents === undefined) return { policies: [], problems: [`${path}: is not YAML that can be read`] };
  const read = documents
    .filter((document) => document !== null && document !== undefined)
    .map((document) => readPolicy(path, document));
  return {
    policies: read.flatMap((one) => (typeof one === "object" ? [one] : [])),
    problems: read.flatMap((one) => (typeof one === "string" ? [one] : [])),
  };
}

/** The policy, a problem, or undefined for a document that judges nothing. */
function readPolicy(path: string, document: unknown): Policy | string | undefined {
  const shape = Shape.safeParse(document);
  const kind = z.object({ kind: z.string() }).safeParse(document).data?.kind ?? "nothing";
  if (silent.test(kind)) return undefined;
  if (!shape.success) return `${path}: holds ${kind}, which is no policy that can be read`;
  const { apiVersion, metadata, spec } = shape.data;
  const facts = { name: metadata.name, kind, path };
  if (/^(policies\.)?kyverno\.io\//.test(apiVersion) && foreign.has(kind)) {
    const needs = `${kind} is not of the kind that the gate can judge offline: write a ValidatingPolicy`;
    return { ...facts, audit: false, needs, selective: true, matches: [] };
  }
  if (!apiVersion.startsWith("policies.kyverno.io/") || !judged.has(kind)) {
    return `${path}: holds ${kind}, which is no policy that Kyverno knows`;
  }
  const actions = spec.validationActions ?? spec.validationAction ?? ["Deny"];
  const rules = (spec.matchConstraints?.resourceRules ?? []).filter((rule) =>
    rule.operations.some((operation) => operation === "*" || operation === "CREATE"),
  );
  const matches = rules.map(({ apiGroups, apiVersions, resources }) => ({
    groups: apiGroups,
    versions: apiVersions,
    resources,
  }));
  const unknown = matches.flatMap((match) => unknownName(match) ?? [])[0];
  if (unknown !== undefined) return `${path}: ${metadata.name} matches ${unknown}, which its API groups do not have`;
  return {
    ...facts,
    audit: !actions.includes("Deny"),
    needs: needsOf(spec, rules.length),
    selective: isSelective(spec),
    matches,
  };
}

/** Names of CEL whose answers come from outside the object (github.com/kyverno/sdk, extensions/cel/libs). */
const outside: readonly (readonly [RegExp, string])[] = [
  [/(?<![.\w])(resource|globalContext)\s*\./, "it asks the cluster for other objects"],
  [/(?<![.\w])http\s*\./i, "it asks a server"],
  [/(?<![.\w])image\s*\.\s*get/i, "it asks an image registry"],
  [/(?<![.\w])namespaceObject\b/, "it asks for the labels of the namespace"],
  [/(?<![.\w])authorizer\b|(?<![.\w])request\s*\.\s*userInfo\b/, "it asks who makes the change"],
  [/(?<![.\w])params\s*\./, "it needs parameter objects"],
];

/** The CLI answers such calls from the files that it was given, which looks like an answer and is none. */
function needsOf(spec: z.infer<typeof Shape>["spec"], rules: number): string | undefined {
  if ((spec.evaluation?.mode ?? "Kubernetes") !== "Kubernetes") return "it does not judge Kubernetes objects";
  if (rules === 0) return "it matches no object that is created";
  if (isFilled(spec.matchConstraints?.namespaceSelector)) return "it asks for the labels of the namespace";
  const spoken = expressionsOf(spec).map((text) => text.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, "''"));
  return outside.find(([pattern]) => spoken.some((text) => pattern.test(text)))?.[1];
}

/** Every CEL expression below a value. */
function expressionsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(expressionsOf);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    typeof item === "string" && /expression/i.test(key) ? [item] : expressionsOf(item),
  );
}

function isFilled(selector: unknown): boolean {
  return typeof selector === "object" && selector !== null && Object.keys(selector).length > 0;
}

function isSelective({ matchConstraints, matchConditions }: z.infer<typeof Shape>["spec"]): boolean {
  return (
    matchConditions.length > 0 ||
    matchConstraints?.excludeResourceRules !== undefined ||
    isFilled(matchConstraints?.objectSelector) ||
    (matchConstraints?.resourceRules.some((rule) => rule.resourceNames.length > 0) ?? false)
  );
}

/** True when the policy's rules name this kind of object. */
export function looksAt(policy: Policy, object: RenderedObject): boolean {
  const [version = "", group = ""] = object.apiVersion.split("/").reverse();
  const plural = pluralOf(object.kind);
  return policy.matches.some(
    ({ groups, versions, resources }) =>
      has(groups, group) && has(versions, version) && (has(resources, plural) || resources.includes("*/*")),
  );
}

function has(list: readonly string[], item: string): boolean {
  return list.includes("*") || list.includes(item);
}

/** The resource name of a kind, by the English rule that Kubernetes itself guesses with (meta.UnsafeGuessKindToResource). */
function pluralOf(kind: string): string {
  const name = kind.toLowerCase();
  if (name.endsWith("s")) return name === "endpoints" ? name : `${name}es`;
  return name.endsWith("y") ? `${name.slice(0, -1)}ies` : `${name}s`;
}
