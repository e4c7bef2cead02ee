import type { Evidence } from "../../evidence/evidence.ts";
import type { Aspect } from "./aspects.ts";

/** What pods, events, logs and measurements show: the closed list that changes are compared with. */
export type SymptomKind = keyof typeof known;

/** One symptom, with how often it was seen and where. */
export interface Symptom {
  readonly kind: SymptomKind;
  readonly from: readonly string[];
  /** The texts that show it: written by others, only ever searched. */
  readonly texts: readonly string[];
}

interface Known {
  /** How it reads in the lines of pods and events, and in log lines. */
  readonly says?: RegExp;
  readonly logs?: RegExp;
  /** Hard: the cluster itself says what is wrong, so a change that has nothing to do with it is no suspect. */
  readonly hard: boolean;
  /** For people: `… of web`. */
  readonly words: string;
  /** The aspects that explain it, the best first. */
  readonly explainedBy: readonly Aspect[];
}

const known = {
  "image-pull": {
    says: /\b(?:ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|Failed to pull image|Back-off pulling image|no match for platform|manifest unknown)\b/i,
    hard: true,
    words: "cannot pull an image",
    explainedBy: ["image", "secret", "permissions", "scheduling"],
  },
  "image-slow": {
    says: /\bPulling\b.*\bPulling image\b/i,
    hard: false,
    words: "wait for an image",
    explainedBy: ["image"],
  },
  executable: {
    says: /exec format error|executable file not found|no such file or directory.*(?:exec|start)|StartError|RunContainerError|CreateContainerError|\bexit(?: code)? 12[67]\b|ContainerCannotRun|permission denied.*exec/i,
    logs: /exec format error|executable file not found|command not found|unknown (?:flag|option|command|argument)|unrecognized (?:option|argument)|invalid (?:flag|option|argument)|flag provided but not defined/i,
    hard: true,
    words: "cannot run their program",
    explainedBy: ["command", "image", "lifecycle", "scheduling", "security", "storage"],
  },
  configuration: {
    says: /CreateContainerConfigError|(?:configmap|secret|key) .{0,80}(?:not found|does not exist)|couldn'?t find key/i,
    logs: /(?:missing|required|undefined|unset|invalid|empty|not set|cannot parse|failed to parse|no such) .{0,40}(?:env|environment|variable|config|setting|key|property)|(?:env|environment|variable|config\w*|setting|property)\b.{0,60}(?:missing|required|not set|undefined|unset|invalid|not found|empty)/i,
    hard: true,
    words: "miss configuration",
    explainedBy: ["configuration", "secret", "command", "removed", "image", "security"],
  },
  volume: {
    says: /FailedMount|FailedAttachVolume|ProvisioningFailed|FailedBinding|persistentvolumeclaim .{0,80}not found|unbound immediate PersistentVolumeClaims|storageclass .{0,60}not found|must be unique|volume node affinity|Multi-Attach/i,
    logs: /read-only file system|no space left on device|disk quota exceeded/i,
    hard: true,
    words: "cannot use their volumes",
    explainedBy: ["storage", "configuration", "secret", "removed", "security"],
  },
  preempted: {
    // The scheduler ends every FailedScheduling with what preemption would not help: that is nobody's preemption.
    says: /\bPreempt(?:ed|ing)\b/i,
    hard: true,
    words: "are preempted",
    explainedBy: ["scheduling", "requests", "replicas"],
  },
  unschedulable: {
    says: /FailedScheduling|Unschedulable|\d+\/\d+ nodes are available|didn't match (?:Pod's node affinity|pod (?:anti-)?affinity)|untolerated taint/i,
    hard: true,
    words: "cannot be scheduled",
    explainedBy: ["scheduling", "requests", "storage", "replicas", "port", "memory-limit", "autoscaler"],
  },
  quota: {
    says: /exceeded quota|must specify (?:limits|requests)|failed quota/i,
    hard: true,
    words: "are refused by a quota",
    explainedBy: ["quota", "requests", "memory-limit", "cpu-limit", "rollout"],
  },
  "limit-range": {
    says: /(?:maximum|minimum) (?:cpu|memory) usage per (?:Container|Pod)|limit to request ratio/i,
    hard: true,
    words: "are refused by a limit range",
    explainedBy: ["quota", "requests", "memory-limit", "cpu-limit"],
  },
  admission: {
    says: /admission webhook|failed calling webhook|violates PodSecurity|denied the request|ValidatingAdmissionPolicy/i,
    hard: true,
    words: "are refused by admission",
    explainedBy: ["admission", "security", "image", "requests", "mesh"],
  },
  forbidden: {
    says: /FailedCreate.*(?:serviceaccount .{0,80}not found|is forbidden: (?!exceeded|maximum|minimum|failed quota|violates))|error looking up service account|runAsNonRoot|cannot verify user is non-root/i,
    logs: /\bis forbidden\b|cannot (?:get|list|watch|create|update|patch|delete) resource|\bRBAC\b|permission denied|access denied|AccessDenied/i,
    hard: true,
    words: "miss permissions",
    explainedBy: ["permissions", "security", "secret", "mesh", "removed"],
  },
  credential: {
    logs: /\b(?:401|403)\b|unauthori[sz]ed|authentication failed|invalid (?:credentials|password|token|api key|access key)|password authentication|bad credentials|SignatureDoesNotMatch|InvalidAccessKeyId|\b(?:licen[cs]e|subscription|api key)\b.{0,60}\b(?:expired|revoked|exceeded|not valid)\b|\btoken (?:has |is )?expired/i,
    hard: true,
    words: "are refused with their credentials",
    explainedBy: ["secret", "mesh", "permissions", "configuration"],
  },
  certificate: {
    says: /x509|certificate has expired/i,
    logs: /x509|certificate (?:has expired|is not yet valid|verify failed|signed by unknown|is valid for)|tls: |TLS handshake|SSL_|bad certificate|self.signed/i,
    hard: true,
    words: "fail at a certificate",
    explainedBy: ["secret", "mesh", "routing", "configuration"],
  },
  autoscaler: {
    says: /FailedGetResourceMetric|FailedComputeMetricsReplicas|FailedGetScale|missing request for|invalid metrics|ScalingLimited|TooManyReplicas/i,
    hard: true,
    words: "are not scaled by their autoscaler",
    explainedBy: ["autoscaler", "requests", "replicas", "scaled-to-zero"],
  },
  "out-of-memory": {
    says: /OOMKilled|OOMKilling|out of memory|\bexit(?: code)? 137\b.*OOM/i,
    logs: /out of memory|OutOfMemoryError|heap out of memory|cannot allocate memory|MemoryError/i,
    hard: true,
    words: "run out of memory",
    explainedBy: ["memory-limit", "configuration", "requests", "image", "command"],
  },
  evicted: {
    says: /\bEvict(?:ed|ing|ion)\b|The node (?:was low|had condition)/i,
    hard: true,
    words: "are evicted from their node",
    explainedBy: ["requests", "memory-limit", "storage"],
  },
  node: {
    says: /^\S+: (?:NotReady|MemoryPressure|DiskPressure|PIDPressure|NetworkUnavailable)$|NodeNotReady|NodeHas(?:InsufficientMemory|DiskPressure)|node\.kubernetes\.io\/(?:not-ready|unreachable)/i,
    hard: true,
    words: "run on a node in trouble",
    explainedBy: [],
  },
  "init-stuck": {
    says: /\binit container\b.*(?:waiting|running|not ready)|Init:|PodInitializing/i,
    hard: true,
    words: "wait for an init container",
    explainedBy: ["lifecycle", "command", "image", "configuration", "dns"],
  },
  "port-conflict": {
    says: /free ports|address already in use/i,
    logs: /address already in use|EADDRINUSE|bind: |failed to bind|port is already allocated/i,
    hard: true,
    words: "cannot open their port",
    explainedBy: ["port", "command", "configuration", "image", "security"],
  },
  probe: {
    says: /\bUnhealthy\b|(?:Readiness|Liveness|Startup) probe (?:failed|errored)|failed (?:liveness|readiness|startup) probe/i,
    hard: true,
    words: "fail their probes",
    explainedBy: ["probe", "port", "command", "configuration", "cpu-limit", "image", "network-policy", "mesh"],
  },
  "name-resolution": {
    logs: /no such host|NXDOMAIN|EAI_AGAIN|ENOTFOUND|(?:could not|cannot|failed to|temporary failure in) (?:resolve|name resolution)|server misbehaving|Name or service not known/i,
    hard: true,
    words: "cannot resolve a name",
    explainedBy: ["dns", "configuration", "network-policy", "removed", "selector", "routing", "secret"],
  },
  unreachable: {
    logs: /connection (?:refused|timed out|reset)|ECONNREFUSED|ETIMEDOUT|i\/o timeout|no route to host|dial tcp|upstream connect error|no healthy upstream|no endpoints|connect: |deadline exceeded|host unreachable/i,
    says: /no endpoints|FailedToUpdateEndpoint/i,
    hard: false,
    words: "cannot reach another service",
    explainedBy: [
      ...(["network-policy", "selector", "port", "mesh", "routing", "dns", "scaled-to-zero", "removed"] as const),
      ...(["configuration", "secret"] as const),
    ],
  },
  lock: {
    logs: /deadlock|lock wait timeout|could not obtain lock|database is locked|too many connections|connection pool (?:is )?exhausted|pool timeout/i,
    hard: false,
    words: "wait for a database",
    explainedBy: ["configuration", "image"],
  },
  crash: {
    says: /CrashLoopBackOff|Back-off restarting failed container|\bterminated Error\b|last exit [1-9]/i,
    hard: false,
    words: "crash and restart",
    explainedBy: [
      ...(["command", "configuration", "image", "secret", "probe", "memory-limit", "storage", "security"] as const),
      ...(["port", "lifecycle", "permissions", "dns", "removed"] as const),
    ],
  },
  "no-replicas": {
    hard: true,
    words: "are not wanted at all: zero replicas",
    explainedBy: ["scaled-to-zero", "autoscaler", "replicas"],
  },
  "no-traffic": {
    hard: false,
    words: "get no requests any more",
    explainedBy: ["selector", "port", "routing", "network-policy", "mesh", "scaled-to-zero", "removed", "dns"],
  },
  saturated: {
    hard: false,
    words: "are saturated",
    explainedBy: ["autoscaler", "replicas", "cpu-limit", "requests"],
  },
  throttled: {
    hard: false,
    words: "are throttled by their CPU limit",
    explainedBy: ["cpu-limit", "replicas", "autoscaler"],
  },
} as const satisfies Readonly<Record<string, Known>>;

