import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isSameSecret } from "../../adapters/http/listener.ts";
import { Unavailable } from "../../ports/errors.ts";
import { type Converted, convert } from "./conversion.ts";

/** Where an App is registered, and as what. */
export interface Registration {
  readonly apiUrl: string;
  /** GitHub's pages. */
  readonly webUrl: string;
  /** The organization that the App shall belong to; undefined = the person who registers it. */
  readonly organization: string | undefined;
  /** The port of the local page; 0 takes a free one. */
  readonly port: number;
  readonly deadlineMs: number;
  readonly manifest: (redirectUrl: string) => { readonly name: string };
  /** Told the address that a person must open. */
  readonly open: (address: string) => void;
  /** Keeps what GitHub hands out once, before anything else happens. */
  readonly keep: (converted: Converted) => void;
}

/**
 * GitHub's manifest flow, from a page on loopback to the App's secrets:
 * https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest. Throws `Unavailable` when no
 * person finished it in time.
 */
export async function registerApp(registration: Registration): Promise<Converted> {
  const state = randomBytes(32).toString("hex");
  const path = `/${randomBytes(16).toString("hex")}`;
  const session: Session = { registration, state, path, origin: "", isUsed: false };
  const server = createServer();
  try {
    session.origin = await listen(server, registration.port);
    return await new Promise<Converted>((done, failed) => {
      const late = () => failed(new Unavailable("nobody registered the App in time: run rectify setup again"));
      const timer = setTimeout(late, registration.deadlineMs);
      const finish = (end: () => void) => {
        clearTimeout(timer);
        end();
      };
      server.on("request", (request: IncomingMessage, response: ServerResponse) => {
        answer(session, request, response).then(
          (converted) => converted && afterwards(response, () => finish(() => done(converted))),
          (error: unknown) => {
            page(response, 500, "That did not work", `<p>${escaped(textOf(error))}</p>`);
            afterwards(response, () => finish(() => failed(error)));
          },
        );
      });
      registration.open(session.origin + path);
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** When the browser has its answer, or went away. */
function afterwards(response: ServerResponse, act: () => void): void {
  if (response.closed) act();
  else response.once("close", act);
}

interface Session {
  readonly registration: Registration;
  readonly state: string;
  readonly path: string;
  origin: string;
  isUsed: boolean;
}

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((ready, failed) => {
    server.once("error", (cause) => failed(new Unavailable(`port ${port} of this machine is taken`, { cause })));
    server.listen(port, "127.0.0.1", ready);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a request came to: the App, once; everything else answers and goes on waiting. */
async function answer(
  session: Session,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Converted | undefined> {
  const target = request.url ?? "/";
  if (!URL.canParse(target, session.origin)) return void page(response, 404, "Not found", "");
  const url = new URL(target, session.origin);
  // Another name for this machine is a page of others that was led here.
  const isOurs = request.method === "GET" && `http://${request.headers.host}` === session.origin;
  if (isOurs && url.pathname === session.path) return void firstPage(session, response);
  if (!isOurs || url.pathname !== "/registered") return void page(response, 404, "Not found", "");
  if (session.isUsed || !isSameSecret(url.searchParams.get("state") ?? "", session.state)) {
    const again =
      "<p>This answer belongs to no registration that waits here. Open the address that the terminal shows.</p>";
    return void page(response, 403, "Not taken", again);
  }
  const code = url.searchParams.get("code") ?? "";
  if (!/^[\w-]{1,200}$/.test(code)) return void page(response, 400, "Not taken", "<p>GitHub sent no code.</p>");
  session.isUsed = true;
  const { apiUrl, webUrl, keep } = session.registration;
  const converted = await convert(apiUrl, code);
  keep(converted);
  // Straight on to the next thing that a person must do.
  const install = `${converted.html_url.replace(/\/$/, "")}/installations/new`;
  const isGitHub = new URL(install).origin === new URL(webUrl).origin;
  if (isGitHub) response.writeHead(303, { ...headers, location: install }).end();
  else page(response, 200, "The App is registered", "<p>Now install it on the repository.</p>");
  return converted;
}

function firstPage({ registration, state, origin }: Session, response: ServerResponse): void {
  const { webUrl, organization, manifest } = registration;
  const place = organization === undefined ? "" : `/organizations/${encodeURIComponent(organization)}`;
  const made = manifest(`${origin}/registered`);
  const form = `<p>GitHub shows the name, which you can change, and asks you to create the App. Then you install it on the repository.</p>
<form action="${escaped(`${webUrl}${place}/settings/apps/new?state=${state}`)}" method="post">
<input type="hidden" name="manifest" value="${escaped(JSON.stringify(made))}">
<button>Register ${escaped(made.name)} on ${escaped(new URL(webUrl).host)}</button>
</form>`;
  page(response, 200, "Register the GitHub App of Rectify", form);
}

const headers = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  // The secret path of the page is told to nobody.
  "referrer-policy": "origin",
};

function page(response: ServerResponse, status: number, title: string, body: string): void {
  response.writeHead(status, headers).end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
<style>body{font:1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem}</style>
<h1>${title}</h1>${body}`);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : "It failed without a reason.";
}
