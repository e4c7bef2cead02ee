import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { promisify } from "node:util";
import type { Forge } from "../../src/lab/forge/forge.ts";
import type { KubeClient } from "./kube-client.ts";

/**
 * Stands in for Flux's source-controller, which cannot be built here: follows the forge over git, serves the tree as a
 * tarball on loopback and writes `GitRepository.status` by the published contract. Everything after that is Flux's own.
 */
export interface TestSource {
  follow(forge: Forge): Promise<void>;
  close(): Promise<void>;
}

interface SourceOptions {
  readonly kube: KubeClient;
  readonly namespace: string;
  readonly name: string;
  readonly directory: string;
}

interface Artifact {
  readonly revision: string;
  readonly archive: Buffer;
}

const run = promisify(execFile);
const pollMs = 1_000;

export async function startSource(options: SourceOptions): Promise<TestSource> {
  const served = new Map<string, Buffer>();
  const server = await serve(served);
  const origin = originOf(server);
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let count = 0;
  const stop = async () => {
    clearInterval(timer);
    await looking?.catch(() => undefined);
  };
  return {
    follow: async (forge) => {
      await stop();
      count += 1;
      const repository = `${options.directory}/${count}`;
      mkdirSync(repository, { recursive: true });
      await git(repository, ["init", "--quiet", "--bare"]);
      let last = "";
      const look = async () => {
        const found = await fetchMain(forge, repository, last);
        if (found === undefined) return;
        const path = `/${options.namespace}/${options.name}/${shaOf(found.revision)}.tar.gz`;
        served.set(path, found.archive);
        await publish(options, origin, { path, ...found });
        last = found.revision;
      };
      await look();
      timer = setInterval(() => {
        // The API server or the forge may be away for a while: the next look tries again.
        looking ??= look()
          .catch(() => undefined)
          .finally(() => {
            looking = undefined;
          });
      }, pollMs);
    },
    close: async () => {
      await stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function fetchMain(forge: Forge, repository: string, last: string): Promise<Artifact | undefined> {
  // The token travels in the environment: an argument could be read by every user of the machine.
  const env = {
    ...{ GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "http.extraHeader" },
    GIT_CONFIG_VALUE_0: `Authorization: ${forge.fetchAuthorization()}`,
  };
  await git(repository, ["fetch", "--quiet", "--depth", "1", forge.cloneUrl, "main"], env);
  const sha = (await git(repository, ["rev-parse", "FETCH_HEAD"])).toString("utf8").trim();
  const revision = `main@sha1:${sha}`;
  if (revision === last) return undefined;
  return { revision, archive: await git(repository, ["archive", "--format=tar.gz", sha]) };
}

async function git(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  const settings = { ...process.env, GIT_TERMINAL_PROMPT: "0", ...env };
  const { stdout } = await run("git", args, { cwd, env: settings, encoding: "buffer", maxBuffer: 64 * 2 ** 20 });
  return stdout;
}

function shaOf(revision: string): string {
  return revision.split(":")[1] ?? "";
}

async function publish(
  { kube, namespace, name }: SourceOptions,
  origin: string,
  { path, revision, archive }: Artifact & { path: string },
): Promise<void> {
  const address = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${namespace}/gitrepositories/${name}`;
  const { metadata } = (await kube.get(address)) as { metadata: { generation: number } };
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const status = {
    observedGeneration: metadata.generation,
    artifact: {
      ...{ path: path.slice(1), url: origin + path, revision, lastUpdateTime: now, size: archive.length },
      digest: `sha256:${createHash("sha256").update(archive).digest("hex")}`,
    },
    conditions: [
      {
        ...{ type: "Ready", status: "True", reason: "Succeeded", observedGeneration: metadata.generation },
        ...{ message: `stored artifact for revision '${revision}'`, lastTransitionTime: now },
      },
    ],
  };
  const contentType = "application/merge-patch+json";
  await kube.ask("PATCH", `${address}/status`, { body: { status }, contentType });
}

function serve(served: ReadonlyMap<string, Buffer>): Promise<Server> {
  const server = createServer((request, response) => {
    const archive = served.get(request.url ?? "");
    response.writeHead(archive === undefined ? 404 : 200, { "content-type": "application/gzip" });
    response.end(archive);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

function originOf(server: Server): string {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the test source has no port");
  return `http://127.0.0.1:${address.port}`;
}
