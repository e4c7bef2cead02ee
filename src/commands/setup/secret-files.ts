import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Refused } from "../../ports/errors.ts";
import { renderYaml } from "../../manifests/yaml/yaml.ts";
import type { Answers } from "./answers.ts";
import { isSecret } from "./answers.ts";
import type { Converted } from "./conversion.ts";

const mode = 0o600;
// As long as settings.ts asks for.
const leastSecret = 32;

const Kept = z.object({
  ...{ id: z.int().positive(), slug: z.string(), installUrl: z.string() },
  ...{ privateKey: z.string().includes("-----BEGIN"), webhookSecret: z.string().min(leastSecret) },
  ...{ clientId: z.string(), clientSecret: z.string(), alertsToken: z.string().min(leastSecret) },
});

/** The App and the token of the alerts, as setup keeps them. */
export type Kept = Readonly<z.infer<typeof Kept>>;

const keptName = "github-app.json";

/** The App that an earlier run registered; undefined = none. Throws `Refused` for a file that is not ours. */
export function keptApp(directory: string): Kept | undefined {
  const path = join(directory, keptName);
  const text = textOf(path);
  if (text === undefined) return undefined;
  const fix = "move it away, and the App on GitHub with it, or name another directory";
  try {
    return Kept.parse(JSON.parse(text));
  } catch {
    throw new Refused(`${path} does not hold the App that setup registered: ${fix}`);
  }
}

/** The App as GitHub hands it out once, with the secrets that GitHub does not make. */
export function appToKeep(converted: Converted, alertsToken: string | undefined): Kept {
  const fresh = () => randomBytes(leastSecret).toString("hex");
  const given = converted.webhook_secret ?? "";
  return {
    ...{ id: converted.id, slug: converted.slug, privateKey: converted.pem },
    installUrl: `${converted.html_url.replace(/\/$/, "")}/installations/new`,
    webhookSecret: given.length >= leastSecret ? given : fresh(),
    ...{ clientId: converted.client_id, clientSecret: converted.client_secret, alertsToken: alertsToken ?? fresh() },
  };
}

/** Keeps an App. One that is kept already is never written over. */
export function keepApp(directory: string, kept: Kept): Kept {
  prepare(directory);
  writeFileSync(join(directory, keptName), `${JSON.stringify(kept, null, 2)}\n`, { mode, flag: "wx" });
  return kept;
}

/** A directory of one's own, whose files are for nobody else and never committed. */
export function prepare(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (textOf(join(directory, ".gitignore")) === undefined)
    writeFileSync(join(directory, ".gitignore"), "*\n", { mode });
}

type Written = "written" | "unchanged" | "replaced" | "kept";

/** Writes a secret file, for its owner alone. One that says something else is replaced only where that was allowed. */
export async function writeSecretFile(
  path: string,
  text: string,
  mayReplace: (path: string) => Promise<boolean>,
): Promise<Written> {
  try {
    writeFileSync(path, text, { mode, flag: "wx" });
    return "written";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  if (textOf(path) === text) {
    chmodSync(path, mode);
    return "unchanged";
  }
  if (!(await mayReplace(path))) return "kept";
  const beside = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(beside, text, { mode, flag: "wx" });
    renameSync(beside, path);
  } finally {
    rmSync(beside, { force: true });
  }
  return "replaced";
}

/** The settings of `rectify serve` that hold, the App's among them; the key is in a file of its own. */
export function environmentOf({ settings, directory }: Answers, kept: Kept): Record<string, string> {
  const isShown = settings.PAGES_URL !== undefined && settings.PAGES_USER_HEADER === undefined && kept.clientId !== "";
  return {
    ...settings,
    APP_ID: String(kept.id),
    PRIVATE_KEY_PATH: join(directory, "private-key.pem"),
    WEBHOOK_SECRET: kept.webhookSecret,
    ALERTS_TOKEN: kept.alertsToken,
    ...(isShown ? { PAGES_CLIENT_ID: kept.clientId, PAGES_CLIENT_SECRET: kept.clientSecret } : {}),
  };
}

/** What stands in the directory, by name: for a process of one's own, or for a cluster. */
export function filesOf(answers: Answers, kept: Kept): Readonly<Record<string, string>> {
  const environment = environmentOf(answers, kept);
  const inPods = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => !isOfThisMachine(name, value)),
  );
  if (answers.secrets === "files") {
    const lines = Object.entries(environment).map(([name, value]) => `${name}=${quoted(name, value)}`);
    // Alertmanager reads the token from a file.
    const token = { "alerts-token": kept.alertsToken };
    return { "private-key.pem": kept.privateKey, ...token, "rectify.env": `${lines.join("\n")}\n` };
  }
  return {
    "private-key.pem": kept.privateKey,
    "secrets.yaml": secretsOf(answers, kept, inPods),
    "values.yaml": valuesOf(inPods),
  };
}

