/**
 * Where well-known public charts read the replica count of a component, by the workload's name after the release's
 * (empty for the main one). Only needed when nobody has written the key yet. Source: the charts' own values.yaml.
 */
const replicaKeys: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "argo-cd": {
    server: "server.replicas",
    "repo-server": "repoServer.replicas",
    "applicationset-controller": "applicationSet.replicas",
  },
  "cert-manager": {
    "": "replicaCount",
    webhook: "webhook.replicaCount",
    cainjector: "cainjector.replicaCount",
  },
  cilium: { operator: "operator.replicas" },
  "external-secrets": {
    "": "replicaCount",
    webhook: "webhook.replicaCount",
    "cert-controller": "certController.replicaCount",
  },
  gateway: { "": "replicaCount" },
  grafana: { "": "replicas" },
  harbor: {
    core: "core.replicas",
    jobservice: "jobservice.replicas",
    portal: "portal.replicas",
    registry: "registry.replicas",
  },
  "ingress-nginx": { controller: "controller.replicaCount", defaultbackend: "defaultBackend.replicaCount" },
  istiod: { "": "pilot.replicaCount" },
  "kube-state-metrics": { "": "replicas" },
  "metrics-server": { "": "replicas" },
  "oauth2-proxy": { "": "replicaCount" },
  podinfo: { "": "replicaCount" },
  "prometheus-adapter": { "": "replicas" },
  traefik: { "": "deployment.replicas" },
};

/** The path of the replica count, when the chart is known to read it there. */
export function knownReplicaKey(chart: string, component: string): readonly string[] | undefined {
  return replicaKeys[chart]?.[component]?.split(".");
}
