import type { ObjectChange } from "../kubernetes/manifest-edit.ts";
import { changesBetween } from "../kubernetes/object-changes.ts";
import { isRecord, type RenderedObject } from "../kubernetes/rendered.ts";
import type { Workload } from "../kubernetes/workload.ts";

/** The changes between two renderings that concern one of the workloads: itself, or what scales it. */
export function changesOf(
  before: readonly RenderedObject[],
  after: readonly RenderedObject[],
  workloads: readonly Workload[],
): readonly ObjectChange[] {
  const scalers = [...before, ...after].filter((object) => workloads.some((workload) => scales(object, workload)));
  const wanted = new Set([
    ...workloads.map(({ namespace, kind, name }) => keyOf(namespace, kind, name)),
    ...scalers.map(({ kind, metadata }) => keyOf(metadata.namespace ?? "", kind, metadata.name)),
  ]);
  return changesBetween(before, after).filter(({ object }) =>
    wanted.has(keyOf(object.namespace, object.kind, object.name)),
  );
}

function keyOf(namespace: string, kind: string, name: string): string {
  return `${namespace || "default"}/${kind}/${name}`;
}

function scales({ metadata, spec }: RenderedObject, { namespace, kind, name }: Workload): boolean {
  const target = isRecord(spec) ? spec.scaleTargetRef : undefined;
  if (!isRecord(target) || (metadata.namespace ?? "default") !== namespace) return false;
  return target.name === name && (target.kind ?? "Deployment") === kind;
}
