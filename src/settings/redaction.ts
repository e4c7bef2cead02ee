import { oneLine, ownLine } from "../domain/text/one-line.ts";
import type { Settings } from "./settings.ts";

const mask = "«masked»";
// A shorter one would tear holes into ordinary words, and whoever sets it has no secret.
const shortest = 4;
// As long as the words of our own texts, with which a secret may begin: `rectify-`, `production-`.
const shortestHead = 12;

/** One line for people from a text of others: neither our own secrets nor what looks like one is in it. */
export function withoutSecrets(settings: Settings, longest: number): (text: string) => string {
  const secrets = secretsOf(settings);
  return (text) => {
    const whole = secrets.reduce((clean, secret) => clean.replaceAll(secret, mask), text);
    return oneLine(withoutHeads(whole, secrets), longest);
  };
}

/**
 * The same for a sentence of our own. Only a secret of ours that somebody may have brought into it is taken out: what
 * has the form of one is advice, such as `PRIVATE_KEY: is missing`, and a password that is an ordinary word, or the name of
 * a setting, stands there as that word.
 */
export function adviceWithoutSecrets(settings: Settings, longest: number): (text: string) => string {
  const secrets = secretsOf(settings).filter((secret) => !ordinaryWord.test(secret));
  return (text) =>
    ownLine(
      secrets.reduce((clean, secret) => clean.replaceAll(secret, mask), text),
      longest,
    );
}

const ordinaryWord = /^[A-Za-z]{1,16}(?:[-_][A-Za-z]{1,16})?$/;

/** What others say may have been cut in the middle of a secret: the longest beginning of one goes first. */
function withoutHeads(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (;;) {
    const heads = secrets.map((secret) => headIn(clean, secret));
    const longest = heads.reduce((best, head) => (head.length > best.length ? head : best), "");
    if (longest === "") return clean;
    clean = clean.replaceAll(longest, mask);
  }
}

function headIn(text: string, secret: string): string {
  if (!text.includes(secret.slice(0, shortestHead))) return "";
  for (let length = secret.length; length >= shortestHead; length -= 1) {
    if (text.includes(secret.slice(0, length))) return secret.slice(0, length);
  }
  return "";
}

/** Every secret that the settings hold, also as addresses and headers write it, the longest first. */
function secretsOf(settings: Settings): string[] {
  const { app, webhookSecret, sealKey, alerts, kubernetes } = settings;
  const endpoints = [settings.prometheus, settings.alertmanager, ...(settings.loki ? [settings.loki] : [])];
  // A key is also known by its lines.
  const lines = app.privateKey.split("\n").filter((line) => !line.startsWith("-----"));
  const { pages } = settings;
  const pagesSecret = pages.kind === "proxy" ? pages.secret : pages.kind === "github" ? pages.clientSecret : "";
  const given = [
    ...[app.privateKey, ...lines, webhookSecret, sealKey, alerts.token, kubernetes.token ?? "", pagesSecret],
    ...endpoints.flatMap(({ authorization = "", headers = {} }) => [
      ...credentialsOf(authorization.replace(/^\S+\s+/, "")),
      ...Object.entries(headers).flatMap(([name, value]) => (tenantHeader.test(name) ? [] : [value])),
    ]),
    ...addressesOf(settings).flatMap(credentialsIn),
  ];
  return [...new Set(given.flatMap((secret) => [secret, encodeURIComponent(secret), base64(secret)]))]
    .filter((secret) => secret.length >= shortest)
    .sort((a, b) => b.length - a.length);
}

// Whose series are asked for is no secret, and often a word: `X-Scope-OrgID: shop`, `THANOS-TENANT: production`.
const tenantHeader = /org-?id|tenant|project-?id|namespace/i;

/** Basic authentication is known by its password, too. */
function credentialsOf(credentials: string): string[] {
  const [, password] = /^[^:]*:(.+)$/s.exec(Buffer.from(credentials, "base64").toString()) ?? [];
  return password === undefined ? [credentials] : [credentials, password];
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function addressesOf(settings: Settings): string[] {
  const { github, databaseUrl, prometheus, alertmanager, loki, kubernetes, ollama, otlpEndpoint } = settings;
  const all = [github.apiUrl, github.cloneUrl, databaseUrl, prometheus.url, alertmanager.url, loki?.url];
  return [...all, settings.proxies?.https, settings.proxies?.http, kubernetes.url, ollama?.host, otlpEndpoint].filter(
    (address) => address !== undefined,
  );
}

/** Password and, where there is no other, the user of an address: `https://TOKEN@host`. */
function credentialsIn(address: string): string[] {
  if (!URL.canParse(address)) return [];
  const { username, password } = new URL(address);
  const secret = password === "" ? username : password;
  try {
    return [secret, decodeURIComponent(secret)];
  } catch {
    return [secret];
  }
}
