import { oneLine } from "./domain/one-line.ts";
import type { Settings } from "./settings.ts";

const mask = "«masked»";
// A shorter one would tear holes into ordinary words, and whoever sets it has no secret.
const shortest = 4;

/** One line for people from a text of others: neither our own secrets nor what looks like one is in it. */
export function withoutSecrets(settings: Settings, longest: number): (text: string) => string {
  const secrets = secretsOf(settings);
  return (text) =>
    oneLine(
      secrets.reduce((clean, secret) => clean.replaceAll(secret, mask), text),
      longest,
    );
}

/** Every secret that the settings hold, also as it is written in an address, the longest first. */
function secretsOf(settings: Settings): string[] {
  const { app, webhookSecret, sealKey, alerts, kubernetes } = settings;
  const endpoints = [settings.prometheus, settings.alertmanager, ...(settings.loki ? [settings.loki] : [])];
  const given = [
    ...[app.privateKey, webhookSecret, sealKey, alerts.token, kubernetes.token ?? ""],
    ...endpoints.flatMap(({ authorization = "" }) => [authorization, authorization.replace(/^\S+\s+/, "")]),
    ...addressesOf(settings).flatMap(credentialsIn),
  ];
  const written = given.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString("base64"),
  ]);
  // A key is also known by its lines.
  const lines = app.privateKey.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
  return [...new Set([...written, ...lines])]
    .filter((secret) => secret.length >= shortest)
    .sort((a, b) => b.length - a.length);
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
