import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/** The App's sign-in as the forge knows it, and the person whose browser it is. */
export interface ForgeSignIn {
  readonly clientId: string;
  readonly clientSecret: string;
  /** The callback that the App names. */
  readonly redirectUri: () => string;
  /** Who is signed in to the forge and says yes; undefined = says no. */
  readonly person: () => string | undefined;
}

/** Answers what belongs to the sign-in; false = it is another's request. */
export type SignInPages = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<boolean>;

interface Grant {
  readonly login: string;
  readonly challenge: string;
  readonly method: string;
}

/**
 * GitHub's web flow for Apps, as its documentation describes it: authorize, code for token, and who the token is of. A
 * code is good once; a wrong one is answered with 200 and an error.
 */
export function signInPages(app: ForgeSignIn | undefined): SignInPages {
  const codes = new Map<string, Grant>();
  const people = new Map<string, string>();
  return async (request, response, url) => {
    if (app === undefined) return false;
    if (request.method === "GET" && url.pathname === "/login/oauth/authorize") {
      authorize(app, { codes, url, response });
      return true;
    }
    if (request.method === "POST" && url.pathname === "/login/oauth/access_token") {
      const given = new URLSearchParams(await textOf(request));
      send(response, 200, exchange(app, { codes, people, given }));
      return true;
    }
    const login = people.get((request.headers.authorization ?? "").replace(/^Bearer /, ""));
    if (url.pathname !== "/api/v3/user" || login === undefined) return false;
    send(response, 200, { login, id: 1, type: "User" });
    return true;
  };
}

function authorize(
  app: ForgeSignIn,
  { codes, url, response }: { codes: Map<string, Grant>; url: URL; response: ServerResponse },
): void {
  const asked = url.searchParams;
  // GitHub shows a page of its own and sends nobody to an address that is not the App's.
  if (asked.get("client_id") !== app.clientId || asked.get("redirect_uri") !== app.redirectUri())
    return void response.writeHead(404).end("Not Found");
  const back = new URL(app.redirectUri());
  back.searchParams.set("state", asked.get("state") ?? "");
  const login = app.person();
  if (login === undefined) back.searchParams.set("error", "access_denied");
  else {
    const code = randomBytes(10).toString("hex");
    const method = asked.get("code_challenge_method") ?? "";
    codes.set(code, { login, method, challenge: asked.get("code_challenge") ?? "" });
    back.searchParams.set("code", code);
  }
  response.writeHead(302, { location: back.toString() }).end();
}

function exchange(
  app: ForgeSignIn,
  { codes, people, given }: { codes: Map<string, Grant>; people: Map<string, string>; given: URLSearchParams },
): object {
  if (given.get("client_id") !== app.clientId || given.get("client_secret") !== app.clientSecret)
    return { error: "incorrect_client_credentials" };
  const code = given.get("code") ?? "";
  const grant = codes.get(code);
  codes.delete(code);
  const proof = createHash("sha256")
    .update(given.get("code_verifier") ?? "")
    .digest("base64url");
  if (grant === undefined || given.get("redirect_uri") !== app.redirectUri()) return { error: "bad_verification_code" };
  if (grant.method !== "S256" || proof !== grant.challenge) return { error: "bad_verification_code" };
  const token = `ghu_${randomBytes(18).toString("hex")}`;
  people.set(token, grant.login);
  return { access_token: token, token_type: "bearer", scope: "" };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}
