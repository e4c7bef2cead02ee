/** What the Kustomize base says, as values of the chart. */
export const asTheBase = {
  repository: "rectify-lab/shop",
  mesh: "linkerd",
  settings: {
    PROMETHEUS_URL: "http://prometheus-operated.monitoring.svc:9090",
    ALERTMANAGER_URL: "http://alertmanager-operated.monitoring.svc:9093",
    LOKI_URL: "http://loki.monitoring.svc:3100",
    OLLAMA_HOST: "http://ollama.ollama.svc:11434",
    OLLAMA_MODEL: "llama3.1:8b",
  },
};

/** The values with which a real cluster and the policies must take the chart. */
export const releases = {
  "with its default values": { repository: "rectify-lab/shop" },
  "with everything on": {
    ...asTheBase,
    replicas: 3,
    secrets: { sources: "tokens-of-the-sources" },
    networkPolicy: { enabled: true },
    monitoring: true,
    ingress: { enabled: true, host: "rectify.example.com", tlsSecret: "rectify-tls" },
  },
  "with everything off": {
    ...{ repository: "rectify-lab/shop", replicas: 1, monitoring: false },
    networkPolicy: { enabled: false },
  },
} as const;
