import { afterAll, beforeAll, expect, test } from "vitest";
import { githubSignIn } from "../../../src/adapters/http/github-sign-in.ts";
import { listen, type Route } from "../../../src/adapters/http/listener.ts";
import { placesOfPages } from "../../../src/server/pages/viewers.ts";
import { covers, type PagesSettings } from "../../../src/settings/pages.ts";
import { connect, startShop } from "../../lab/forge-shop.ts";

const client = { clientId: "Iv1.aa", clientSecret: "the-secret-of-the-app" };
const pages = { ...client, kind: "github", port: 0, url: "http://127.0.0.1", permission: "write" } as const;
const shown: Route = {
  method: "GET",
  path: "/*",
  answer: async ({ url }) => ({ status: 200, body: `a prompt at ${url.pathname}` }),
};

let person: string | undefined;
let clock = Date.parse("2026-11-28T12:00:00Z");
let at = "";
let webUrl = "";
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  const redirectUri = () => `${at}/login/callback`;
  const shop = await startShop({ signIn: { ...client, redirectUri, person: () => person } });
  closing.push(() => shop.close());
  const { people } = await connect(shop);
  webUrl = shop.apiUrl.replace(/\/api\/v3$/, "");
  const urls = { webUrl, apiUrl: shop.apiUrl };
  const signIn = {
    authorizeUrl: (state: string, challenge: string) =>
      githubSignIn({ ...urls, ...client, redirectUri: redirectUri() }).authorizeUrl(state, challenge),
    loginOf: (code: string, verifier: string) =>
      githubSignIn({ ...urls, ...client, redirectUri: redirectUri() }).loginOf(code, verifier),
  };
  const mayLook = async (login: string) => covers(await people.permissionOf(login), pages.permission);
  const { open } = placesOfPages([shown], pages, { signIn, mayLook, now: () => clock });
  const server = await listen(open ?? [], { host: "127.0.0.1", port: 0 });
  closing.push(() => server.close());
  at = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Cookies = Map<string, string>;

/** One step of a browser, which keeps cookies and follows nothing by itself. */
async function step(address: string, cookies: Cookies) {
  const own = address.startsWith(at);
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const answer = await fetch(address, { redirect: "manual", headers: own && cookie !== "" ? { cookie } : {} });
  for (const set of own ? answer.headers.getSetCookie() : []) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
    cookies.set(name, value);
  }
  const location = answer.headers.get("location");
  return {
    status: answer.status,
    body: await answer.text(),
    to: location === null ? "" : new URL(location, address).toString(),
    set: answer.headers.get("set-cookie") ?? "",
  };
}

/** A whole sign-in: where it leads, and what is seen there. */
async function signedIn(login: string | undefined, path = "/") {
  person = login;
  const cookies: Cookies = new Map();
  let answer = await step(at + path, cookies);
  for (let hops = 0; hops < 6 && answer.to !== ""; hops += 1) answer = await step(answer.to, cookies);
  return { ...answer, cookies };
}

test.each(["wim", "max", "ada"])("%s, who may write, signs in and sees the page that was asked for", async (login) => {
  const { status, body } = await signedIn(login, "/incidents/7?still=1");
  expect([status, body]).toEqual([200, "a prompt at /incidents/7"]);
});

test.each(["rob", "tia", "nan", "stranger"])("%s, who may not write, is refused and gets no session", async (login) => {
  const { status, body, cookies } = await signedIn(login);
  expect(status).toBe(403);
  expect(body).toContain(`${login} has not the permission`);
  expect([...cookies.keys()]).toEqual(["rectify_login"]);
});

test("who says no at GitHub is not signed in", async () => {
  expect(await signedIn(undefined)).toMatchObject({ status: 403 });
});

test("without a session nothing is shown, and a session that somebody made up is none", async () => {
  const forged = Buffer.from(JSON.stringify({ login: "ada", until: clock + 1e9 })).toString("base64url");
  const { cookies } = await signedIn("wim");
  const [text = "", signature = ""] = (cookies.get("rectify_session") ?? "").split(".");
  expect(signature).not.toBe("");
  const login = cookies.get("rectify_login") ?? "";
  for (const value of ["", "x", `${forged}.`, `${forged}.${signature}`, `${text}.${signature}x`, login]) {
    const answer = await step(`${at}/`, new Map([["rectify_session", value]]));
    expect([value, answer.status, answer.body]).toEqual([value, 302, ""]);
  }
});

test("a session ends after an hour, and the permission is asked for again", async () => {
  const { cookies } = await signedIn("wim");
  clock += 59 * 60_000;
  expect((await step(`${at}/`, cookies)).status).toBe(200);
  clock += 2 * 60_000;
  expect((await step(`${at}/`, cookies)).status).toBe(302);
});

test("a callback that the browser did not begin, or of another sign-in, is refused", async () => {
  person = "wim";
  const mine: Cookies = new Map();
  const theirs: Cookies = new Map();
  const [ours, others] = [await step(`${at}/login`, mine), await step(`${at}/login`, theirs)];
  const back = await step(ours.to, mine);
  expect((await step(back.to, new Map())).status).toBe(403);
  expect((await step(back.to, theirs)).status).toBe(403);
  // Their code with our state: PKCE binds it to the verifier of their browser.
  const stolen = new URL((await step(others.to, theirs)).to).searchParams.get("code") ?? "";
  const mixed = new URL(back.to);
  mixed.searchParams.set("code", stolen);
  expect((await step(mixed.toString(), mine)).status).toBe(403);
  expect((await step(back.to, mine)).status).toBe(302);
  expect((await step(back.to, mine)).status, "a code is good once").toBe(403);
});

test.each([
  "https://evil.example/",
  "//evil.example",
  "/\\evil.example",
  "/..//evil.example",
  "/%0d%0aset-cookie:x",
  "/login?to=/",
  "javascript:alert(1)",
  "/\tx",
])("a sign-in never leads away to %j", async (to) => {
  person = "wim";
  const cookies: Cookies = new Map();
  const begun = await step(`${at}/login?${new URLSearchParams({ to })}`, cookies);
  const { to: led } = await step((await step(begun.to, cookies)).to, cookies);
  expect(new URL(led).origin).toBe(at);
  expect(new URL(led).pathname).not.toMatch(/^\/\/|^\/login/);
});

test("cookies are for this host alone, out of reach of scripts, and over https only where the pages are", async () => {
  const plain = await step(`${at}/login`, new Map());
  expect(plain.set).toMatch(/^rectify_login=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
  const settings: PagesSettings = { ...pages, url: "https://rectify.example" };
  const signIn = githubSignIn({
    webUrl,
    apiUrl: webUrl,
    ...client,
    redirectUri: "https://rectify.example/login/callback",
  });
  const { open } = placesOfPages([shown], settings, { signIn, mayLook: async () => true, now: () => clock });
  const reply = await open?.[0]?.answer({ body: Buffer.alloc(0), headers: {}, url: new URL("http://listener/login") });
  expect(reply?.headers?.["set-cookie"]).toMatch(/^__Host-rectify_login=.*; Path=\/; .*; Secure$/);
  expect(reply?.headers?.location).toMatch(/code_challenge=[\w-]{43}&code_challenge_method=S256$/);
});

test.each([
  ["read", "read", true],
  ["triage", "write", false],
  ["maintain", "write", true],
  ["none", "read", false],
  [undefined, "read", false],
] as const)("%s covers %s: %s", (has, wanted, answer) => {
  expect(covers(has, wanted)).toBe(answer);
});
