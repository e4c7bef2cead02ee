import { z } from "zod";

/** Where the pages are served, and who may look. */
export type PagesSettings =
  /** Nobody is authenticated: only this machine (or a port-forward to it) reaches them. */
  | { readonly kind: "loopback"; readonly port: number }
  /** On the internal port, for requests that carry the proxy's secret and the name of whom it has authenticated. */
  | { readonly kind: "proxy"; readonly userHeader: string; readonly secret: string }
  /** On a port of their own, for people who sign in with GitHub and have this permission in the repository. */
  | {
      readonly kind: "github";
      readonly port: number;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly url: string;
      readonly permission: PagesPermission;
    };

type PagesPermission = "read" | "write" | "admin";

/** The variables by which the sign-in with GitHub is told. */
export const signInVariables = {
  PAGES_CLIENT_ID: z.string().optional(),
  PAGES_CLIENT_SECRET: z.string().optional(),
  PAGES_PERMISSION: z.enum(["read", "write", "admin"], { error: "must be read, write or admin" }).default("write"),
};

interface Read {
  readonly PAGES_PORT: number;
  readonly PAGES_USER_HEADER?: string | undefined;
  readonly PAGES_PROXY_SECRET?: string | undefined;
  readonly PAGES_CLIENT_ID?: string | undefined;
  readonly PAGES_CLIENT_SECRET?: string | undefined;
  readonly PAGES_PERMISSION?: PagesPermission | undefined;
  readonly PAGES_URL?: string | undefined;
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
  const signIn = signInProblems(given);
  if (signIn.length > 0) return signIn;
  const taken = [`PORT=${given.PORT ?? "3000"}`, `INTERNAL_PORT=${given.INTERNAL_PORT ?? "9095"}`];
  const clash = header === undefined && port !== "0" && taken.find((item) => item.endsWith(`=${port ?? "9096"}`));
  return clash ? [`PAGES_PORT: is the port of ${clash.split("=")[0]}: set another one`] : [];
}

/** Half a sign-in, or two ways at once. */
function signInProblems(given: Readonly<Record<string, string | undefined>>): readonly string[] {
  const { PAGES_CLIENT_ID: id, PAGES_CLIENT_SECRET: secret, PAGES_URL: url } = given;
  if (id === undefined && secret === undefined) return [];
  if (given.PAGES_PROXY_SECRET !== undefined)
    return ["PAGES_CLIENT_ID: is one way too many: unset it, or PAGES_USER_HEADER and PAGES_PROXY_SECRET"];
  const lacks = [
    ...(id === undefined ? ["PAGES_CLIENT_ID: is missing: set the client id of the GitHub App"] : []),
    ...(secret === undefined ? ["PAGES_CLIENT_SECRET: is missing: set a client secret of the GitHub App"] : []),
    ...(url === undefined ? ["PAGES_URL: is missing: GitHub sends people back to PAGES_URL/login/callback"] : []),
  ];
  return lacks;
}

/** Of settings without `pagesProblems`. */
export function pagesOf(read: Read): PagesSettings {
  const { PAGES_USER_HEADER: header, PAGES_PROXY_SECRET: secret } = read;
  const { PAGES_CLIENT_ID: clientId, PAGES_CLIENT_SECRET: clientSecret, PAGES_URL: url } = read;
  if (clientId !== undefined && clientSecret !== undefined && url !== undefined) {
    const permission = read.PAGES_PERMISSION ?? "write";
    return { kind: "github", port: read.PAGES_PORT, clientId, clientSecret, url, permission };
  }
  return header === undefined || secret === undefined
    ? { kind: "loopback", port: read.PAGES_PORT }
    : { kind: "proxy", userHeader: header, secret };
}

/** Where the pages are, for people. */
export function pagesPlace(pages: PagesSettings, listening?: number): string {
  if (pages.kind === "proxy") return `pages on the internal port for those whom the proxy names in ${pages.userHeader}`;
  if (pages.kind === "github")
    return `pages on port ${listening ?? pages.port} for those who sign in with GitHub at ${pages.url} and may ${pages.permission}`;
  const address = `http://127.0.0.1:${listening ?? pages.port}/`;
  return `pages on ${address} only: set PAGES_CLIENT_ID for a sign-in with GitHub, or PAGES_USER_HEADER and PAGES_PROXY_SECRET behind an authenticating proxy`;
}

const order = ["none", "read", "triage", "write", "maintain", "admin"];

/** Whether a permission in the repository is enough; one that is not known is not. */
export function covers(permission: string | undefined, wanted: PagesPermission): boolean {
  return permission !== undefined && order.indexOf(permission) >= order.indexOf(wanted);
}
