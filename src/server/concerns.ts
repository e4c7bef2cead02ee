import { kubernetes, kubernetesObjects } from "../adapters/kubernetes/kubernetes.ts";
import { openConcerns } from "../flow/collect/concerns/concerns.ts";
import { namesRepository } from "../manifests/gitops/own-repository.ts";
import type { Ports } from "../ports/ports.ts";
import type { Settings } from "../settings/settings.ts";
import type { Sources } from "./observability/source-health.ts";

/** The cluster, where a source that is not the repository that we work on is told for what it is. */
export function clusterOf({
  cluster,
  kubernetes: api,
  repository,
}: Pick<Settings, "cluster" | "kubernetes" | "repository">) {
  return kubernetes({ ...api, cluster, isOurs: (address) => namesRepository(address, repository) });
}

/** What tells whom alerts concern, in a running Rectify. */
export function concernsOf(
  { cluster, clusterLabel = "cluster", kubernetes }: Settings,
  sources: Sources,
  asked: Pick<Ports, "github" | "metrics" | "clock">,
): Ports["concerns"] {
  const objects = sources.watch("Kubernetes", kubernetesObjects({ ...kubernetes, cluster }));
  return openConcerns({ ...asked, objects, cluster, clusterLabel });
}
