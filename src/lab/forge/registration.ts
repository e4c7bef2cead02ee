import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { appView, installationView, repositoryView } from "./api/views.ts";
import type { SignInPages } from "./sign-in.ts";
import type { AppManifest, ForgeState } from "./world.ts";

interface Asked extends AppManifest {
  readonly url: string;
  readonly redirect_url: string;
  readonly hook_attributes?: { readonly url: string; readonly active?: boolean };
}

interface Waiting {
  readonly manifest: Asked;
  readonly state: string;
}

/**
 * GitHub's manifest flow, as its documentation describes it: the page that takes a manifest, the person's yes, the code
 * that buys the App's secrets once, and the installation. The App is the one of the forge's options.
 */
export function registrationPages(
  world: ForgeState,
  setWebhookUrl: (url: string | undefined) => void,
  next: SignInPages,
): SignInPages {
  if (world.options.unregistered !== true) return next;
  const waiting = new Map<string, Waiting>();
  const codes = new Map<string, Asked>();
  const { owner, app } = world.options;
  const registers = new Set(["/settings/apps/new", `/organizations/${owner}/settings/apps/new`]);
  return async (request, response, url) => {
    const at = `${request.method} ${url.pathname}`;
    if (request.method === "POST" && registers.has(url.pathname)) {
      const manifest = manifestOf((await formOf(request)).get("manifest"));
      if (manifest === undefined) return html(response, 422, "Invalid GitHub App configuration");
      const id = randomBytes(8).toString("hex");
      waiting.set(id, { manifest, state: url.searchParams.get("state") ?? "" });
      return html(response, 200, form("/settings/apps/manifest", "Create GitHub App", id));
    }
    if (at === "POST /settings/apps/manifest") {
      const asked = waiting.get((await formOf(request)).get("id") ?? "");
      return asked === undefined ? html(response, 404, "Not Found") : goBack(response, asked, codes);
    }
    const code = /^\/api\/v3\/app-manifests\/([^/]+)\/conversions$/.exec(url.pathname)?.[1];
    if (request.method === "POST" && code !== undefined)
      return convert(world, response, { codes, code, setWebhookUrl });
    if (at === `GET /apps/${app.slug}/installations/new`) return html(response, 200, form(url.pathname, "Install", ""));
    if (at === `POST /apps/${app.slug}/installations/new`) return install(world, response);
    return next(request, response, url);
  };
}

function goBack(response: ServerResponse, { manifest, state }: Waiting, codes: Map<string, Asked>): true {
  const code = randomBytes(20).toString("hex");
  codes.set(code, manifest);
  const back = new URL(manifest.redirect_url);
  back.searchParams.set("code", code);
  back.searchParams.set("state", state);
  response.writeHead(302, { location: back.toString() }).end();
  return true;
}

interface Conversion {
  readonly codes: Map<string, Asked>;
  readonly code: string;
  readonly setWebhookUrl: (url: string | undefined) => void;
}

function convert(world: ForgeState, response: ServerResponse, { codes, code, setWebhookUrl }: Conversion): true {
  const manifest = codes.get(code);
  codes.delete(code);
  if (manifest === undefined) return json(response, 404, { message: "Not Found", status: "404" });
  const { app } = world.options;
  world.settings.manifest = manifest;
  const hook = manifest.hook_attributes;
  const isActive = hook !== undefined && hook.active !== false;
  if (isActive) setWebhookUrl(hook.url);
  const secrets = {
    pem: app.privateKeyPem,
    webhook_secret: isActive ? app.webhookSecret : null,
    client_id: `Iv1.${randomBytes(8).toString("hex")}`,
    client_secret: randomBytes(20).toString("hex"),
  };
  return json(response, 201, { ...appView(world, app.id, app.slug), ...secrets });
}

function install(world: ForgeState, response: ServerResponse): true {
  world.settings.installed = true;
  const installation = installationView(world);
  world.emit("installation", { action: "created", installation, repositories: [repositoryView(world)] }, world.owner);
  response.writeHead(302, { location: installation.html_url }).end();
  return true;
}

/** What GitHub would take; undefined = it shows the person what is wrong. */
function manifestOf(text: string | null): Asked | undefined {
  let read: Partial<Asked>;
  try {
    read = JSON.parse(text ?? "") as Partial<Asked>;
  } catch {
    return undefined;
  }
  const { url, redirect_url, hook_attributes, default_permissions, default_events } = read;
  const addresses = [url, redirect_url, ...(hook_attributes === undefined ? [] : [hook_attributes.url])];
  if (!addresses.every((address) => address !== undefined && URL.canParse(address))) return undefined;
  const levels = Object.values(default_permissions ?? {});
  if (!levels.every((level) => level === "read" || level === "write") || !Array.isArray(default_events))
    return undefined;
  return read as Asked;
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}

function form(action: string, label: string, id: string): string {
  return `<form action="${action}" method="post"><input type="hidden" name="id" value="${id}"><button>${label}</button></form>`;
}

function html(response: ServerResponse, status: number, body: string): true {
  response.writeHead(status, { "content-type": "text/html; charset=utf-8" }).end(body);
  return true;
}

function json(response: ServerResponse, status: number, body: object): true {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
  return true;
}
