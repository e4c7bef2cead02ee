import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { ollamaAddress } from "../domain/llm/ollama-address.ts";
import { chartsOf, type ChartSettings, chartVariables } from "./charts.ts";
import { address, type Endpoint, endpointOf, endpointProblems, endpointVariables } from "./endpoints.ts";
import type { WatchtowerLimits } from "../domain/guardrails/watchtower.ts";
import { type Proxies, proxyOf } from "../domain/text/proxies.ts";
import { proxiesOf, proxyVariables, withProxyNames } from "./proxies.ts";
import type { Timings } from "../ports/timings.ts";
import { pagesOf, pagesProblems, type PagesSettings, signInVariables } from "./pages.ts";
import { nameOf, repositoriesOf, type Repository, repositoryProblems, repositoryVariables } from "./repository.ts";
import { linksOf, type LinkSettings, linkVariables } from "./links.ts";
import { inOurWords, unknownVariables } from "./variables.ts";

/** Everything the process is told from outside, checked. */
export interface Settings extends ChartSettings {
  readonly repository: Repository;
  /** All, where one installation serves several; with `paceUrl`, the database of their common pace, this process serves one. */
  readonly repositories?: readonly Repository[] | undefined;
  readonly paceUrl?: string | undefined;
  readonly app: { readonly id: number; readonly privateKey: string };
  readonly webhookSecret: string;
  /** Seals post-mortems: see `sealOf`. */
  readonly sealKey: string;
  /** Without `cloneUrl` git fetches from where GitHub's API says; another host is refused. */
  readonly github: {
    readonly apiUrl: string;
    readonly cloneUrl?: string | undefined;
    readonly writeGapMs: number;
  };
  readonly alerts: { readonly token: string };
  readonly databaseUrl: string | undefined;
  readonly dataDirectory: string;
  /** The way out of a fenced network, and the file with the certificates of private authorities. */
  readonly proxies?: Proxies | undefined;
  readonly extraCaPath?: string | undefined;
  readonly host: string;
  readonly webhookPort: number;
  readonly internalPort: number;
  readonly pages: PagesSettings;
  /** Absent = the pages link nowhere but to themselves. */
  readonly links?: LinkSettings;
  readonly cluster: string;
  /** The label by which alerts and series name their cluster; once it is set, every query asks for ours only. */
  readonly clusterLabel?: string | undefined;
  /** `freshMs`: an answer this old, or a three-hundredth of its range, is shared with whoever asks the same; 1 s unless told. */
  readonly prometheus: Endpoint & {
    readonly freshMs?: number;
    readonly only?: { readonly label: string; readonly value: string } | undefined;
  };
  /** `warmUpMs`: how long after its start Alertmanager may not know every alert; absent = not at all. */
  readonly alertmanager: Endpoint & { readonly warmUpMs?: number };
  readonly loki: Endpoint | undefined;
  readonly kubernetes: {
    readonly url: string | undefined;
    readonly token?: string | undefined;
    /** Files: the token, read again as it is renewed, and the certificates that the API server is trusted by. */
    readonly tokenPath?: string | undefined;
    readonly caPath?: string | undefined;
    readonly proxyUrl?: string | undefined;
  };
  readonly ollama:
    | { readonly host: string; readonly model: string; readonly embeddingModel?: string | undefined }
    | undefined;
  /** The Kyverno CLI, and the directory into which `npm run tools:kyverno` builds; `off` leaves the gate to CI. */
  readonly kyverno?: "off" | { readonly path: string | undefined; readonly toolsDirectory: string | undefined };
  /** When writing is suspended; absent = the product's own numbers. */
  readonly watchtower?: { readonly limits: WatchtowerLimits; readonly everyMs: number } | undefined;
  /** Where spans go; absent = nowhere. */
  readonly otlpEndpoint?: string | undefined;
  readonly alertPollMs: number;
  /** The beat at which an incident that ended without a result is examined again while its alert fires. */
  readonly reexamineMs: number;
  /** Restarts in a row that may find a workflow in the same step before it is parked. */
  readonly mostRecoveries: number;
  readonly timings: Timings;
}

/** Settings, or every problem at once, each with its remedy. */
export type LoadedSettings =
  | { readonly ok: true; readonly value: Settings }
  | { readonly ok: false; readonly problems: readonly string[] };

const minimumSecret = 32;
const absolute = z.string().startsWith("/", "must be an absolute path");
const url = address;
const sources = ["PROMETHEUS", "ALERTMANAGER", "LOKI"] as const;
const duration = (fallback: number) =>
  z.coerce.number({ error: "must be a whole number of milliseconds above 0" }).int().positive().default(fallback);
const port = (fallback: number) =>
  z.coerce.number({ error: "must be a port number, 0 to 65535" }).int().min(0).max(65535).default(fallback);
const secret = (what: string) =>
  z
    .string({ error: `is missing: set ${what}` })
    .refine(
      (text) => Buffer.byteLength(text) >= minimumSecret,
      `is too short: set ${what} of at least ${minimumSecret} bytes (openssl rand -hex 32)`,
    );

