import { oneLine } from "../domain/text/one-line.ts";
import type { Settings } from "./settings.ts";

const mask = "«masked»";
// A shorter one would tear holes into ordinary words, and whoever sets it has no secret.
const shortest = 4;
const shortestHead = 8;

/** One line for people from a text of others: neither our own secrets nor what looks like one is in it. */
export function withoutSecrets(settings: Settings, longest: number): (text: string) => string {
  const secrets = secretsOf(settings);
  return (text) => {
    const whole = secrets.reduce((clean, secret) => clean.replaceAll(secret, mask), text);
    return oneLine(withoutHeads(whole, secrets), longest);
  };
}

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
  const pagesSecret = settings.pages.kind === "proxy" ? settings.pages.secret : "";
  const given = [
    ...[app.privateKey, ...lines, webhookSecret, sealKey, alerts.token, kubernetes.token ?? "", pagesSecret],
    ...endpoints.flatMap(({ authorization = "", headers = {} }) => [
      ...credentialsOf(authorization.replace(/^\S+\s+/, "")),
      ...Object.values(headers),
    ]),
    ...addressesOf(settings).flatMap(credentialsIn),
  ];
  return [...new Set(given.flatMap((secret) => [secret, encodeURIComponent(secret), base64(secret)]))]
    .filter((secret) => secret.length >= shortest)
    .sort((a, b) => b.length - a.length);
}

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
  return [...all, kubernetes.url, ollama?.host, otlpEndpoint].filter((address) => address !== undefined);
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
