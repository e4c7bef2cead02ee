import { masked } from "../../domain/text/masking.ts";
import type { Workload } from "../../domain/kubernetes/workload.ts";
import type { QuotaUse, Termination, WorkloadState } from "../../domain/kubernetes/workload-state.ts";

/** The fields that are read here, as the Kubernetes client gives them. */
interface EventObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly involvedObject: { readonly kind?: string; readonly name?: string };
  readonly lastTimestamp?: Date | undefined;
  /** The client leaves it as text, whatever its types say: the scheduler writes only this one. */
  readonly eventTime?: Date | string | undefined;
  readonly metadata: { readonly creationTimestamp?: Date | undefined };
}

interface Owned {
  readonly metadata?: {
    readonly name?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: Date | undefined;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
}

interface QuotaObject {
  readonly metadata?: { readonly name?: string };
  readonly status?: {
    readonly hard?: Readonly<Record<string, string>>;
    readonly used?: Readonly<Record<string, string>>;
  };
}

interface NodeObject {
  readonly metadata?: { readonly name?: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface PodObject extends Owned {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly reason?: string;
    readonly message?: string;
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly restartCount: number;
  readonly ready?: boolean;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: object;
    readonly terminated?: { readonly reason?: string; readonly exitCode: number; readonly message?: string };
  };
  readonly lastState?: {
    readonly terminated?: {
      readonly reason?: string;
      readonly exitCode: number;
      readonly finishedAt?: Date | undefined;
    };
  };
}

const mostEvents = 20;
const longestMessage = 500;

/**
 * The newest events about the workload and what it owns, oldest first: `Warning FailedCreate web-5d4f: …`. A pod that is
 * gone waits for no node any more; `pods` are the names of those that are there, where they could be read.
 */
export function eventLines(
  events: readonly EventObject[],
  workload: Workload,
  pods: ReadonlySet<string> | undefined,
): string[] {
  const isOver = ({ reason, involvedObject: { kind, name } }: EventObject) =>
    reason === "FailedScheduling" && kind === "Pod" && pods?.has(name ?? "") === false;
  return events
    .filter(({ involvedObject }) => belongsTo(involvedObject.kind ?? "", involvedObject.name ?? "", workload))
    .filter((event) => !isOver(event))
    .sort((a, b) => timeOf(a) - timeOf(b))
    .slice(-mostEvents)
    .map(({ type, reason, involvedObject, message, count }) => {
      const times = (count ?? 1) > 1 ? ` (${count} times)` : "";
      const text = masked(message ?? "").text.slice(0, longestMessage);
      return `${type ?? ""} ${reason ?? ""} ${involvedObject.name ?? ""}: ${text}${times}`;
    });
}

function timeOf({ lastTimestamp, eventTime, metadata }: EventObject): number {
  return new Date(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0).getTime();
}

/** Whether an object of this name is the workload, its autoscaler, its ReplicaSet or its pod: `web`, `web-5d4f`, `web-5d4f-x2x4z`. */
function belongsTo(kind: string, name: string, workload: Workload): boolean {
  if (name === workload.name) return true;
  if (!name.startsWith(`${workload.name}-`)) return false;
  const rest = name.slice(workload.name.length + 1);
  if (kind === "ReplicaSet") return /^[a-z0-9]+$/.test(rest);
  if (kind === "Job") return workload.kind === "CronJob" && /^\d+$/.test(rest);
  return kind === "Pod" && (podNames[workload.kind] ?? replicatedPod).test(rest);
}

// What each controller puts behind its own name.
const replicatedPod = /^[a-z0-9]+-[a-z0-9]{5}$/;
const podNames: Readonly<Record<string, RegExp>> = {
  StatefulSet: /^\d+$/,
  DaemonSet: /^[a-z0-9]{5}$/,
  ReplicaSet: /^[a-z0-9]{5}$/,
  Job: /^(?:\d+-)?[a-z0-9]{5}$/,
  CronJob: /^\d+-(?:\d+-)?[a-z0-9]{5}$/,
};

/** When each revision of a Deployment or Rollout came, by its ReplicaSets. */
export function rolloutsOf(sets: readonly Owned[], { kind, name }: Workload): Record<string, string> {
  const mine = sets.filter(({ metadata }) =>
    metadata?.ownerReferences?.some((owner) => owner.kind === kind && owner.name === name),
  );
  return Object.fromEntries(
    mine.flatMap(({ metadata }) => {
      const { annotations = {} } = metadata ?? {};
      const revision = annotations["deployment.kubernetes.io/revision"] ?? annotations["rollout.argoproj.io/revision"];
      const at = metadata?.creationTimestamp;
      return revision === undefined || at === undefined ? [] : [[revision, at.toISOString()] as const];
    }),
  );
}

export function quotasOf(quotas: readonly QuotaObject[]): QuotaUse[] {
  return quotas.flatMap(({ metadata, status }) =>
    Object.entries(status?.hard ?? {}).map(([resource, hard]) => ({
      quota: metadata?.name ?? "",
      resource,
      used: status?.used?.[resource] ?? "0",
      hard,
    })),
  );
}

/** `node-1: MemoryPressure`, for nodes that say something else than that they are well. */
export function pressuresOf(nodes: readonly NodeObject[], within: ReadonlySet<string>): string[] {
  return nodes
    .filter(({ metadata }) => within.has(metadata?.name ?? ""))
    .flatMap(({ metadata, status }) =>
      (status?.conditions ?? [])
        .filter(({ type, status: value }) => (type === "Ready" ? value !== "True" : value === "True"))
        .map(({ type }) => `${metadata?.name ?? ""}: ${type === "Ready" ? "NotReady" : type}`),
    );
}

/** The pods of the workload by the names that Kubernetes gives them. */
export function podsOf<P extends PodObject>(pods: readonly P[], workload: Workload): P[] {
  return pods.filter(({ metadata }) => belongsTo("Pod", metadata?.name ?? "", workload));
}

/** How the containers ended last, where they have ended at all. */
export function terminationsOf(pods: readonly PodObject[]): Termination[] {
  return pods.flatMap(({ metadata, status }) =>
    (status?.containerStatuses ?? []).flatMap(({ name, restartCount, lastState }) => {
      const last = lastState?.terminated;
      if (!last) return [];
      const at = last.finishedAt?.toISOString();
      const reason = last.reason ?? "unknown";
      return [
        {
          ...{ pod: metadata?.name ?? "", container: name, reason, exitCode: last.exitCode, restarts: restartCount },
          ...(at === undefined ? {} : { at }),
        },
      ];
    }),
  );
}

// Pods of one workload mostly fail alike.
const mostStates = 20;

/** What keeps pods from running: `waiting ImagePullBackOff: …; last exit 1 Error; 5 restarts`. Those that run are left out. */
export function podStatesOf(pods: readonly PodObject[]): Record<string, string> {
  const states = pods.flatMap(({ metadata, status }) => {
    const pod = metadata?.name ?? "";
    const scheduled = status?.conditions?.find(({ type, status: held }) => type === "PodScheduled" && held === "False");
    const own = [
      ...(scheduled === undefined ? [] : [`${scheduled.reason ?? "not scheduled"}: ${scheduled.message ?? ""}`]),
      ...(status?.reason === undefined ? [] : [`${status.reason}: ${status.message ?? ""}`]),
    ];
    const init = (status?.initContainerStatuses ?? []).flatMap((one) => stateOf(one, "init container "));
    const main = (status?.containerStatuses ?? []).flatMap((one) => stateOf(one, ""));
    return [
      ...own.map((text) => [pod, text] as const),
      ...[...init, ...main].map(([at, text]) => [`${pod}/${at}`, text] as const),
    ];
  });
  return Object.fromEntries(
    states.slice(0, mostStates).map(([at, text]) => [at, masked(text).text.slice(0, longestMessage)]),
  );
}

function stateOf({ name, ready, state, lastState, restartCount }: ContainerStatus, what: string): [string, string][] {
  const { waiting, terminated, running } = state ?? {};
  const isInit = what !== "";
  const done = isInit && terminated?.exitCode === 0;
  if (ready === true || done || (waiting?.reason === "ContainerCreating" && restartCount === 0)) return [];
  const now = waiting
    ? `waiting ${waiting.reason ?? ""}: ${waiting.message ?? ""}`
    : terminated
      ? `terminated ${terminated.reason ?? ""} exit ${terminated.exitCode} ${terminated.message ?? ""}`
      : running
        ? "running, not ready"
        : "unknown";
  const last = lastState?.terminated;
  const before = last === undefined ? "" : `; last exit ${last.exitCode} ${last.reason ?? ""}`;
  return [[name, `${what}${now}${before}${restartCount > 0 ? `; ${restartCount} restarts` : ""}`]];
}

/** `requests.cpu` and so on as far as they are set, where there is one container: of several nobody can say which. */
export function resourcesOf([only, ...others]: readonly ContainerSpec[]): Pick<WorkloadState, "resources"> {
  if (only === undefined || others.length > 0) return {};
  const fields = ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory"] as const;
  const set = fields.flatMap((field) => {
    const [part, resource] = field.split(".") as ["requests" | "limits", "cpu" | "memory"];
    const value = only.resources?.[part]?.[resource];
    return value === undefined ? [] : [[field, value] as const];
  });
  return { resources: Object.fromEntries(set) };
}

interface ContainerSpec {
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
}
