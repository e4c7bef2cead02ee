import { createHash } from "node:crypto";
import { posix } from "node:path";
import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import type { Generator, GeneratorOptions } from "../../gitops/kustomization.ts";
import { type Draft, metadataOf, type BuildResource, resourceOf } from "./build-resource.ts";

/** Reads a file that a kustomization names; undefined when it may not or cannot be read. */
type ReadFile = (reference: string) => Uint8Array | undefined;

type Generated =
  | { readonly ok: true; readonly value: BuildResource }
  | { readonly ok: false; readonly because: string };

/** The ConfigMap or Secret that a generator makes, without the hash in its name. */
export function generate(
  kind: "ConfigMap" | "Secret",
  generator: Generator,
  options: GeneratorOptions | null | undefined,
  readFile: ReadFile,
): Generated {
  if (!generator.name) return { ok: false, because: "a generator without a name" };
  const pairs = pairsOf(generator, readFile);
  if (!pairs.ok) return pairs;
  const labels = { ...options?.labels, ...generator.options?.labels };
  const annotations = { ...options?.annotations, ...generator.options?.annotations };
  const isImmutable = options?.immutable === true || generator.options?.immutable === true;
  const metadata = {
    name: generator.name,
    ...(generator.namespace ? { namespace: generator.namespace } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
  const resource = resourceOf({
    apiVersion: "v1",
    kind,
    metadata,
    ...(kind === "Secret" ? { type: generator.type ?? "Opaque", data: secretData(pairs.value) } : mapData(pairs.value)),
    ...(isImmutable ? { immutable: true } : {}),
  });
  if (!resource.ok) return { ok: false, because: `a generator with ${resource.problem}` };
  const isFixed = options?.disableNameSuffixHash === true || generator.options?.disableNameSuffixHash === true;
  resource.value.hashed = !isFixed;
  return { ok: true, value: resource.value };
}

type Pairs =
  | { readonly ok: true; readonly value: ReadonlyMap<string, Uint8Array> }
  | { readonly ok: false; readonly because: string };

function pairsOf(generator: Generator, readFile: ReadFile): Pairs {
  const pairs = new Map<string, Uint8Array>();
  const problems: string[] = [];
  const add = (key: string, value: Uint8Array) => {
    if (!/^[-._a-zA-Z0-9]+$/.test(key)) problems.push(`the key ${key} of a generator`);
    if (pairs.has(key)) problems.push(`the key ${key} of a generator stands twice`);
    pairs.set(key, value);
  };
  const read = (reference: string) => {
    const bytes = readFile(reference);
    if (bytes === undefined) problems.push(`the file ${reference} of a generator cannot be read`);
    return bytes ?? new Uint8Array();
  };
  const bytesOf = (text: string) => new TextEncoder().encode(text);
  for (const reference of [...(generator.envs ?? []), ...(generator.env ? [generator.env] : [])]) {
    for (const [key, value] of envPairs(read(reference), problems)) add(key, bytesOf(value));
  }
  for (const literal of generator.literals ?? []) {
    const at = literal.indexOf("=");
    if (at <= 0) problems.push(`the literal ${literal}`);
    else add(literal.slice(0, at), bytesOf(unquoted(literal.slice(at + 1))));
  }
  for (const source of generator.files ?? []) {
    const parts = source.split("=");
    const [key, path] = parts.length === 1 ? [posix.basename(source), source] : parts;
    if (parts.length > 2 || !key || !path) problems.push(`the file source ${source}`);
    else add(key, read(path));
  }
  const problem = problems[0];
  return problem === undefined ? { ok: true, value: pairs } : { ok: false, because: problem };
}

function unquoted(text: string): string {
  const quote = text[0];
  const isQuoted = text.length >= 2 && (quote === '"' || quote === "'") && text.endsWith(quote);
  return isQuoted ? text.slice(1, -1) : text;
}

function envPairs(bytes: Uint8Array, problems: string[]): [string, string][] {
  const text = textOf(bytes);
  if (text === undefined) {
    problems.push("an environment file that is not UTF-8");
    return [];
  }
  return text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line) => line.replace(/\r$/, "").trimStart())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const at = line.indexOf("=");
      // Without a value Kustomize versions differ: some ask the environment.
      if (at < 0 || !/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(line.slice(0, at))) problems.push(`the line ${line}`);
      return [line.slice(0, at), line.slice(at + 1)];
    });
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Kustomize breaks long texts into lines of 70, each with a line end. */
function base64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("base64");
  return text.length < 70 ? text : text.replace(/.{1,70}/g, "$&\n");
}

