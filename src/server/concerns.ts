import { kubernetesObjects } from "../adapters/kubernetes/kubernetes.ts";
import { openConcerns } from "../flow/collect/concerns/concerns.ts";
import type { Ports } from "../ports/ports.ts";
import type { Settings } from "../settings/settings.ts";
import type { Sources } from "./observability/source-health.ts";

/** What tells whom alerts concern, in a running Rectify. */
export function concernsOf(
  { cluster, clusterLabel = "cluster", kubernetes }: Settings,
  sources: Sources,
  asked: Pick<Ports, "github" | "metrics" | "clock">,
): Ports["concerns"] {
  const objects = sources.watch("Kubernetes", kubernetesObjects({ ...kubernetes, cluster }));
  return openConcerns({ ...asked, objects, cluster, clusterLabel });
}
