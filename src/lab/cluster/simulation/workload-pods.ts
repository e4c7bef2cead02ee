import { setsOf } from "../objects/deployments.ts";
import type { KubeObject } from "../objects/kube-object.ts";
import { isReady, podsOf } from "../objects/pods.ts";
import type { ClusterState } from "../world.ts";

export function podsOfWorkload(world: ClusterState, name: string): KubeObject[] {
  const deployment = world.kube.named("Deployment", name);
  return deployment ? setsOf(world.fleet, deployment).flatMap((set) => podsOf(world.kube, set)) : [];
}

export function readyPods(world: ClusterState, name: string): KubeObject[] {
  return podsOfWorkload(world, name).filter(isReady);
}
