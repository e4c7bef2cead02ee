import { type Reservation, type Reserved, reservedMore } from "./cost.ts";
import type { RenderedObject } from "../kubernetes/rendered.ts";
import { scaleOf } from "../kubernetes/requests.ts";

/**
 * What a change of rendered objects reserves more: all workloads, at the most replicas that they may reach. Undefined
 * when a quantity is unreadable.
 */
export function reservedByChange(
  before: readonly RenderedObject[],
  after: readonly RenderedObject[],
): Reserved | undefined {
  const [old, now] = [before, after].map(reservationOf);
  return old === undefined || now === undefined ? undefined : reservedMore(old, now);
}

/** All requests as those of one large pod. */
function reservationOf(objects: readonly RenderedObject[]): Reservation | undefined {
  const scales = objects.flatMap((object) => scaleOf(object, objects) ?? []);
  if (scales.some((scale) => scale.perPod === undefined)) return undefined;
  const sum = (name: string) => scales.reduce((total, { most, perPod }) => total + most * (perPod?.[name] ?? 0), 0);
  return { replicas: 1, cpuCores: sum("requests.cpu"), memoryBytes: sum("requests.memory") };
}
