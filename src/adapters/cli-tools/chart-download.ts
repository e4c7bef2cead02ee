import { readFile } from "node:fs/promises";
import { type ChartReference, isRecord } from "../../domain/kubernetes/rendered.ts";
import { parseYaml } from "../../manifests/yaml/yaml.ts";
import { Refused } from "../../ports/errors.ts";
import { sha256 } from "./helm/archive-cache.ts";
import { fetchAllowed, type Fetched, type Fetching } from "../http/allowed-fetch.ts";

/** Whom a download may ask, and as whom. */
interface ChartDownload extends Fetching {
  /** In the form of Docker's and Helm's `config.json`: `auths`, by host. Read for every download. */
  readonly credentialsFile?: string | undefined;
  /** Registries without TLS, for tests on loopback. */
  readonly plainHttp?: boolean | undefined;
}

/**
 * The packed chart of exactly this version, its digest checked where one is named. Our own client and not `helm pull`:
 * Helm follows redirects wherever they lead, and takes passwords as arguments that every process can read.
 * Throws `Refused` or `Unavailable`.
 */
export async function downloadChart(reference: ChartReference, options: ChartDownload): Promise<Uint8Array> {
  const { archive, digest } = reference.url.startsWith("oci://")
    ? await fromRegistry(reference, options)
    : await fromRepository(reference, options);
  if (digest !== undefined && digest !== `sha256:${sha256(archive)}`) throw new Refused(`its digest is not ${digest}`);
  return archive;
}

interface Downloaded {
  readonly archive: Uint8Array;
  /** `sha256:…` */
  readonly digest: string | undefined;
}

// The index of a large repository is larger than any of its charts.
const maxIndexBytes = 50_000_000;

async function fromRepository(reference: ChartReference, options: ChartDownload): Promise<Downloaded> {
  const base = addressOf(`${reference.url.replace(/\/+$/, "")}/`);
  const headers = await login(base.host, options);
  const index = await found(new URL("index.yaml", base), headers, { ...options, maxBytes: maxIndexBytes });
  const entry = entryIn(textOf(index), reference);
  if (entry === undefined) throw new Refused("its repository has no such version");
  const { urls, digest } = entry;
  const [place] = Array.isArray(urls) ? (urls as unknown[]) : [];
  if (typeof place !== "string") throw new Refused("its repository names no address for it");
  const url = addressOf(place, base);
  const archive = await found(url, url.host === base.host ? headers : await login(url.host, options), options);
  return { archive: archive.body, digest: reference.digest ?? (isHex(digest) ? `sha256:${digest}` : undefined) };
}

const isHex = (digest: unknown): digest is string => typeof digest === "string" && /^[0-9a-f]{64}$/.test(digest);

function entryIn(index: string, { name, version }: ChartReference): Record<string, unknown> | undefined {
  const parsed = parseYaml(index);
  if (!parsed.ok || !isRecord(parsed.value) || !isRecord(parsed.value.entries))
    throw new Refused("its repository has no index that can be read");
  const entries: unknown = parsed.value.entries[name];
  const known = Array.isArray(entries) ? entries.filter(isRecord) : [];
  const plain = (text: unknown) => String(text).replace(/^v/, "");
  return known.find((one) => one.version === version) ?? known.find((one) => plain(one.version) === plain(version));
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const chartLayer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

async function fromRegistry(reference: ChartReference, options: ChartDownload): Promise<Downloaded> {
  const { url, version, digest } = reference;
  const scheme = options.plainHttp === true ? "http" : "https";
  const place = /^oci:\/\/([^/?#\s]+)\/([^?#\s]+)$/.exec(url);
  if (place === null) throw new Refused("its address is none of a registry");
  const [, host = "", repository = ""] = place;
  const base = `${scheme}://${host}/v2/${repository.replace(/\/+$/, "")}`;
  // A tag has no plus sign: what stands behind it in a version follows an underscore.
  const at = addressOf(`${base}/manifests/${digest ?? version.replaceAll("+", "_")}`);
  const answer = await fetchAllowed(at, { accept: manifestType, ...(await login(host, options)) }, options);
  const headers = answer.status === 401 ? await tokenFor(answer, host, options) : await login(host, options);
  const manifest = answer.status === 401 ? await found(at, { accept: manifestType, ...headers }, options) : ok(answer);
  if (digest !== undefined && `sha256:${sha256(manifest.body)}` !== digest)
    throw new Refused(`its digest is not ${digest}`);
  const layer = layerOf(textOf(manifest));
  const blob = await found(addressOf(`${base}/blobs/${layer}`), headers, options);
  return { archive: blob.body, digest: layer };
}

function layerOf(manifest: string): string {
  const parsed = parseYaml(manifest);
  const layers = parsed.ok && isRecord(parsed.value) && Array.isArray(parsed.value.layers) ? parsed.value.layers : [];
  const layer = (layers as unknown[]).filter(isRecord).find(({ mediaType }) => mediaType === chartLayer);
  if (typeof layer?.digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(layer.digest))
    throw new Refused("what its registry holds is no chart");
  return layer.digest;
}

/** The token that a registry asks for, of the service that it names (which must be an allowed host as well). */
async function tokenFor(answer: Fetched, host: string, options: ChartDownload): Promise<Record<string, string>> {
  const challenge = answer.headers.get("www-authenticate") ?? "";
  const named = (name: string) => new RegExp(`\\b${name}="([^"]*)"`, "i").exec(challenge)?.[1];
  const realm = named("realm");
  if (!/^bearer\b/i.test(challenge) || realm === undefined) throw new Refused(`${host} says HTTP 401`);
  const url = addressOf(realm);
  for (const name of ["service", "scope"]) {
    const value = named(name);
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const parsed = parseYaml(textOf(await found(url, await login(host, options), options)));
  const body = parsed.ok && isRecord(parsed.value) ? parsed.value : {};
  const token = body.token ?? body.access_token;
  if (typeof token !== "string") throw new Refused(`${url.host} gave no token`);
  return { authorization: `Bearer ${token}` };
}

async function login(host: string, { credentialsFile }: ChartDownload): Promise<Record<string, string>> {
  if (credentialsFile === undefined) return {};
  const text = await readFile(credentialsFile, "utf8").catch(() => {
    throw new Refused("the file CHART_CREDENTIALS_FILE cannot be read");
  });
  const parsed = parseYaml(text);
  const auths = parsed.ok && isRecord(parsed.value) && isRecord(parsed.value.auths) ? parsed.value.auths : {};
  const own = [host, `https://${host}`, `https://${host}/v1/`].map((key) => auths[key]).find(isRecord);
  return typeof own?.auth === "string" ? { authorization: `Basic ${own.auth}` } : {};
}

async function found(url: URL, headers: Record<string, string>, options: Fetching): Promise<Fetched> {
  return ok(await fetchAllowed(url, headers, options));
}

function ok(answer: Fetched): Fetched {
  if (answer.status !== 200) throw new Refused(`${answer.url.host} says HTTP ${answer.status}`);
  return answer;
}

const textOf = ({ body }: Fetched): string => Buffer.from(body).toString("utf8");

function addressOf(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "")
    throw new Refused("its address is none of http or https without credentials");
  return url;
}
