import { z } from "zod";
import { Environment } from "./settings.ts";

/** One line of the table of settings. */
interface SettingLine {
  readonly name: string;
  /** `Required`, or the default as it is written; absent = unset. */
  readonly fallback: string | undefined;
  readonly meaning: string;
}

const accessMeanings = (prefix: string, who: string) => ({
  [`${prefix}_TOKEN`]: `Bearer token for ${who}.`,
  [`${prefix}_TOKEN_PATH`]: "A file with that token, read again as it is renewed.",
  [`${prefix}_USERNAME`]: `User for ${who} (basic authentication).`,
  [`${prefix}_PASSWORD`]: "Its password.",
  [`${prefix}_PASSWORD_PATH`]: "A file with that password.",
  [`${prefix}_HEADERS`]:
    "More headers, such as `X-Scope-OrgID=team-a,Other=value`, percent-encoded; not Authorization.",
});

/** What each setting means to the person who sets it. Names, bounds and defaults are the schema's. */
export const meanings: Readonly<Partial<Record<string, string>>> = {
  RECTIFY_REPOSITORY: "The GitOps repository, as `owner/name`; several with commas between them.",
  RECTIFY_SOURCE_URLS:
    "Further addresses from which controllers read this repository, such as a mirror under another name, with commas between them; of several repositories as `owner/name=address`.",
  APP_ID: "The id of the GitHub App.",
  PRIVATE_KEY: "The App's private key: PEM, or its base64. Required unless `PRIVATE_KEY_PATH` is set.",
  PRIVATE_KEY_PATH: "A file that holds the private key.",
  WEBHOOK_SECRET: "The webhook secret of the GitHub App, 32 bytes or more.",
  SEAL_KEY:
    "Seals post-mortems, 32 bytes or more. By default derived from `WEBHOOK_SECRET`: set it before you change that, or earlier post-mortems lose their seal.",
  GITHUB_API_URL: "The GitHub API.",
  GITHUB_CLONE_URL: "Where git fetches from. By default what the API says; another host is refused.",
  GITHUB_WRITE_GAP_MS: "Least time between two writes to GitHub, over all processes.",
  ALERTS_TOKEN: "The bearer token (or basic password) that Alertmanager sends, 32 bytes or more.",
  DATABASE_URL: "A Postgres of your own. By default an embedded one below `RECTIFY_DATA`.",
  RECTIFY_DATA: "Directory for the Git mirror and the embedded Postgres.",
  HOST: "The address that both ports listen on.",
  PORT: "Port for GitHub's webhooks. The only one that must be reachable from GitHub.",
  INTERNAL_PORT: "Port for alerts, metrics and health, and for the pages behind an authenticating proxy.",
  PAGES_PORT: "Port of the pages: on 127.0.0.1 where nobody is authenticated, on `HOST` with a sign-in.",
  PAGES_USER_HEADER: "The header in which an authenticating proxy names the user; with `PAGES_PROXY_SECRET`.",
  PAGES_PROXY_SECRET: "What that proxy sends as `x-rectify-proxy-secret`, 32 bytes or more.",
  PAGES_CLIENT_ID: "The client id of the GitHub App: people sign in to the pages with GitHub.",
  PAGES_CLIENT_SECRET: "A client secret of the GitHub App.",
  PAGES_PERMISSION: "What people must be allowed in the repository to see the pages: `read`, `write` or `admin`.",
  PAGES_URL: "The pages as people reach them, for links to them.",
  GRAFANA_URL: "Grafana, for links to Explore; its data sources have the uids `prometheus` and `loki`.",
  PROMETHEUS_PUBLIC_URL: "Prometheus as people reach it, for links to queries.",
  NOTIFY_SLACK_URL_PATH: "A file with the address of a Slack-compatible incoming webhook (guardrails: `notify.slack`).",
  NOTIFY_WEBHOOK_URL:
    "Where notices go, signed and versioned; https except on this machine (guardrails: `notify.webhook`).",
  NOTIFY_WEBHOOK_SECRET_PATH: "A file with the key of that signature: HMAC-SHA-256 over timestamp, point and body.",
  CLUSTER_NAME: "Names the cluster in incidents, records and metrics.",
  CLUSTER_LABEL:
    "The label by which alerts and series name their cluster, such as `cluster`. Once set, only those of `CLUSTER_NAME` count.",
  PROMETHEUS_URL: "The address of Prometheus.",
  ...accessMeanings("PROMETHEUS", "Prometheus"),
  ALERTMANAGER_URL: "The address of Alertmanager.",
  ...accessMeanings("ALERTMANAGER", "Alertmanager"),
  ALERTMANAGER_WARM_UP_MS:
    "After its start Alertmanager may not know every alert: for this long silence is not “resolved”.",
  CHART_HOSTS:
    "Hosts from which published Helm charts may be fetched, with commas between them; also those that they redirect to. Without it only charts of the repository are rendered.",
  FLUX_SOURCE_CONTROLLER:
    "Inside the cluster: the Service of Flux's source-controller as `namespace/name`, from which the charts of HelmReleases are taken as they run, by their digest; `off` = not asked.",
  CHART_CREDENTIALS_FILE: "A file in the form of Docker's `config.json` with the logins of those hosts.",
  LOKI_URL: "The address of Loki. Without it no log evidence is collected.",
  ...accessMeanings("LOKI", "Loki"),
  KUBERNETES_URL: "The API server; https except on this machine. By default the kubeconfig or the pod's account.",
  KUBERNETES_TOKEN: "Bearer token for the API server.",
  KUBERNETES_TOKEN_PATH: "A file with that token, read again as it is renewed.",
  KUBERNETES_CA_PATH: "A file with the certificates that the API server is trusted by.",
  OLLAMA_HOST: "The address of Ollama, in any notation that Ollama takes. Without it rules alone decide.",
  OLLAMA_MODEL: "The model that is asked.",
  OLLAMA_EMBED_MODEL: "The embedding model for the memory. By default a deterministic lexical embedding.",
  OTEL_EXPORTER_OTLP_ENDPOINT: "Where spans go (OTLP over HTTP, JSON). By default nowhere.",
  HTTPS_PROXY: "The proxy for https addresses, also in lower case, also for git. A user and password may stand in it.",
  HTTP_PROXY: "The same for http addresses.",
  NO_PROXY:
    "Hosts that are asked directly: `host`, `.suffix`, `host:port` or `*`, with commas between them. This machine always is.",
  NODE_EXTRA_CA_CERTS:
    "A file with the certificates of private authorities, for all that is asked over https, git too.",
  KYVERNO:
    "Path of the Kyverno CLI, or `off` to leave policies to CI. By default found on `PATH` or in `RECTIFY_TOOLS`.",
  RECTIFY_TOOLS: "The directory that `npm run tools` builds into.",
  ALERT_POLL_MS: "How often Alertmanager is asked, beside its webhooks.",
  REEXAMINE_MS:
    "An incident that ended without a result is examined again while its alert fires: first after a fifteenth of this, then at this beat.",
  MOST_RECOVERIES: "Restarts in a row in the same step after which a workflow is parked.",
  POLL_MS: "How often a waiting workflow looks at first; ever more rarely, up to 5 minutes.",
  LOOKBACK_MS: "How far back evidence is collected.",
  RATE_WINDOW: "The window of rates in PromQL, such as `5m`.",
  SETTLE_MS: "How long everything must be well before an incident counts as recovered.",
  COOL_DOWN_MS: "Rest after a change of a workload before the next one.",
  LINGER_MS: "How long after “resolved” an incident stays open, in case the alert comes back.",
  DECIDE_TIMEOUT_MS: "How long a proposal waits for a decision.",
  SYNC_TIMEOUT_MS: "How long a merged change may take to be applied.",
  VERIFY_TIMEOUT_MS: "How long recovery may take.",
  MODEL_DEADLINE_MS: "How long the model may take to answer.",
  HISTORY_MS: "How far back the alert's own history is read.",
  SELF_HEAL_MS: "An alert that clears within this time, untouched, counts as having healed by itself.",
};

