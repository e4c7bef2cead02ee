/** Where the pages are served, and who may look. */
export type PagesSettings =
  /** Nobody is authenticated: only this machine (or a port-forward to it) reaches them. */
  | { readonly kind: "loopback"; readonly port: number }
  /** On the internal port, for requests that carry the proxy's secret and the name of whom it has authenticated. */
  | { readonly kind: "proxy"; readonly userHeader: string; readonly secret: string };

interface Read {
  readonly PAGES_PORT: number;
  readonly PAGES_USER_HEADER?: string | undefined;
  readonly PAGES_PROXY_SECRET?: string | undefined;
}

/** The pages are for everybody only by mistake: half a configuration is a problem, never a fallback. */
export function pagesProblems(given: Readonly<Record<string, string | undefined>>): readonly string[] {
  const { PAGES_USER_HEADER: header, PAGES_PROXY_SECRET: secret, PAGES_PORT: port } = given;
  if (header !== undefined && secret === undefined) {
    const remedy = "set the secret that the proxy sends as x-rectify-proxy-secret, or unset PAGES_USER_HEADER";
    return [`PAGES_PROXY_SECRET: is missing: ${remedy}`];
  }
  if (secret !== undefined && header === undefined) {
    const remedy = "set the header in which the proxy names the user, or unset PAGES_PROXY_SECRET";
    return [`PAGES_USER_HEADER: is missing: ${remedy}`];
  }
  const taken = [`PORT=${given.PORT ?? "3000"}`, `INTERNAL_PORT=${given.INTERNAL_PORT ?? "9095"}`];
  const clash = header === undefined && port !== "0" && taken.find((item) => item.endsWith(`=${port ?? "9096"}`));
  return clash ? [`PAGES_PORT: is the port of ${clash.split("=")[0]}: set another one`] : [];
}

/** Of settings without `pagesProblems`. */
export function pagesOf(read: Read): PagesSettings {
  const { PAGES_USER_HEADER: header, PAGES_PROXY_SECRET: secret } = read;
  return header === undefined || secret === undefined
    ? { kind: "loopback", port: read.PAGES_PORT }
    : { kind: "proxy", userHeader: header, secret };
}

/** Where the pages are, for people. */
export function pagesPlace(pages: PagesSettings, listening?: number): string {
  if (pages.kind === "proxy") return `pages on the internal port for those whom the proxy names in ${pages.userHeader}`;
  const address = `http://127.0.0.1:${listening ?? pages.port}/`;
  return `pages on ${address} only: set PAGES_USER_HEADER and PAGES_PROXY_SECRET to serve them behind an authenticating proxy`;
}
