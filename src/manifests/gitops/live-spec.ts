import { isRecord } from "../../domain/kubernetes/rendered.ts";
import { masked, maskedField } from "../../domain/text/masking.ts";
import { readKubeYaml } from "../yaml/kube-yaml.ts";

/**
 * The spec of a controller's object as it may be kept: Helm parameters, values, patches and substitutions carry
 * passwords, and an entry goes into stored steps. What a secret is called stays, its value does not; every other value
 * keeps its type and its bytes, so that what is rendered from it differs in secrets alone.
 */
export function maskedSpec(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return maskedRecord("", spec);
}

const mask = maskedField("secret", "x");

// Below such a key, and in what a patch puts into a Secret, every text is one.
const secrets = /(?:^|[a-z_-])secrets?$|^stringData$/i;

function maskedRecord(key: string, record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { name } = record;
  const called = (own: string) => {
    if (secrets.test(key) || (own === "data" && record.kind === "Secret")) return "secret";
    // Helm parameters, plugin environments and the like: the name of the value stands beside it.
    return own === "value" && typeof name === "string" ? lastOf(name) : own;
  };
  return Object.fromEntries(Object.entries(record).map(([own, value]) => [own, maskedValue(called(own), value)]));
}

function maskedValue(key: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => maskedValue(key, item));
  if (isRecord(value)) return maskedRecord(key, value);
  if (typeof value === "number") return maskedField(key, String(value)) === String(value) ? value : mask;
  if (typeof value !== "string") return value;
  const clean = maskedField(secrets.test(key) ? "secret" : key, value);
  return value.includes("\n") && clean !== mask ? maskedText(value) : clean;
}

/** The last part of a Helm path: `postgresql.auth.password`. */
const lastOf = (key: string): string => key.split(".").at(-1) ?? key;

/** YAML inside of YAML (values, patches): a pattern over its text could break it, so its values are masked one by one. */
function maskedText(text: string): string {
  const parsed = readKubeYaml(text);
  const documents = parsed.ok ? parsed.value : [];
  if (!documents.some((one) => isRecord(one) || Array.isArray(one))) return masked(text).text;
  const clean = documents.map((one) => JSON.stringify(maskedValue("", one)));
  const isClean = documents.every((one, index) => JSON.stringify(one) === clean[index]);
  // Where nothing is secret the text stays as it is: its notation is part of what is read.
  return isClean ? text.replace(/(^|\s)#.*$/gm, (comment) => masked(comment).text) : clean.join("\n---\n");
}