/** Every setting, in the order of the schema. */
export function settingLines(): readonly SettingLine[] {
  const { required = [], properties = {} } = z.toJSONSchema(Environment, { io: "input", unrepresentable: "any" });
  return Object.entries(properties).map(([name, field]) => {
    const given = typeof field === "object" ? field.default : undefined;
    const fallback = required.includes(name)
      ? "Required"
      : given === undefined || given === ""
        ? undefined
        : String(given);
    return { name, fallback, meaning: meanings[name] ?? "" };
  });
}

/** The table of the papers, as Markdown. */
export function settingsTable(): string {
  const lines = settingLines().map(({ name, fallback, meaning }) => {
    const shown = fallback === undefined ? "–" : fallback === "Required" ? "**Required**" : `\`${fallback}\``;
    return `| \`${name}\` | ${shown} | ${meaning} |`;
  });
  return ["| setting | default | what it is |", "|---|---|---|", ...lines].join("\n");
}

/** The same for a terminal. */
export function settingsHelp(): string {
  const lines = settingLines().map(
    ({ name, fallback, meaning }) =>
      `  ${name.padEnd(28)} ${meaning.replaceAll("`", "")}${fallback === undefined ? "" : fallback === "Required" ? " (required)" : ` (default: ${fallback})`}`,
  );
  return ["", "Settings, from the environment:", ...lines].join("\n");
}
