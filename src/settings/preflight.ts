import { execFile } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";

const oldestNode = 20;

/** What a start needs of this machine. */
interface Places {
  readonly host: string;
  readonly webhookPort: number;
  readonly internalPort: number;
  /** 0 = none of their own. */
  readonly pagesPort: number;
  readonly dataDirectory: string;
  readonly databaseUrl: string | undefined;
}

/** What stands in the way of a start, each with its remedy. */
export async function preflight(places: Places | undefined): Promise<readonly string[]> {
  const found = await Promise.all([nodeProblem(), gitProblem(), ...(places ? problemsOf(places) : [])]);
  return found.filter((problem) => problem !== undefined);
}

/** The places as far as the environment names them, for a report that is complete even when something else is wrong. */
export function placesOf(environment: Readonly<Record<string, string | undefined>>): Places {
  const port = (text: string | undefined, fallback: number) => {
    const given = Number(text || fallback);
    return Number.isInteger(given) && given >= 0 && given <= 65_535 ? given : 0;
  };
  return {
    host: environment.HOST || "0.0.0.0",
    webhookPort: port(environment.PORT, 3000),
    internalPort: port(environment.INTERNAL_PORT, 9095),
    pagesPort: environment.PAGES_PROXY_SECRET ? 0 : port(environment.PAGES_PORT, 9096),
    dataDirectory: resolve(environment.RECTIFY_DATA || ".rectify"),
    databaseUrl: environment.DATABASE_URL || undefined,
  };
}

function problemsOf({
  host,
  webhookPort,
  internalPort,
  pagesPort,
  dataDirectory,
  databaseUrl,
}: Places): Promise<string | undefined>[] {
  return [
    portProblem("PORT", host, webhookPort),
    portProblem("INTERNAL_PORT", host, internalPort),
    portProblem("PAGES_PORT", "127.0.0.1", pagesPort),
    databaseUrl === undefined ? directoryProblem(dataDirectory) : databaseProblem(databaseUrl),
  ];
}

/** A server answers at the address; what it says to us is found out later. */
async function databaseProblem(databaseUrl: string): Promise<string | undefined> {
  const address = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined;
  if (!address?.hostname) return "DATABASE_URL: is not an address: use postgresql://user:password@host:port/name";
  const port = Number(address.port || 5432);
  const problem = `DATABASE_URL: no Postgres answers at ${address.hostname}:${port}: start it, or unset DATABASE_URL for the embedded one`;
  return (await isAnswered(address.hostname, port)) ? undefined : problem;
}

const sources = ["PROMETHEUS_URL", "ALERTMANAGER_URL", "LOKI_URL", "KUBERNETES_URL", "OLLAMA_HOST"];

/** The sources at whose address no server answers, all at once. Rectify runs without them, with less to go by. */
export async function silentSources(environment: Readonly<Record<string, string | undefined>>): Promise<string[]> {
  const asked = sources.map(async (name) => {
    const text = environment[name] ?? "";
    const address = URL.canParse(text) ? new URL(text) : undefined;
    if (!address?.hostname) return [];
    const port = Number(address.port || (address.protocol === "https:" ? 443 : 80));
    const answered = await isAnswered(address.hostname, port);
    return answered ? [] : [`${name}: no server answered at ${address.hostname}:${port}: start it, or correct ${name}`];
  });
  return (await Promise.all(asked)).flat();
}

function isAnswered(hostname: string, port: number): Promise<boolean> {
  return new Promise((tell) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port, timeout: 3_000 });
    const done = (answer: boolean) => {
      socket.destroy();
      tell(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("timeout", () => done(false));
    socket.once("error", () => done(false));
  });
}

async function nodeProblem(): Promise<string | undefined> {
  const major = Number(process.versions.node.split(".")[0]);
  return major >= oldestNode
    ? undefined
    : `Node ${process.versions.node} is too old: install Node ${oldestNode} or newer`;
}

/** `git` is called by name, found on PATH. */
async function gitProblem(): Promise<string | undefined> {
  return promisify(execFile)("git", ["--version"]).then(
    () => undefined,
    () => "git cannot be run: install git and see that it is on PATH",
  );
}

function portProblem(variable: string, host: string, port: number): Promise<string | undefined> {
  if (port === 0) return Promise.resolve(undefined);
  return new Promise((tell) => {
    const probe = createServer();
    probe.once("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "EADDRINUSE" ? "is taken" : `cannot be opened (${cause.code ?? cause.message})`;
      tell(`${variable}: port ${port} ${why}: free it or set ${variable} to another one`);
    });
    probe.listen(port, host, () => probe.close(() => tell(undefined)));
  });
}

async function directoryProblem(directory: string): Promise<string | undefined> {
  let existing = directory;
  while (!existsSync(existing)) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
    return undefined;
  } catch {
    return `RECTIFY_DATA: ${directory} cannot be written: make it writable or set RECTIFY_DATA to another directory`;
  }
}
