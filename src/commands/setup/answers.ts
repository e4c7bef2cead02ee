import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { nearestWord } from "../../domain/text/nearest-word.ts";
import { parseYaml } from "../../manifests/yaml/yaml.ts";
import { Environment } from "../../settings/settings.ts";
import { appNameFor } from "./app-manifest.ts";
import { type Dialog, WrongCall } from "./dialog.ts";
import { findSource, isOrganization, lookedFor, remoteIn, type Source } from "./looked.ts";

/** What the command line says. */
export interface SetupAsked {
  readonly yes?: true;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly replace?: true;
}

const namespace = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be the name of a namespace");

/** What a configuration of setup may hold; settings are those of `rectify serve`, by their names. */
const SetupConfig = z.strictObject({
  /** The organization that shall own the App; "" = the person who registers it. */
  organization: z.string().optional(),
  appName: z.string().min(1, "must have a letter").max(34, "must have 34 letters at most").optional(),
  webhookUrl: z
    .url({ protocol: /^https?$/, error: "must be an http or https address" })
    .or(z.literal(""))
    .optional(),
  directory: z.string().min(1, "must be a path").optional(),
  secrets: z.enum(["files", "kubernetes"], { error: "must be files or kubernetes" }).optional(),
  rectifyNamespace: namespace.default("rectify"),
  alertmanagerNamespace: namespace.default("monitoring"),
  namespaces: z.array(namespace).optional(),
  port: z.coerce
    .number({ error: "must be a port" })
    .int("must be a port")
    .min(0, "must be a port")
    .max(65535, "must be a port")
    .default(0),
  waitMinutes: z.coerce
    .number({ error: "must be minutes" })
    .positive("must be above 0")
    .max(1440, "must be a day at most")
    .default(60),
  settings: z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).default({}),
});
type SetupConfig = z.infer<typeof SetupConfig>;

/** Everything that setup has to know, answered. */
export interface Answers extends Omit<SetupConfig, "organization" | "webhookUrl" | "namespaces" | "appName"> {
  readonly owner: string;
  readonly repo: string;
  readonly organization: string | undefined;
  readonly appName: string;
  readonly webhookUrl: string | undefined;
  readonly directory: string;
  readonly secrets: "files" | "kubernetes";
  readonly namespaces: readonly string[] | undefined;
  readonly apiUrl: string;
  /** What was said of an App that exists, by the names of its settings. */
  readonly app: Readonly<Partial<Record<(typeof ofTheApp)[number], string>>>;
}

/** Setup makes these itself, unless all of an App is given. */
const ofTheApp = ["APP_ID", "PRIVATE_KEY", "PRIVATE_KEY_PATH", "WEBHOOK_SECRET", "ALERTS_TOKEN"] as const;

type Env = Readonly<Record<string, string | undefined>>;

/** Answers come from the command line, the file, the environment, who is asked, and what was found, in this order. */
export async function answersOf(asked: SetupAsked, env: Env, dialog: Dialog): Promise<Answers> {
  const config = configOf(asked);
  const remote = await remoteIn(".");
  const all = await settingsAsked(config.settings, remote, env, dialog);
  const app = Object.fromEntries(ofTheApp.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])));
  const settings = Object.fromEntries(Object.entries(all).filter(([name]) => !(name in app)));
  const [owner = "", repo = ""] = (settings.RECTIFY_REPOSITORY ?? "").split("/");
  if (/[\s,]/.test(repo.trim()))
    throw new WrongCall([
      "RECTIFY_REPOSITORY: setup works on one repository: name one, and list the others afterwards",
    ]);
  const apiUrl = settings.GITHUB_API_URL ?? "https://api.github.com";
  const owned = (await isOrganization(apiUrl, owner)) ? owner : "";
  const say = async (
    name: keyof typeof SetupConfig.shape,
    given: string | undefined,
    question: string,
    fallback = "",
  ) => given ?? (await dialog.ask(question, fallback, (answer) => problemWith(SetupConfig.shape[name], answer)));
  // An App that exists is not asked about.
  const exists = app.APP_ID !== undefined ? "" : undefined;
  const ownerQuestion = "Organization that owns the App (empty: you)";
  const organization = await say("organization", config.organization ?? exists, ownerQuestion, owned);
  const nameQuestion = "Name of the GitHub App, unique on GitHub";
  const appName = await say("appName", config.appName ?? exists, nameQuestion, appNameFor(owner));
  const hookQuestion = "Address at which GitHub reaches /webhooks/github (empty: none yet)";
  const hook = await say("webhookUrl", config.webhookUrl ?? exists, hookQuestion);
  const secrets = await say("secrets", config.secrets, "Secrets as files, or as manifests for kubernetes?", "files");
  const directory = await say("directory", config.directory, "Directory for the secrets", ".rectify-setup");
  const checked = configFrom({
    ...config,
    organization,
    appName: appName || undefined,
    webhookUrl: hook,
    secrets,
    directory,
  });
  return {
    ...{ ...checked, owner, repo, settings, appName, namespaces: config.namespaces },
    organization: organization === "" ? undefined : organization,
    webhookUrl: hook === "" ? undefined : hook,
    ...{ app, apiUrl, directory: resolve(directory), secrets: checked.secrets ?? "files" },
  };
}