/** The environment as `serve` reads it: names, bounds and defaults live only here. */
export const Environment = z.object({
  ...repositoryVariables,
  APP_ID: z
    .string({ error: "is missing: set the id of the GitHub App" })
    .regex(/^[1-9]\d{0,14}$/, "must be a whole number: the id of the GitHub App, as the App's page shows it")
    .transform(Number),
  PRIVATE_KEY: z.string().optional(),
  PRIVATE_KEY_PATH: z.string().optional(),
  WEBHOOK_SECRET: secret("the webhook secret of the GitHub App"),
  SEAL_KEY: secret("the key by which post-mortems are sealed").optional(),
  GITHUB_API_URL: url.default("https://api.github.com"),
  GITHUB_CLONE_URL: url.optional(),
  GITHUB_WRITE_GAP_MS: z.coerce.number().int().min(0).default(1000),
  ALERTS_TOKEN: secret("the bearer token (or basic password) that Alertmanager sends"),
  DATABASE_URL: z.string().startsWith("postgres", "must be a postgresql:// address").optional(),
  RECTIFY_DATA: z.string().default(".rectify"),
  HOST: z.string().default("0.0.0.0"),
  PORT: port(3000),
  INTERNAL_PORT: port(9095),
  PAGES_PORT: port(9096),
  PAGES_USER_HEADER: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]*$/, "must be the name of a header, such as X-Forwarded-User")
    .transform((name) => name.toLowerCase())
    .optional(),
  PAGES_PROXY_SECRET: secret("the secret that the authenticating proxy of the pages sends").optional(),
  ...signInVariables,
  ...linkVariables,
  CLUSTER_NAME: z.string().min(1).default("default"),
  CLUSTER_LABEL: z
    .string()
    .regex(/^[a-zA-Z_]\w*$/, "must be the name of a label, such as cluster")
    .optional(),
  PROMETHEUS_URL: z.string({ error: "is missing: set the address of Prometheus" }).pipe(url),
  ...endpointVariables("PROMETHEUS"),
  ALERTMANAGER_URL: z.string({ error: "is missing: set the address of Alertmanager" }).pipe(url),
  ...endpointVariables("ALERTMANAGER"),
  ALERTMANAGER_WARM_UP_MS: duration(3 * 60_000),
  ...chartVariables,
  LOKI_URL: url.optional(),
  ...endpointVariables("LOKI"),
  KUBERNETES_URL: url
    .refine(
      (text) => text.startsWith("https:") || /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]?/.test(text),
      "must be https, except on this machine",
    )
    .optional(),
  KUBERNETES_TOKEN: z.string().optional(),
  KUBERNETES_TOKEN_PATH: absolute.optional(),
  KUBERNETES_CA_PATH: absolute.optional(),
  OLLAMA_HOST: z
    .string()
    .transform((text) => ollamaAddress(text) ?? text)
    .pipe(url)
    .optional(),
  OLLAMA_MODEL: z.string().min(1).default("llama3.1:8b"),
  OLLAMA_EMBED_MODEL: z.string().min(1).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional(),
  ...proxyVariables,
  KYVERNO: z
    .string()
    .regex(/^(?:\/|off$)/, "must be an absolute path, or off")
    .optional(),
  RECTIFY_TOOLS: z.string().optional(),
  ALERT_POLL_MS: duration(60_000),
  REEXAMINE_MS: duration(30 * 60_000),
  MOST_RECOVERIES: z.coerce.number({ error: "must be a whole number, 1 or more" }).int().min(1).default(3),
  POLL_MS: duration(15_000),
  LOOKBACK_MS: duration(30 * 60_000),
  RATE_WINDOW: z
    .string()
    .regex(/^\d+(ms|s|m|h)$/, "must be a duration such as 5m")
    .default("5m"),
  SETTLE_MS: duration(3 * 60_000),
  COOL_DOWN_MS: duration(5 * 60_000),
  LINGER_MS: duration(5 * 60_000),
  DECIDE_TIMEOUT_MS: duration(3 * 24 * 3_600_000),
  SYNC_TIMEOUT_MS: duration(30 * 60_000),
  VERIFY_TIMEOUT_MS: duration(20 * 60_000),
  MODEL_DEADLINE_MS: duration(60_000),
  HISTORY_MS: duration(7 * 24 * 3_600_000),
  SELF_HEAL_MS: duration(10 * 60_000),
});

