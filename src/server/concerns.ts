import { join } from "node:path";
import { chartsOnPath } from "../adapters/cli-tools/charts.ts";
import { runningCharts } from "../adapters/cli-tools/helm/running-charts.ts";
import { kubernetes, kubernetesCharts, kubernetesObjects } from "../adapters/kubernetes/kubernetes.ts";
import { openConcerns } from "../flow/collect/concerns/concerns.ts";
import { namesRepository, ownerOf } from "../manifests/gitops/own-repository.ts";
import type { Ports } from "../ports/ports.ts";
import { nameOf, type Repository } from "../settings/repository.ts";
import type { Settings } from "../settings/settings.ts";
import type { Sources } from "./observability/source-health.ts";
import { ownConcerns } from "./several/own-concerns.ts";

const isSame = (one: Repository | undefined, other: Repository) => one !== undefined && nameOf(one) === nameOf(other);

/** The cluster, where a source that is not the repository that we work on is told for what it is. */
export function clusterOf({
  cluster,
  kubernetes: api,
  repository,
  repositories,
}: Pick<Settings, "cluster" | "kubernetes" | "repository" | "repositories">) {
  const isOurs = (address: string) =>
    repositories === undefined
      ? namesRepository(address, repository)
      : isSame(ownerOf(address, repositories), repository);
  return kubernetes({ ...api, cluster, isOurs });
}

/** What tells whom alerts concern, in a running Rectify. */
export function concernsOf(
  { cluster, clusterLabel = "cluster", kubernetes: api, repository, repositories }: Settings,
  sources: Sources,
  asked: Pick<Ports, "github" | "metrics" | "clock">,
): Ports["concerns"] {
  const objects = sources.watch("Kubernetes", kubernetesObjects({ ...api, cluster }));
  const concerns = openConcerns({ ...asked, objects, cluster, clusterLabel });
  if (repositories === undefined) return concerns;
  const isOurs = (address: string) => ownerOf(address, repositories) !== undefined;
  const seen = sources.watch("Kubernetes", kubernetes({ ...api, cluster, isOurs }));
  return ownConcerns(concerns, { own: repository, all: repositories, cluster: seen, clock: asked.clock });
}

/** Charts of a running Rectify: those that are published, and inside the cluster those that Flux runs. */
export function chartsOf(settings: Settings, environment: NodeJS.ProcessEnv = process.env) {
  const { chartHosts: hosts = [], chartCredentialsFile: credentialsFile, fluxSourceController: controller } = settings;
  const cache = join(settings.dataDirectory, "charts");
  const published = { hosts, credentialsFile, cache };
  if (environment.KUBERNETES_SERVICE_HOST === undefined || controller === undefined) return chartsOnPath(published);
  const cluster = kubernetesCharts({ ...settings.kubernetes, cluster: settings.cluster });
  return chartsOnPath(published, runningCharts({ cluster, controller, cache }));
}
