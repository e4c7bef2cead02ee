import { join } from "node:path";
import type { Answers } from "./answers.ts";

/** The route that a person adds to Alertmanager; it names where the token stands, never the token. */
export function alertmanagerRoute({ secrets, directory, settings, rectifyNamespace }: Answers): readonly string[] {
  const inCluster = secrets === "kubernetes";
  const host = inCluster ? `rectify.${rectifyNamespace}.svc` : "127.0.0.1";
  // The chart's own, whatever this machine listens on.
  const port = inCluster ? "9095" : (settings.INTERNAL_PORT ?? "9095");
  const token = inCluster ? "/etc/alertmanager/secrets/rectify-alerts/token" : join(directory, "alerts-token");
  return [
    "Add to Alertmanager's configuration:",
    "",
    "  route:",
    "    routes:",
    "      - receiver: rectify",
    '        matchers: [severity=~"critical|warning"]',
    "        group_wait: 10s",
    "        group_interval: 1m",
    "        continue: true # people are told as well",
    "  receivers:",
    "    - name: rectify",
    "      webhook_configs:",
    `        - url: http://${host}:${port}/alerts`,
    "          send_resolved: true",
    "          max_alerts: 0",
    "          http_config:",
    `            authorization: { type: Bearer, credentials_file: ${token} }`,
    "",
    ...(inCluster ? ["With the Prometheus operator apply manifests/alertmanager instead.", ""] : []),
  ];
}

/** How Rectify is started with what was written. */
export function startLines({ secrets, directory, rectifyNamespace }: Answers): readonly string[] {
  if (secrets === "files") {
    return ["Start Rectify:", `  set -a; . ${join(directory, "rectify.env")}; set +a; rectify serve`];
  }
  return [
    "Start Rectify:",
    `  kubectl create namespace ${rectifyNamespace}`,
    `  kubectl apply -f ${join(directory, "secrets.yaml")}`,
    `  helm install rectify manifests/chart -n ${rectifyNamespace} -f ${join(directory, "values.yaml")}`,
  ];
}
