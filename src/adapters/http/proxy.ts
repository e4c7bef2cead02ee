import { mkdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { type Dispatcher, fetch as fetchBy, ProxyAgent } from "undici";
import { type Proxies, proxyOf } from "../../domain/text/proxies.ts";
import { Refused } from "../../ports/errors.ts";

/**
 * From now on every `fetch` of this process goes by the proxies; without any nothing changes. The fetch of Node knows no
 * proxies before its version 24, and later ones only by variables that are read before we start.
 */
export function fetchByProxies(proxies: Proxies | undefined): void {
  if (proxies !== undefined) globalThis.fetch = proxiedFetch(proxies);
}

const direct = globalThis.fetch;

/** `fetch` that takes the proxy where one is meant for the address. */
export function proxiedFetch(proxies: Proxies): typeof fetch {
  const agents = new Map<string, Dispatcher>();
  const agentOf = (uri: string) => {
    // To an http address a proxy is asked by GET: many refuse to tunnel there.
    const agent = agents.get(uri) ?? new ProxyAgent({ uri, proxyTunnel: false });
    agents.set(uri, agent);
    return agent;
  };
  return (input, init) => {
    const address = input instanceof Request ? input.url : String(input);
    const proxy = proxyOf(address, proxies);
    if (proxy === undefined) return direct(input, init);
    const asked = { ...(init as Parameters<typeof fetchBy>[1]), dispatcher: agentOf(proxy) };
    return fetchBy(address, asked) as unknown as ReturnType<typeof fetch>;
  };
}

/**
 * What git needs to get out as we do. It takes the authorities of one file only: the private ones join those that Node
 * knows. Throws `Refused` where they cannot be read.
 */
export async function gitNetwork(
  { proxies, extraCaPath }: { readonly proxies?: Proxies | undefined; readonly extraCaPath?: string | undefined },
  directory: string,
): Promise<Readonly<Record<string, string>>> {
  const { https, http, direct: without = [] } = proxies ?? {};
  return {
    ...(https === undefined ? {} : { https_proxy: https }),
    ...(http === undefined ? {} : { http_proxy: http }),
    ...(proxies === undefined ? {} : { no_proxy: [...without, "localhost", "127.0.0.1", "::1"].join(",") }),
    ...(extraCaPath === undefined ? {} : { GIT_SSL_CAINFO: await authoritiesFile(extraCaPath, directory) }),
  };
}

async function authoritiesFile(extraCaPath: string, directory: string): Promise<string> {
  const own = await readFile(extraCaPath, "utf8").catch((cause) => {
    throw new Refused(`the certificates at ${extraCaPath} cannot be read: see NODE_EXTRA_CA_CERTS`, { cause });
  });
  mkdirSync(directory, { recursive: true });
  const path = join(directory, "authorities.pem");
  writeFileSync(path, `${rootCertificates.join("\n")}\n${own}`);
  return path;
}