function configOf({ config, set = [] }: SetupAsked): SetupConfig {
  const written = config === undefined ? {} : fileOf(config);
  const settings: Record<string, unknown> = {};
  const answers: Record<string, unknown> = {};
  for (const pair of set) {
    const [name = "", ...rest] = pair.split("=");
    const value = rest.join("=");
    if (!pair.includes("=")) throw new WrongCall([`--set ${pair}: write NAME=VALUE`]);
    if (name === "namespaces") answers[name] = value.split(",");
    else if (/^[A-Z]/.test(name)) settings[name] = value;
    else answers[name] = value;
  }
  const own = (written.settings ?? {}) as Record<string, unknown>;
  return configFrom({ ...written, ...answers, settings: { ...own, ...settings } });
}

function fileOf(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new WrongCall([`${path} cannot be read: name a file with --config`]);
  }
  const parsed = parseYaml(text);
  const problem = parsed.ok ? `must hold answers, one per line, as name: value` : parsed.problem;
  if (!parsed.ok || parsed.value === null || typeof parsed.value !== "object" || Array.isArray(parsed.value))
    throw new WrongCall([`${path}: ${problem}`]);
  return parsed.value as Record<string, unknown>;
}

function configFrom(document: unknown): SetupConfig {
  const read = SetupConfig.safeParse(document);
  const names = Object.keys(Environment.shape);
  const { settings = {} } = document as { readonly settings?: object };
  const problems = [
    ...(read.success ? [] : read.error.issues.map(inWords)),
    ...Object.entries(settings ?? {}).flatMap(([name, value]) => settingProblem(name, String(value))),
  ];
  if (!read.success || problems.length > 0) throw new WrongCall(problems);
  return read.data;

  function settingProblem(name: string, value: string): string[] {
    if (!names.includes(name)) {
      const meant = nearestWord(name, names);
      return [
        `${name}: is not a setting${meant === undefined ? ": see rectify serve --help" : `: did you mean ${meant}?`}`,
      ];
    }
    return isSecret(name, value) ? [`${name}: is a secret: set it in the environment of rectify setup`] : [];
  }
}

function inWords(issue: z.core.$ZodIssue): string {
  if (issue.code !== "unrecognized_keys") return `${issue.path.map(String).join(".")}: ${issue.message}`;
  const known = Object.keys(SetupConfig.shape);
  const one = issue.keys[0] ?? "";
  const meant = nearestWord(one, known);
  return `${one}: is not known here: ${meant === undefined ? `choose from ${known.join(", ")}` : `did you mean ${meant}?`}`;
}

/** Settings whose value is itself a secret, and no address or path. */
export function isSecret(name: string, value = ""): boolean {
  // A proxy may ask for a user and password in its address.
  if (/^HTTPS?_PROXY$/.test(name) && URL.canParse(value)) return new URL(value).password !== "";
  return /(?:_TOKEN|_PASSWORD|_SECRET|_HEADERS)$|^(?:PRIVATE_KEY|SEAL_KEY|DATABASE_URL)$/.test(name);
}

const questions: Readonly<Record<"RECTIFY_REPOSITORY" | Source, string>> = {
  RECTIFY_REPOSITORY: "The GitOps repository, as owner/name",
  PROMETHEUS_URL: "Prometheus",
  ALERTMANAGER_URL: "Alertmanager",
  LOKI_URL: "Loki (empty: no log lines)",
  OLLAMA_HOST: "Ollama (empty: rules alone decide)",
};

/** What is wrong with an answer to a question; an empty one says that it is not there. */
function problemWith(schema: z.ZodType, answer: string): string | undefined {
  const read = schema.safeParse(answer === "" ? undefined : answer);
  return read.success ? undefined : read.error.issues[0]?.message;
}

/** The settings to write: what was given, and an answer to each question that is left. */
async function settingsAsked(
  given: Readonly<Record<string, string>>,
  remote: Awaited<ReturnType<typeof remoteIn>>,
  env: Env,
  dialog: Dialog,
): Promise<Record<string, string>> {
  const fromEnv = Object.keys(Environment.shape).flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  const settings: Record<string, string> = { ...Object.fromEntries(fromEnv), ...given };
  const api = settings.GITHUB_API_URL ?? (settings.RECTIFY_REPOSITORY === undefined ? remote?.apiUrl : undefined);
  if (api !== undefined && api !== "https://api.github.com") settings.GITHUB_API_URL = api;
  const found = await Promise.all(lookedFor.map(async (name) => [name, await findSource(name)] as const));
  const fallbacks: Readonly<Record<string, string | undefined>> = {
    RECTIFY_REPOSITORY: remote?.repository,
    ...Object.fromEntries(found),
  };
  const problems: string[] = [];
  for (const [name, question] of Object.entries(questions)) {
    // An empty answer is an answer: it is not there.
    const schema = Environment.shape[name as keyof typeof questions];
    settings[name] ??= await dialog.ask(question, fallbacks[name] ?? "", (answer) => problemWith(schema, answer));
    if (settings[name] === "") delete settings[name];
  }
  for (const [name, schema] of Object.entries(Environment.shape)) {
    const read = settings[name] === undefined && !(name in questions) ? undefined : schema.safeParse(settings[name]);
    if (read?.success === false) problems.push(`${name}: ${read.error.issues[0]?.message}`);
  }
  if (problems.length > 0) throw new WrongCall(problems);
  return settings;
}
