import { z } from "zod";
import type { Workload } from "../../domain/kubernetes/workload.ts";
import type { WorkloadState } from "../../domain/kubernetes/workload-state.ts";
import { Refused } from "../../ports/errors.ts";
import type { CustomType } from "./custom.ts";
import { resourcesOf } from "./facts.ts";

const apps = { group: "apps", version: "v1" };
const batch = { group: "batch", version: "v1" };

const Count = z.number().nullish();
const Condition = z.object({ type: z.string(), status: z.string() });
const Template = z.object({
  spec: z
    .object({
      containers: z
        .array(
          z.object({
            image: z.string().optional(),
            resources: z
              .object({
                requests: z.record(z.string(), z.string()).optional(),
                limits: z.record(z.string(), z.string()).optional(),
              })
              .optional(),
          }),
        )
        .default([]),
    })
    .optional(),
});
const Live = z.object({
  metadata: z.object({
    name: z.string(),
    generation: z.number().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
    ownerReferences: z.array(z.object({ kind: z.string(), name: z.string() })).optional(),
  }),
  spec: z.object({
    replicas: Count,
    parallelism: Count,
    template: Template.optional(),
    jobTemplate: z.object({ spec: z.object({ template: Template }) }).optional(),
    workloadRef: z.object({ name: z.string() }).optional(),
  }),
  status: z
    .object({
      // Argo Rollouts writes it as a text.
      observedGeneration: z.coerce.number().nullish(),
      ...{ readyReplicas: Count, updatedReplicas: Count, replicas: Count, ready: Count },
      ...{ desiredNumberScheduled: Count, numberReady: Count, updatedNumberScheduled: Count },
      conditions: z.array(Condition).nullish(),
    })
    .default({}),
});

type Live = z.output<typeof Live>;
type Counts = Pick<WorkloadState, "replicas" | "readyReplicas" | "updatedReplicas">;

interface Kind extends CustomType {
  /** How many are wanted, are ready and run the newest spec. */
  readonly counts: (live: Live) => Counts;
  /** Whether its controller says which spec it has seen. */
  readonly observes: boolean;
}

const replicated = ({ spec, status }: Live): Counts => ({
  replicas: spec.replicas ?? 1,
  readyReplicas: status.readyReplicas ?? 0,
  updatedReplicas: status.updatedReplicas ?? 0,
});

const kinds: Readonly<Record<string, Kind>> = {
  Deployment: { ...apps, plural: "deployments", counts: replicated, observes: true },
  StatefulSet: { ...apps, plural: "statefulsets", counts: replicated, observes: true },
  Rollout: { group: "argoproj.io", version: "v1alpha1", plural: "rollouts", counts: replicated, observes: true },
  ReplicaSet: {
    ...{ ...apps, plural: "replicasets", observes: true },
    // Its pods are never replaced by a newer spec: those there are count as of it.
    counts: (live) => ({ ...replicated(live), updatedReplicas: live.status.replicas ?? 0 }),
  },
  DaemonSet: {
    ...{ ...apps, plural: "daemonsets", observes: true },
    counts: ({ status }) => ({
      replicas: status.desiredNumberScheduled ?? 0,
      readyReplicas: status.numberReady ?? 0,
      updatedReplicas: status.updatedNumberScheduled ?? 0,
    }),
  },
  Job: { ...batch, plural: "jobs", counts: ofJob, observes: false },
  // It only makes Jobs: there is nothing of its own to wait for.
  CronJob: {
    ...{ ...batch, plural: "cronjobs", observes: false },
    counts: () => ({ replicas: 0, readyReplicas: 0, updatedReplicas: 0 }),
  },
};

/** One that is complete wants no pod any more; the spec of one that runs cannot change. */
function ofJob({ spec, status }: Live): Counts {
  const isComplete = status.conditions?.some(({ type, status: holds }) => type === "Complete" && holds === "True");
  const wanted = isComplete === true ? 0 : (spec.parallelism ?? 1);
  return { replicas: wanted, readyReplicas: Math.min(wanted, status.ready ?? 0), updatedReplicas: wanted };
}

/** What the cluster says of a workload, of whatever kind it is; undefined = it is not there. Throws like every adapter. */
export async function workloadObject(
  read: (type: CustomType) => Promise<unknown>,
  { kind, namespace, name }: Workload,
): Promise<Omit<WorkloadState, "scaledBy"> | undefined> {
  const known = kinds[kind];
  if (known === undefined) throw new Refused(`workloads of kind ${kind} are not supported`);
  const { counts, observes, ...type } = known;
  const found = await read(type);
  if (found === undefined) return undefined;
  const live = liveIn(found, name);
  if (live === undefined)
    throw new Refused(`Kubernetes: reading ${kind} ${namespace}/${name}: the answer is no ${kind}`);
  const { metadata, status } = live;
  const containers = templateOf(live)?.spec?.containers ?? [];
  return {
    ...{ kind, namespace, name, labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} },
    ownerReferences: (metadata.ownerReferences ?? []).map((owner) => ({ kind: owner.kind, name: owner.name })),
    ...counts(live),
    observed: !observes || (status.observedGeneration ?? 0) >= (metadata.generation ?? 0),
    images: containers.map(({ image }) => image ?? ""),
    ...resourcesOf(containers),
  };
}

/** Undefined where it is no workload of that name: a sign-in page is an object, too. */
function liveIn(found: unknown, name: string): Live | undefined {
  const read = Live.safeParse(found);
  if (!read.success || read.data.metadata.name !== name) return undefined;
  // A Rollout may take its pods from a Deployment.
  return templateOf(read.data) === undefined && read.data.spec.workloadRef === undefined ? undefined : read.data;
}

function templateOf({ spec }: Live) {
  return spec.template ?? spec.jobTemplate?.spec.template;
}
