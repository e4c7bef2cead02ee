import { checkedObjects, concernedObjects } from "../../domain/gate/checked-objects.ts";
import type { ObjectChange } from "../../domain/kubernetes/manifest-edit.ts";
import { notEvaluated, type PolicyEngine, type PolicyVerdict } from "../../domain/gate/policy-report.ts";
import type { RenderedObject } from "../../domain/kubernetes/rendered.ts";

/** A change as the policies see it. */
export interface ChangeToJudge {
  /** Policy files of the base commit: those of the change itself do not judge it. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** Everything rendered without the change, where that is known. */
  readonly before?: readonly RenderedObject[] | undefined;
  /** Everything that the entry renders to with the change. */
  readonly objects: readonly RenderedObject[];
  readonly changes: readonly ObjectChange[];
  readonly incident: string | undefined;
  /** The commit that the change reverts, by its full SHA. */
  readonly reverts?: string | undefined;
}

/** Puts the changed objects, with what stands beside them, before the policies. Never throws. */
export async function evaluatePolicies(change: ChangeToJudge, engine: PolicyEngine): Promise<PolicyVerdict> {
  const { objects, uncounted, missing } = checkedObjects(change.objects, change.changes, change.incident, change);
  if (missing[0] !== undefined) return notEvaluated(`${missing[0]} changes, but was not rendered`);
  const verdict = await engine.judge({ files: change.files, objects: concernedObjects(objects, change.changes) });
  return { ...verdict, notEvaluated: [...verdict.notEvaluated, ...uncounted] };
}
