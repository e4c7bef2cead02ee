import { refused, type Refusal } from "../../repository/refusal.ts";
import { kubernetesScalar } from "../../yaml/scalar.ts";
import type { Node } from "../../yaml/source.ts";

export const isTrue = (node: Node | undefined): node is Node =>
  node?.kind === "scalar" && kubernetesScalar(node) === true;

/** Somebody switched off what would bring the change. */
export function off(what: string): Refusal {
  return refused(
    "deliberately-disabled",
    `${what}: the change would not be applied`,
    "Ask its owners to switch it on again first.",
  );
}
