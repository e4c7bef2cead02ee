import { kubernetesScalar } from "./scalar.ts";
import { entriesOf, type Node, resolved } from "./source.ts";

const mostDeep = 100;

/** A node as the plain value that Kubernetes' YAML reader makes of it; `fill` may fill in what a text leaves open. */
export function plainOf(node: Node | undefined, fill: (text: string) => string = (text) => text, depth = 0): unknown {
  const here = resolved(node);
  if (here === undefined || here.kind === "removed" || depth > mostDeep) return null;
  if (here.kind === "scalar") return kubernetesScalar({ ...here, text: fill(here.text) });
  if (here.kind === "list") return here.items.map((item) => plainOf(item, fill, depth + 1));
  return Object.fromEntries([...entriesOf(here)].map(([key, entry]) => [key, plainOf(entry.value, fill, depth + 1)]));
}
