import type { Entry, WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import type { RenderedObject } from "../../domain/kubernetes/rendered.ts";
import type { Refusal } from "../repository/refusal.ts";

/** Why a person must look, although the edit is right: what is rendered does not show it. */
export interface Doubt {
  readonly doubt: string;
}

/** What stands against an edit: a refusal, or why nobody here can tell. */
export type Held = Refusal | Doubt | undefined;

/** The first refusal, and where there is none the first doubt; behind a refusal nothing is looked at. */
export function firstHeld<T>(all: readonly T[], look: (one: T) => Held): Held {
  let doubt: Held;
  for (const one of all) {
    const held = look(one);
    if (held && "reason" in held) return held;
    doubt ??= held;
  }
  return doubt;
}

/** A field of a rendered object that a change means, or that an edit moves. */
export interface Arriving {
  readonly object: RenderedObject;
  readonly path: readonly (string | number)[];
  readonly change: WantedChange;
  /** Where the workload runs: objects that name no namespace go there. */
  readonly namespace: string;
  readonly tool: Entry["tool"];
  /** True for what Helm installs for Flux, which then looks at no marks for Kustomizations. */
  readonly isOfRelease: boolean;
}
