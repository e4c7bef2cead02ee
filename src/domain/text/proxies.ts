/** The way out of a fenced network. */
export interface Proxies {
  /** For https and for http addresses. */
  readonly https: string | undefined;
  readonly http: string | undefined;
  /** Hosts that are asked directly: `host`, `.suffix`, `*.suffix`, `host:port`, or `*` for all. */
  readonly direct: readonly string[];
}

/** The proxy by which this address is asked; undefined = directly, as this machine always is. */
export function proxyOf(address: string, proxies: Proxies | undefined): string | undefined {
  if (proxies === undefined || !URL.canParse(address)) return undefined;
  const { protocol, hostname, port } = new URL(address);
  const host = hostname.toLowerCase().replace(/^\[|\]$/g, "");
  if (isThisMachine(host) || proxies.direct.some((entry) => isMeant(entry.toLowerCase(), host, port))) return undefined;
  return protocol === "https:" ? proxies.https : protocol === "http:" ? proxies.http : undefined;
}

function isThisMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function isMeant(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const [, name = "", wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry.replace(/^\[(.*)\]/, "$1")) ?? [];
  // Of an IPv6 address the last part is no port.
  const isPlain = !name.includes(":");
  if (isPlain && wantedPort !== undefined && wantedPort !== port) return false;
  const suffix = (isPlain ? name : entry).replace(/^\*?\./, "");
  return suffix !== "" && (host === suffix || host.endsWith(`.${suffix}`));
}
