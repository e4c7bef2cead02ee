import { execFile, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type TinyTemper, tinyModel } from "./tiny-model.ts";

/** A running Ollama with its own empty directory of models. */
export interface OllamaServer {
  readonly url: string;
  /** Everything it has logged so far. */
  log(): string;
  /** `ollama create NAME -f Modelfile`, from a tiny model of random weights. */
  create(name: string, temper: TinyTemper): Promise<void>;
  stop(): Promise<void>;
}

/** The pinned Ollama, if `test/tools/build.sh ollama` has built it. */
export function builtOllama(): string | undefined {
  const script = fileURLToPath(new URL("../tools/build.sh", import.meta.url));
  const { stdout } = spawnSync("bash", [script, "--where", "ollama"], { encoding: "utf8" });
  const path = stdout.trim();
  return existsSync(path) ? path : undefined;
}

/** Starts the server on a free port; resolves when it answers. */
export async function startOllama(binary: string): Promise<OllamaServer> {
  const directory = await mkdtemp(join(tmpdir(), "rectify-ollama-"));
  const host = `127.0.0.1:${await freePort()}`;
  // Nothing of the user's own set-up: neither their models nor their settings.
  const env = { PATH: process.env.PATH, HOME: directory, OLLAMA_HOST: host, OLLAMA_MODELS: join(directory, "models") };
  const server = spawn(binary, ["serve"], { env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [server.stdout, server.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      log += chunk.toString("utf8");
    });
  }
  const ended = new Promise<void>((resolve) => server.on("exit", () => resolve()));
  const url = `http://${host}`;
  await answering(`${url}/api/version`, () => log);
  return {
    url,
    log: () => log,
    create: async (name, temper) => {
      await writeFile(join(directory, `${name}.gguf`), tinyModel(temper));
      // One thread: two of them wait for each other by spinning, which is slow where others need the processors.
      const lines = [
        `FROM ./${name}.gguf`,
        "PARAMETER num_thread 1",
        'TEMPLATE """{{ .System }}',
        "{{ .Prompt }}",
        '"""',
        "",
      ];
      await writeFile(join(directory, "Modelfile"), lines.join("\n"));
      await promisify(execFile)(binary, ["create", name, "-f", "Modelfile"], { cwd: directory, env });
    },
    stop: async () => {
      server.kill("SIGTERM");
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((ready) => probe.listen(0, "127.0.0.1", ready));
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  return port;
}

async function answering(url: string, log: () => string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resume) => setTimeout(resume, 100));
  }
  throw new Error(`Ollama did not start:\n${log().slice(-2000)}`);
}
