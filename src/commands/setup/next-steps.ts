import { join } from "node:path";
import type { Answers } from "./answers.ts";

/** The route that a person adds to Alertmanager; it names where the token stands, never the token. */
export function alertmanagerRoute({
  secrets,
  directory,
  settings,
  rectifyNamespace,
  alertmanagerNamespace,
}: Answers): readonly string[] {
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
    ...(inCluster ? [operatorLine({ rectifyNamespace, alertmanagerNamespace }), ""] : []),
  ];
}

type Namespaces = Pick<Answers, "rectifyNamespace" | "alertmanagerNamespace">;

/** The object of the operator names both namespaces. */
function operatorLine({ rectifyNamespace, alertmanagerNamespace }: Namespaces): string {
  const isAsWritten = rectifyNamespace === "rectify" && alertmanagerNamespace === "monitoring";
  const names = isAsWritten ? "" : `, with ${rectifyNamespace} for rectify and ${alertmanagerNamespace} for monitoring`;
  return `With the Prometheus operator apply manifests/alertmanager instead${names}.`;
}

/** A path as one word of a shell. */
const shellWord = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

/** How Rectify is started with what was written. */
export function startLines({ secrets, directory, rectifyNamespace, settings }: Answers): readonly string[] {
  if (secrets === "files") {
    return ["Start Rectify:", `  set -a; . ${shellWord(join(directory, "rectify.env"))}; set +a; rectify serve`];
  }
  return [
    "Start Rectify:",
    `  kubectl create namespace ${rectifyNamespace}`,
    `  kubectl apply -f ${shellWord(join(directory, "secrets.yaml"))}`,
    ...(settings.DATABASE_URL === undefined
      ? [
          `  kubectl -n ${rectifyNamespace} create secret generic rectify-postgres --from-literal=url=postgresql://USER:PASSWORD@HOST/DATABASE`,
        ]
      : []),
    `  helm install rectify manifests/chart -n ${rectifyNamespace} -f ${shellWord(join(directory, "values.yaml"))}  # in a checkout of Rectify`,
  ];
}
