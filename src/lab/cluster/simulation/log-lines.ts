import type { KubeObject } from "../objects/kube-object.ts";
import { podsOfWorkload } from "./workload-pods.ts";
import type { ClusterState } from "../world.ts";

/** What the workloads write about their own requests: a calm line, slow ones and failures. */
export function writeLogs(world: ClusterState): void {
  for (const [name, flow] of world.flows) {
    const pods = podsOfWorkload(world, name);
    const pod = pods[Math.floor(world.fleet.random() * pods.length)];
    if (!pod) continue;
    const p99 = flow.latencyMs[Math.floor(flow.latencyMs.length * 0.99)] ?? 0;
    const rate = flow.offered.toFixed(0);
    writeLine(world, pod, `level=info msg="served" rps=${rate} p99_ms=${p99.toFixed(0)}`);
    if (p99 > 300) writeLine(world, pod, `level=warn msg="slow request" path=/ duration_ms=${p99.toFixed(0)}`);
    if (flow.timedOut > 0)
      writeLine(world, pod, `level=error msg="request queue is full" waiting=${flow.backlog.toFixed(0)}`);
    const failing = flow.failedShare > 0.02;
    if (failing)
      writeLine(world, pod, `level=error msg="request failed" status=503 share=${flow.failedShare.toFixed(3)}`);
  }
}

/** One line with the labels that a log agent gives it. */
export function writeLine(world: ClusterState, pod: KubeObject, line: string): void {
  const { namespace = "", name, labels = {} } = pod.metadata;
  const container = labels.app ?? "main";
  world.logs.add({ atMs: world.clock.nowMs, labels: { namespace, pod: name, container, app: container }, line });
}