/** Reads the environment once. `readFile` is asked for the private key only. */
export function parseSettings(
  environment: Readonly<Record<string, string | undefined>>,
  readFile = (path: string) => readFileSync(path, "utf8"),
): LoadedSettings {
  const given = Object.fromEntries(Object.entries(withProxyNames(environment)).filter(([, value]) => value !== ""));
  const parsed = Environment.safeParse(given, { error: inOurWords });
  const key = privateKeyOf(given, readFile);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`)),
    ...(key.ok ? [] : [key.problem]),
    ...sources.flatMap((name) => endpointProblems(name, given)),
    ...pagesProblems(given),
    ...repositoryProblems(given),
  ];
  if (problems.length > 0) problems.push(...unknownVariables(given, Object.keys(Environment.shape)));
  if (!parsed.success || !key.ok || problems.length > 0) return { ok: false, problems };
  return { ok: true, value: settingsOf(parsed.data, key.value) };
}

function settingsOf(read: z.infer<typeof Environment>, privateKey: string): Settings {
  const repositories = repositoriesOf(read);
  return {
    ...{ repository: repositories[0], repositories: repositories.length > 1 ? repositories : undefined },
    app: { id: read.APP_ID, privateKey },
    webhookSecret: read.WEBHOOK_SECRET,
    sealKey: read.SEAL_KEY ?? sealKeyFrom(read.WEBHOOK_SECRET),
    github: { apiUrl: read.GITHUB_API_URL, cloneUrl: read.GITHUB_CLONE_URL, writeGapMs: read.GITHUB_WRITE_GAP_MS },
    alerts: { token: read.ALERTS_TOKEN },
    databaseUrl: read.DATABASE_URL,
    dataDirectory: resolve(read.RECTIFY_DATA),
    ...chartsOf(read),
    ...{ proxies: proxiesOf(read), extraCaPath: read.NODE_EXTRA_CA_CERTS },
    host: read.HOST,
    webhookPort: read.PORT,
    internalPort: read.INTERNAL_PORT,
    pages: pagesOf(read),
    links: linksOf(read, nameOf(repositories[0])),
    cluster: read.CLUSTER_NAME,
    clusterLabel: read.CLUSTER_LABEL,
    prometheus: {
      ...endpointOf("PROMETHEUS", read.PROMETHEUS_URL, read),
      ...(read.CLUSTER_LABEL === undefined ? {} : { only: { label: read.CLUSTER_LABEL, value: read.CLUSTER_NAME } }),
    },
    alertmanager: {
      ...endpointOf("ALERTMANAGER", read.ALERTMANAGER_URL, read),
      warmUpMs: read.ALERTMANAGER_WARM_UP_MS,
    },
    loki: read.LOKI_URL === undefined ? undefined : endpointOf("LOKI", read.LOKI_URL, read),
    kubernetes: {
      ...{ url: read.KUBERNETES_URL, token: read.KUBERNETES_TOKEN },
      ...{ tokenPath: read.KUBERNETES_TOKEN_PATH, caPath: read.KUBERNETES_CA_PATH },
      proxyUrl: proxyOf(read.KUBERNETES_URL ?? "", proxiesOf(read)),
    },
    ollama:
      read.OLLAMA_HOST === undefined
        ? undefined
        : { host: read.OLLAMA_HOST, model: read.OLLAMA_MODEL, embeddingModel: read.OLLAMA_EMBED_MODEL },
    kyverno: read.KYVERNO === "off" ? "off" : { path: read.KYVERNO, toolsDirectory: read.RECTIFY_TOOLS },
    otlpEndpoint: read.OTEL_EXPORTER_OTLP_ENDPOINT,
    alertPollMs: read.ALERT_POLL_MS,
    reexamineMs: read.REEXAMINE_MS,
    mostRecoveries: read.MOST_RECOVERIES,
    timings: timingsOf(read),
  };
}

/** The seal's own key where none is set. Whoever changes the webhook secret and wants to keep the seals sets SEAL_KEY. */
export function sealKeyFrom(webhookSecret: string): string {
  return createHmac("sha256", webhookSecret).update("rectify seal of post-mortems").digest("hex");
}

function timingsOf(read: z.infer<typeof Environment>): Timings {
  return {
    pollMs: read.POLL_MS,
    lookbackMs: read.LOOKBACK_MS,
    rateWindow: read.RATE_WINDOW,
    settleMs: read.SETTLE_MS,
    coolDownMs: read.COOL_DOWN_MS,
    lingerMs: read.LINGER_MS,
    decideTimeoutMs: read.DECIDE_TIMEOUT_MS,
    syncTimeoutMs: read.SYNC_TIMEOUT_MS,
    verifyTimeoutMs: read.VERIFY_TIMEOUT_MS,
    modelDeadlineMs: read.MODEL_DEADLINE_MS,
    historyMs: read.HISTORY_MS,
    selfHealMs: read.SELF_HEAL_MS,
  };
}

type Key = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly problem: string };

function privateKeyOf(given: Readonly<Record<string, string | undefined>>, readFile: (path: string) => string): Key {
  const remedy = "set PRIVATE_KEY (PEM or its base64) or PRIVATE_KEY_PATH";
  const text = given.PRIVATE_KEY ?? readKeyFile(given.PRIVATE_KEY_PATH, readFile);
  if (text === undefined) return { ok: false, problem: `PRIVATE_KEY: is missing or cannot be read: ${remedy}` };
  const pem = text.includes("-----BEGIN") ? text.replaceAll("\\n", "\n") : Buffer.from(text, "base64").toString("utf8");
  return pem.includes("-----BEGIN")
    ? { ok: true, value: pem }
    : { ok: false, problem: `PRIVATE_KEY: is not a PEM key: ${remedy}` };
}

function readKeyFile(path: string | undefined, readFile: (path: string) => string): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFile(path);
  } catch {
    return undefined;
  }
}
