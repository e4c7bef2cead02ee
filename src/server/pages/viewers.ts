import { createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isSameSecret, type Reply, type Route } from "../../adapters/http/listener.ts";
import { type SignInSettings, withSignIn } from "./sign-in.ts";
import type { PagesSettings } from "../../settings/pages.ts";

type Headers = IncomingMessage["headers"];

const secretHeader = "x-rectify-proxy-secret";
const loopbackHost = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

/** The pages of the internal port, or of a listener of their own: on loopback where nobody is authenticated. */
export function placesOfPages(
  routes: readonly Route[],
  pages: PagesSettings,
  signIn?: Omit<SignInSettings, "key" | "secure">,
): {
  readonly internal: readonly Route[];
  readonly loopback: readonly Route[] | undefined;
  readonly open?: readonly Route[];
} {
  if (pages.kind === "github") {
    if (signIn === undefined) throw new Error("a sign-in that nobody answers");
    const key = createHmac("sha256", pages.clientSecret).update("rectify session of the pages").digest("hex");
    const secure = pages.url.startsWith("https:");
    return { internal: [], loopback: undefined, open: withSignIn(routes, { ...signIn, key, secure }) };
  }
  const seen = forViewers(routes, pages);
  return pages.kind === "proxy" ? { internal: seen, loopback: undefined } : { internal: [], loopback: seen };
}

/** The pages as only those may see them whom the settings let look. The address of the peer says nothing about that. */
export function forViewers(routes: readonly Route[], pages: Exclude<PagesSettings, { kind: "github" }>): Route[] {
  const refusal = (headers: Headers) => (pages.kind === "proxy" ? unlessProxied(headers, pages) : unlessLocal(headers));
  return routes.map((route) => ({ ...route, admit: (headers) => refusal(headers) ?? route.admit?.(headers) }));
}

/** Both, or nothing: a name without the secret was written by whoever likes. */
function unlessProxied(headers: Headers, { userHeader, secret }: PagesSettings & { kind: "proxy" }): Reply | undefined {
  const given = headers[secretHeader];
  const user = headers[userHeader];
  const genuine = typeof given === "string" && isSameSecret(given, secret);
  const named = typeof user === "string" && user.trim() !== "";
  return genuine && named
    ? undefined
    : { status: 401, body: "these pages are served through the authenticating proxy" };
}

/** A website whose name was pointed at this machine names itself in `Host`: its script must not read along. */
function unlessLocal({ host = "" }: Headers): Reply | undefined {
  return loopbackHost.test(host) ? undefined : { status: 403, body: "ask for localhost or 127.0.0.1" };
}
