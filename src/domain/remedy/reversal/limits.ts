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
// What these groups describe holds no data of its own; of every other, nobody here knows what its deletion destroys.
const withoutData = new RegExp(
  [
    "^(?:v1|(?:apps|batch|autoscaling|policy|networking\\.k8s\\.io|rbac\\.authorization\\.k8s\\.io|discovery\\.k8s\\.io)/.*",
    "(?:scheduling|node|storage|admissionregistration|gateway\\.networking|autoscaling)\\.k8s\\.io/.*",
    "(?:[a-z.-]+\\.)?(?:istio|linkerd|cilium|traefik|smi-spec)\\.io/.*|(?:[a-z.-]+\\.)?projectcalico\\.org/.*",
    "(?:keda\\.sh|monitoring\\.coreos\\.com)/.*)$",
  ].join("|"),
);
const policyGroups = /(?:^|\.)(?:kyverno\.io|gatekeeper\.sh)\//;
const policyKinds: readonly string[] = [
  ...["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"],
  ...["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"],
];

function forbids({ object: { kind, apiVersion }, field, from, to }: ObjectChange): string | undefined {
  if (to === undefined && field.length === 0 && kept.includes(kind)) {
    return `it would delete a ${kind}, which a reversal never does`;
  }
  if (to === undefined && field.length === 0 && (kind === "StatefulSet" || !withoutData.test(apiVersion))) {
    return `it would delete a ${kind}, and with it what it may hold`;
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

// Names that people give to settings: keys of a ConfigMap, variables, values of a chart.
const credentialField =
  /(?:^|[._-])(?:passw(?:or)?d|passphrase|secret|token|credentials?|(?:api|access|private)[_-]?key)(?:$|[._-])/i;
const protectionField =
  /(?:^|[._-])(?:auth(?:entication|orization|n|z)?|m?tls|ssl|insecure|verify|encrypt(?:ion|ed)?|csrf|cors)(?:$|[._-])/i;

// Fields of pods, and of what makes them, that hold a protection or name a credential.
const guardingFields: readonly (readonly [RegExp, string])[] = [
  [/(?:^|\.)securityContext(?:\.|$)/, "a security context"],
  [/(?:^|\.)(?:hostNetwork|hostPID|hostIPC|hostPath|automountServiceAccountToken)(?:\.|$)/, "a security context"],
  [/(?:^|\.)serviceAccount(?:Name)?$/, "permissions"],
  [/(?:^|\.)(?:secretKeyRef|secretRef|secretName|imagePullSecrets)(?:\.|$)/, "where a credential comes from"],
  [/(?:^|\.)tls(?:\.|$)/i, "encryption"],
  [/(?:^|\.)spec\.(?:type|externalIPs|loadBalancerSourceRanges)(?:\.|$)/, "what can be reached from outside"],
  [/annotations\..*(?:auth|allowlist|whitelist|denylist|blacklist|ssl|waf|modsecurity)/i, "protection at the edge"],
  [credentialField, "where a credential comes from"],
  [protectionField, "a protection by its name"],
  [/(?:pod-security\.kubernetes\.io|linkerd\.io|istio\.io)/, "mesh or admission settings"],
];

function loosens({ object, field, from, to }: ObjectChange): string | undefined {
  const byKind = guardingKinds.find(([kind]) => kind.test(object.kind));
  if (byKind) return byKind[1];
  const path = field.join(".");
  const byField = guardingFields.find(([pattern]) => pattern.test(path));
  if (byField) return byField[1];
  // A variable that comes or goes is told field by field: its name is a value there.
  const inside =
    typeof (from ?? to) === "object" || field.at(-1) === "name" ? JSON.stringify({ name: from ?? to }) : "";
  const nested = guardingFields.find(([pattern]) => inside !== "" && namesIn(inside).some((key) => pattern.test(key)));
  return field.length > 0 ? nested?.[1] : undefined;
}

/** The keys, and what people name in lists, such as variables. */
function namesIn(json: string): string[] {
  const found = [...json.matchAll(/"([^"\\]+)":/g), ...json.matchAll(/"name":"([^"\\]+)"/g)];
  return found.map((match) => match[1] ?? "");
}

function nameOf({ object, field }: ObjectChange): string {
  return `${object.kind}/${object.name}${field.length === 0 ? "" : ` ${field.join(".")}`}`;
}
