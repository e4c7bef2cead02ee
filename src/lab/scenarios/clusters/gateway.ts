import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Forge } from "../../forge/forge.ts";

/** Several forges behind one address, as the repositories of GitHub are. */
interface Gateway {
  readonly origin: string;
  add(forge: Forge, name: string): void;
  close(): Promise<void>;
}

interface Behind {
  readonly forge: Forge;
  readonly name: string;
}

/**
 * Each request goes to the forge of the repository that its path names, of its installation, or of the token that it
 * carries: a token of one is unknown to the others.
 */
export async function openGateway(): Promise<Gateway> {
  const all: Behind[] = [];
  const issuedBy = new Map<string, Behind>();
  const server = createServer((asked, response) => {
    const behind = behindOf(asked, all, issuedBy);
    if (behind === undefined) response.writeHead(404).end();
    else passOn(asked, response, { to: behind.forge.listensAt, heard: (token) => issuedBy.set(token, behind) });
  });
  // As the forge itself.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((ready, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", ready);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add: (forge, name) => void all.push({ forge, name }),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

function behindOf(
  { url = "/", headers }: IncomingMessage,
  all: readonly Behind[],
  issuedBy: ReadonlyMap<string, Behind>,
): Behind | undefined {
  const path = url.toLowerCase();
  const named = all.find(
    ({ name }) =>
      path.includes(`/repos/${name}/`) || path.includes(`/repos/${name}?`) || path.endsWith(`/repos/${name}`),
  );
  if (named !== undefined) return named;
  const cloned = all.find(({ name }) => path.startsWith(`/${name}.git/`) || path.startsWith(`/${name}/`));
  if (cloned !== undefined) return cloned;
  const installed = all.find(({ forge }) => path.includes(`/app/installations/${forge.installationId}/`));
  const token = (headers.authorization ?? "").split(" ")[1] ?? "";
  return installed ?? issuedBy.get(token) ?? all[0];
}

interface Passing {
  readonly to: string;
  /** A token was issued. */
  readonly heard: (token: string) => void;
}

function passOn(asked: IncomingMessage, response: ServerResponse, { to, heard }: Passing): void {
  const { method = "GET", url = "/", headers } = asked;
  const onward = request(`${to}${url}`, { method, headers }, (reply) => {
    response.writeHead(reply.statusCode ?? 502, reply.headers);
    const chunks: Buffer[] = [];
    const isToken = url.endsWith("/access_tokens");
    reply.on("data", (chunk: Buffer) => isToken && chunks.push(chunk));
    reply.on("end", () => isToken && heard(tokenIn(Buffer.concat(chunks).toString("utf8"))));
    reply.pipe(response);
  });
  onward.on("error", () => response.destroy());
  asked.pipe(onward);
}

function tokenIn(text: string): string {
  const { token } = JSON.parse(text) as { token?: unknown };
  return typeof token === "string" ? token : "";
}
