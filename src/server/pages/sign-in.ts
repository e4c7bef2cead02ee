import { createHash, createHmac, randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { html } from "hono/html";
import type { SignIn } from "../../adapters/http/github-sign-in.ts";
import { isSameSecret, type Reply, type Route } from "../../adapters/http/listener.ts";
import { page, pageHeaders } from "./parts/layout.ts";

/** How people sign in to the pages, and who of them may look. */
export interface SignInSettings {
  readonly signIn: SignIn;
  /** May this person look? Asked at each sign-in; what cannot be told is a no. */
  readonly mayLook: (login: string) => Promise<boolean>;
  /** Signs the cookies; the same for all processes. */
  readonly key: string;
  /** The pages are reached by https: cookies go nowhere else. */
  readonly secure: boolean;
  readonly now: () => number;
}

const loginMs = 10 * 60_000;
// Signing in again asks for the permission again, and for nothing of the person who still has it.
const sessionMs = 60 * 60_000;

/** The pages for those who signed in, and the two addresses by which they do. */
export function withSignIn(pages: readonly Route[], settings: SignInSettings): Route[] {
  const guarded = pages.map(
    (route): Route => ({
      ...route,
      answer: async (request) => {
        const session = cookieIn(request.headers, "session", settings);
        if (typeof session?.login === "string") return route.answer(request);
        return redirect(`/login?${new URLSearchParams({ to: request.url.pathname + request.url.search })}`);
      },
    }),
  );
  return [loginRoute(settings), callbackRoute(settings), ...guarded];
}

function loginRoute(settings: SignInSettings): Route {
  return {
    method: "GET",
    path: "/login",
    answer: async ({ url }) => {
      const [state, verifier] = [randomBytes(32), randomBytes(32)].map((bytes) => bytes.toString("base64url"));
      const kept = { state, verifier, to: ownPath(url.searchParams.get("to")) };
      const cookie = cookieOf("login", { ...kept, until: settings.now() + loginMs }, settings);
      const challenge = createHash("sha256").update(String(verifier)).digest("base64url");
      return redirect(settings.signIn.authorizeUrl(String(state), challenge), cookie);
    },
  };
}

function callbackRoute(settings: SignInSettings): Route {
  return {
    method: "GET",
    path: "/login/callback",
    answer: async ({ url, headers }) => {
      const kept = cookieIn(headers, "login", settings);
      const [code, state] = [url.searchParams.get("code"), url.searchParams.get("state")];
      // Without the browser's own cookie the address was made by somebody else.
      if (!kept || !code || !state || !isSameSecret(state, String(kept.state)))
        return refusal("This sign-in is not valid.");
      const login = await settings.signIn.loginOf(code, String(kept.verifier));
      if (login === undefined) return refusal("GitHub did not accept this sign-in.");
      if (!(await settings.mayLook(login))) return refusal(`${login} has not the permission that these pages need.`);
      const cookie = cookieOf("session", { login, until: settings.now() + sessionMs }, settings);
      return redirect(ownPath(String(kept.to)), cookie);
    },
  };
}

/** A path below our own host, or the list: an address of another place would send people there. */
function ownPath(to: string | null): string {
  if (to === null || !/^\/(?![/\\])[\x21-\x7e]*$/.test(to) || to.includes("\\")) return "/";
  const { host, pathname, search } = new URL(to, "http://own");
  return host === "own" && !pathname.startsWith("/login") && !pathname.startsWith("//") ? pathname + search : "/";
}

function redirect(location: string, cookie?: string): Reply {
  const headers = { location, "cache-control": "no-store", "referrer-policy": "no-referrer" };
  return { status: 302, headers: cookie === undefined ? headers : { ...headers, "set-cookie": cookie } };
}

async function refusal(because: string): Promise<Reply> {
  const body = await page("Not signed in", html`<p>${because}</p><p><a href="/login">Sign in with GitHub</a></p>`);
  return { status: 403, headers: pageHeaders, body };
}

type Kind = "login" | "session";
type Kept = Readonly<Record<string, unknown>> & { readonly until: number };

function nameOf(kind: Kind, secure: boolean): string {
  // The prefix makes browsers refuse one that was set for a parent domain or without https.
  return `${secure ? "__Host-" : ""}rectify_${kind}`;
}

function cookieOf(kind: Kind, kept: Kept, { key, secure, now }: SignInSettings): string {
  const text = Buffer.from(JSON.stringify(kept)).toString("base64url");
  const value = `${text}.${signed(kind, text, key)}`;
  const age = Math.floor((kept.until - now()) / 1000);
  // Lax: GitHub's redirect back must carry the cookie of the sign-in.
  const rules = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${age}${secure ? "; Secure" : ""}`;
  return `${nameOf(kind, secure)}=${value}; ${rules}`;
}

/** What our own cookie of this kind holds, while it is good. */
function cookieIn(headers: IncomingMessage["headers"], kind: Kind, settings: SignInSettings): Kept | undefined {
  const name = `${nameOf(kind, settings.secure)}=`;
  const pairs = (headers.cookie ?? "").split(/;\s*/).filter((pair) => pair.startsWith(name));
  const [text = "", signature = ""] = (pairs[0] ?? "").slice(name.length).split(".");
  if (pairs.length !== 1 || !isSameSecret(signature, signed(kind, text, settings.key))) return undefined;
  const kept = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Kept;
  return kept.until > settings.now() ? kept : undefined;
}

/** A cookie of one kind is none of the other. */
function signed(kind: Kind, text: string, key: string): string {
  return createHmac("sha256", key).update(`${kind}\n${text}`).digest("base64url");
}
