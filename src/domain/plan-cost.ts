import { type Cost, costOf, type PriceBook, type Reservation } from "./cost.ts";
import type { RenderedObject } from "./rendered.ts";
import { scaleOf } from "./reserved.ts";

/**
 * What a change of rendered objects adds per hour and month: all workloads, at the most replicas that they may reach.
 * Undefined without a price book, or when a quantity is unreadable.
 */
export function costOfChange(
  before: readonly RenderedObject[],
  after: readonly RenderedObject[],
  prices: PriceBook | undefined,
): Cost | undefined {
  const sums = [before, after].map(reservationOf);
  const [old, now] = sums;
  return old === undefined || now === undefined ? undefined : costOf(old, now, prices);
}

/** All requests as those of one large pod. */
function reservationOf(objects: readonly RenderedObject[]): Reservation | undefined {
  const scales = objects.flatMap((object) => scaleOf(object, objects) ?? []);
  if (scales.some((scale) => scale.perPod === undefined)) return undefined;
  const sum = (name: string) => scales.reduce((total, { most, perPod }) => total + most * (perPod?.[name] ?? 0), 0);
  return { replicas: 1, cpuCores: sum("requests.cpu"), memoryBytes: sum("requests.memory") };
}