function secretData(pairs: ReadonlyMap<string, Uint8Array>): Draft {
  return Object.fromEntries([...pairs].map(([key, bytes]) => [key, base64(bytes)]));
}

/** Bytes that are no text go to `binaryData`. */
function mapData(pairs: ReadonlyMap<string, Uint8Array>): Draft {
  const data = new Map<string, string>();
  const binaryData = new Map<string, string>();
  for (const [key, bytes] of pairs) {
    const text = textOf(bytes);
    if (text === undefined) binaryData.set(key, base64(bytes));
    else data.set(key, text);
  }
  return {
    ...(data.size > 0 ? { data: Object.fromEntries(data) } : {}),
    ...(binaryData.size > 0 ? { binaryData: Object.fromEntries(binaryData) } : {}),
  };
}

/** Adds what a generator with `behavior: merge` or `replace` makes to what is there. A problem when it cannot. */
export function absorb(present: BuildResource, made: BuildResource, behavior: string): string | undefined {
  if (behavior !== "merge" && behavior !== "replace") return "a generated object that is already there";
  const before = metadataOf(present.object);
  const after = metadataOf(made.object);
  const labels = { ...recordOf(before.labels), ...recordOf(after.labels) };
  const annotations = { ...recordOf(before.annotations), ...recordOf(after.annotations) };
  const { labels: _labels, annotations: _annotations, ...identity } = before;
  const texts = [labels, annotations, recordOf(present.object.data), recordOf(present.object.binaryData)];
  if (texts.some((map) => Object.values(map).some((value) => typeof value !== "string"))) {
    return "a generated object over one with values that are no texts";
  }
  const merged: Draft = { ...made.object };
  if (behavior === "merge") {
    for (const field of ["data", "binaryData"]) {
      const entries = { ...recordOf(present.object[field]), ...recordOf(made.object[field]) };
      if (Object.keys(entries).length > 0) merged[field] = entries;
      else delete merged[field];
    }
  }
  merged.metadata = {
    name: identity.name,
    ...(identity.namespace === undefined ? {} : { namespace: identity.namespace }),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
  present.object = merged;
  present.hashed = present.hashed && made.hashed;
  return undefined;
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

/** The suffix that Kustomize appends to the names of generated objects: 10 letters of a SHA-256 of their content. */
export function contentHash(object: Draft): string | undefined {
  const { kind, type } = object;
  // Kustomize looks for a field that is literally called `metadata/name` and finds none.
  const name = "";
  const field = (key: string) => (isRecord(object[key]) ? object[key] : "");
  const optional = (key: string) => (isRecord(object[key]) ? { [key]: object[key] } : {});
  if (kind !== "ConfigMap" && kind !== "Secret") return undefined;
  const content =
    kind === "ConfigMap"
      ? { kind, name, data: field("data"), ...optional("binaryData") }
      : { kind, type: type ?? "", name, data: field("data"), ...optional("stringData") };
  // Versions of Go differ in how they write these two controls.
  const text = goJson(content);
  if (/\\[bf]/.test(text)) return undefined;
  const digits = createHash("sha256").update(text).digest("hex").slice(0, 10);
  const letters: Readonly<Record<string, string>> = { "0": "g", "1": "h", "3": "k", a: "m", e: "t" };
  return [...digits].map((digit) => letters[digit] ?? digit).join("");
}

/** JSON as Go's encoding/json writes it: keys sorted by bytes, and `<`, `>`, `&` escaped. */
function goJson(value: unknown): string {
  if (isRecord(value)) {
    const keys = Object.keys(value).sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    return `{${keys.map((key) => `${goJson(key)}:${goJson(value[key])}`).join(",")}}`;
  }
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  if (typeof value !== "string") return JSON.stringify(value ?? null);
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (match) => `\\u${match.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
