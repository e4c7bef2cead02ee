import type { RenderedObject } from "../../src/domain/kubernetes/rendered.ts";
import { type ClusterOptions, type SimulatedCluster, startCluster } from "../../src/lab/cluster/cluster.ts";

export interface ShopSpec {
  readonly web?: number;
  readonly webTag?: string;
  readonly checkoutMax?: number;
  readonly quotaCpu?: string;
  readonly cpuLimit?: string;
}

const namespace = "shop-production";

/** The objects of a small shop, as a renderer would give them. */
function shopObjects(spec: ShopSpec = {}): RenderedObject[] {
  const limits = spec.cpuLimit === undefined ? {} : { cpu: spec.cpuLimit };
  const deployment = (name: string, cpu: string, replicas?: number, tag = "1.0.0"): RenderedObject => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            {
              name,
              image: `registry.example/${name}:${tag}`,
              resources: { requests: { cpu, memory: "128Mi" }, limits: { memory: "256Mi", ...limits } },
            },
          ],
        },
      },
    },
  });
  const quota: RenderedObject = {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "shop", namespace },
    spec: { hard: { "requests.cpu": spec.quotaCpu ?? "8", pods: "40" } },
  };
  const hpa: RenderedObject = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "checkout", namespace },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "checkout" },
      ...{ minReplicas: 3, maxReplicas: spec.checkoutMax ?? 8 },
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
      ],
    },
  };
  return [
    deployment("web", "250m", spec.web ?? 2, spec.webTag),
    deployment("catalog", "100m", 2),
    deployment("checkout", "200m"),
    deployment("payments", "150m", 2),
    ...[hpa, quota],
  ];
}

export interface TestShop {
  readonly cluster: SimulatedCluster;
  /** Merges a new desired state: the next sync applies it. */
  merge(spec: ShopSpec): string;
}

/** A shop whose time moves by `advance` only. */
export async function openShop(options: Partial<ClusterOptions> = {}, first: ShopSpec = {}): Promise<TestShop> {
  let commits = 1;
  let spec = first;
  const sha = () => commits.toString(16).padStart(40, "0");
  const cluster = await startCluster({
    desired: async () => ({ revision: sha(), objects: shopObjects(spec) }),
    entry: { object: "Kustomization flux-system/shop", path: "./manifests/shop" },
    ...{ clock: "manual", historyMs: 16_000 },
    ...options,
  });
  return {
    cluster,
    merge: (next) => {
      spec = next;
      commits += 1;
      return sha();
    },
  };
}