const all = Object.entries(known) as [SymptomKind, Known][];

export function factsOf(kind: SymptomKind): Known {
  return known[kind];
}

/** What the texts and facts of the evidence show. Log lines alone make a symptom that is never hard. */
export function symptomsIn(evidence: readonly Evidence[]): readonly Symptom[] {
  const seen = evidence.flatMap((item) => linesOf(item));
  const read = all.flatMap(([kind, { says, logs }]): Symptom[] => {
    const hits = seen.filter(({ isLog, text }) => (isLog ? logs : says)?.test(text) === true);
    return hits.length === 0 ? [] : [{ kind, from: idsOf(hits), texts: hits.map(({ text }) => text) }];
  });
  return [...read, ...noReplicas(evidence)];
}

interface Line {
  readonly id: string;
  readonly text: string;
  readonly isLog: boolean;
}

function linesOf({ id, key, finding }: Evidence): Line[] {
  if (finding.kind === "text" && (key === "events" || key === "logs")) {
    return finding.lines.map((text) => ({ id, text, isLog: key === "logs" }));
  }
  if (finding.kind !== "facts" || key !== "pod-states") return [];
  return Object.entries(finding.facts).map(([pod, state]) => ({ id, text: `${pod} ${String(state)}`, isLog: false }));
}

function noReplicas(evidence: readonly Evidence[]): Symptom[] {
  return evidence.flatMap(({ id, key, finding }): Symptom[] => {
    const isNone = key === "workload-state" && finding.kind === "facts" && finding.facts.replicas === 0;
    return isNone ? [{ kind: "no-replicas", from: [id], texts: [] }] : [];
  });
}

function idsOf(lines: readonly Line[]): string[] {
  return [...new Set(lines.map(({ id }) => id))];
}