// The chart sets the first itself; the pods have an account of their own, and never that of whoever sets them up.
const setByChart = ["HOST", "PORT", "INTERNAL_PORT", "RECTIFY_DATA", "RECTIFY_TOOLS"];
const ownAccount = ["KUBERNETES_URL", "KUBERNETES_TOKEN", "KUBERNETES_TOKEN_PATH", "KUBERNETES_CA_PATH"];
const placesOfPods = ["/etc/rectify/", "/var/run/secrets/"];

/** What holds on this machine and in no pod: its ports, its account in the cluster, its files. */
function isOfThisMachine(name: string, value: string): boolean {
  if (setByChart.includes(name) || ownAccount.includes(name)) return true;
  const isFile = /_(PATH|FILE|CERTS)$/.test(name) || (name === "KYVERNO" && value.startsWith("/"));
  return isFile && !hasItsPlace(name) && !placesOfPods.some((place) => value.startsWith(place));
}

/** What the files for a cluster leave out, or take over though it cannot hold there, each with what to do. */
export function podNotes({ secrets, settings }: Pick<Answers, "secrets" | "settings">): readonly string[] {
  if (secrets === "files") return [];
  const given = Object.entries(settings).filter(([name]) => !setByChart.includes(name));
  const notes = given.flatMap(([name, value]) => {
    if (ownAccount.includes(name)) return [`${name} is left out: the pods have an account of their own`];
    if (isOfThisMachine(name, value))
      return [`${name} is left out: the file is on this machine (those of the pods are in /etc/rectify/sources)`];
    return isLoopback(value)
      ? [`${name} is this machine, and in a pod the pod itself: put the address of its Service there`]
      : [];
  });
  const database = "DATABASE_URL is not given: the pods wait for a Postgres of yours (below)";
  return settings.DATABASE_URL === undefined ? [database, ...notes] : notes;
}

function isLoopback(value: string): boolean {
  const host = URL.canParse(value) ? new URL(value).hostname : "";
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}

/** For a shell and for node --env-file alike; neither takes both a quote and a new line. */
function quoted(name: string, value: string): string {
  if (!/['\n\r]/.test(value)) return `'${value}'`;
  throw new Refused(
    `${name}: a quote or a new line cannot stand in rectify.env: write it to a file, and set ${name}_PATH`,
  );
}

/** The Secrets that manifests/ and the chart name. */
function secretsOf(answers: Answers, kept: Kept, inPods: Readonly<Record<string, string>>): string {
  const { rectifyNamespace, alertmanagerNamespace, settings } = answers;
  const token = { token: kept.alertsToken };
  const app = { "app-id": String(kept.id), "private-key.pem": kept.privateKey, "webhook-secret": kept.webhookSecret };
  const database = settings.DATABASE_URL;
  const sources = Object.entries(inPods).filter(([name, value]) => isSecret(name, value) && !hasItsPlace(name));
  const secrets = [
    secret("rectify-app", rectifyNamespace, app),
    secret("rectify-alerts", rectifyNamespace, token),
    ...(alertmanagerNamespace === rectifyNamespace ? [] : [secret("rectify-alerts", alertmanagerNamespace, token)]),
    ...(database === undefined ? [] : [secret("rectify-postgres", rectifyNamespace, { url: database })]),
    ...(sources.length === 0 ? [] : [secret("rectify-sources", rectifyNamespace, Object.fromEntries(sources))]),
  ];
  return secrets.map((one) => renderYaml(one)).join("---\n");
}

function secret(name: string, namespace: string, stringData: Readonly<Record<string, string>>): object {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, type: "Opaque", stringData };
}

/** What a Secret of the App, of the alerts or of Postgres holds. */
function hasItsPlace(name: string): boolean {
  return ["APP_ID", "PRIVATE_KEY", "PRIVATE_KEY_PATH", "WEBHOOK_SECRET", "ALERTS_TOKEN", "DATABASE_URL"].includes(name);
}

/** For `helm install -f`: everything that is no secret. */
function valuesOf({
  RECTIFY_REPOSITORY: repository,
  CLUSTER_NAME: cluster,
  ...others
}: Readonly<Record<string, string>>): string {
  const open = Object.entries(others).filter(([name, value]) => !isSecret(name, value) && !hasItsPlace(name));
  return renderYaml({ repository, ...(cluster === undefined ? {} : { cluster }), settings: Object.fromEntries(open) });
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
