import type { ObjectChange } from "../../kubernetes/manifest-edit.ts";

/** What no reversal may ever do, whoever approves, with the objects named; undefined = nothing of it. */
export function forbiddenReversal(changes: readonly ObjectChange[]): string | undefined {
  for (const change of changes) {
    const because = forbids(change);
    if (because !== undefined) return `${because} (${nameOf(change)})`;
  }
  return undefined;
}

const kept: readonly string[] = [
  "CustomResourceDefinition",
  "Namespace",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "Secret",
];
const policyGroups = /(?:^|\.)(?:kyverno\.io|gatekeeper\.sh)\//;
const policyKinds: readonly string[] = [
  ...["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"],
  ...["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"],
];

function forbids({ object: { kind, apiVersion }, field, from, to }: ObjectChange): string | undefined {
  if (to === undefined && field.length === 0 && kept.includes(kind)) {
    return `it would delete a ${kind}, which a reversal never does`;
  }
  if (policyGroups.test(apiVersion) || policyKinds.includes(kind)) return "it would change a policy: only people do";
  const inside = String(field[0] ?? "");
  const isValue = ["data", "stringData", "binaryData", ""].includes(inside) || field.includes("encryptedData");
  if (/^(?:Sealed)?Secret$/.test(kind) && isValue && (from !== undefined || to !== undefined)) {
    return "it would go back to an old Secret value";
  }
  if (/ExternalSecret$/.test(kind) && field.at(-1) === "version") return "it would go back to an old Secret value";
  return undefined;
}

/** Why a reversal that may loosen a protection is never low in risk, one sentence each; empty = it loosens none. */
export function looseningsIn(changes: readonly ObjectChange[]): readonly string[] {
  const found = changes.flatMap((change) => {
    const what = loosens(change);
    return what === undefined ? [] : [`changes ${what} (${nameOf(change)})`];
  });
  return [...new Set(found)];
}

const guardingKinds: readonly (readonly [RegExp, string])[] = [
  [/NetworkPolicy$/, "a network policy"],
  [/^(?:Cluster)?Role(?:Binding)?$/, "permissions"],
  [/^ServiceAccount$/, "permissions"],
  [/^(?:PeerAuthentication|RequestAuthentication|AuthorizationPolicy|HTTPLocalRateLimitPolicy)$/, "mesh protection"],
  [/^(?:Server|ServerAuthorization|MeshTLSAuthentication|NetworkAuthentication)$/, "mesh protection"],
  [/WebhookConfiguration$/, "admission"],
  [/(?:Secret|SecretStore|Certificate|Issuer)$/, "where a credential comes from"],
];

// Fields of pods, and of what makes them, that hold a protection or name a credential.
const guardingFields: readonly (readonly [RegExp, string])[] = [
  [/(?:^|\.)securityContext(?:\.|$)/, "a security context"],
  [/(?:^|\.)(?:hostNetwork|hostPID|hostIPC|hostPath|automountServiceAccountToken)(?:\.|$)/, "a security context"],
  [/(?:^|\.)serviceAccount(?:Name)?$/, "permissions"],
  [/(?:^|\.)(?:secretKeyRef|secretRef|secretName|imagePullSecrets)(?:\.|$)/, "where a credential comes from"],
  [/(?:^|\.)tls(?:\.|$)/, "encryption"],
  [/(?:pod-security\.kubernetes\.io|linkerd\.io|istio\.io)/, "mesh or admission settings"],
];

function loosens({ object, field, from, to }: ObjectChange): string | undefined {
  const byKind = guardingKinds.find(([kind]) => kind.test(object.kind));
  if (byKind) return byKind[1];
  const path = field.join(".");
  const byField = guardingFields.find(([pattern]) => pattern.test(path));
  if (byField) return byField[1];
  const inside = typeof (from ?? to) === "object" ? JSON.stringify(from ?? to) : "";
  const nested = guardingFields.find(([pattern]) => inside !== "" && keysOf(inside).some((key) => pattern.test(key)));
  return field.length > 0 ? nested?.[1] : undefined;
}

function keysOf(json: string): string[] {
  return [...json.matchAll(/"([^"\\]+)":/g)].map((match) => match[1] ?? "");
}

function nameOf({ object, field }: ObjectChange): string {
  return `${object.kind}/${object.name}${field.length === 0 ? "" : ` ${field.join(".")}`}`;
}
