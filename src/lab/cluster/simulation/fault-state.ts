import type { RenderedObject } from "../../../domain/kubernetes/rendered.ts";
import type { FaultEffect } from "./fault-effect.ts";

/** A fault that a cluster can have. */
export interface LabFault {
  readonly workload: { readonly kind: string; readonly namespace: string; readonly name: string };
  /** Asked of the objects that the cluster was told to run. */
  readonly holds: (objects: readonly RenderedObject[]) => boolean;
  readonly effects: readonly FaultEffect[];
}

/** What a cluster remembers of its fault. */
export interface Disturbance {
  since: number | undefined;
  /** Names of the pods that suffer, and of the nodes that were marked. */
  readonly pods: Set<string>;
  readonly nodes: Set<string>;
}
