import { execFile, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { discardPostgres, runningPostgres } from "../src/adapters/postgres/server.ts";
import { until } from "../src/lab/start.ts";
import { cliProgram } from "./cli-program.ts";
import { freshDatabase } from "./postgres.ts";
import { scratchDirectory } from "./scratch.ts";

vi.setConfig({ testTimeout: 100_000 });
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function rectify(args: readonly string[], env: Record<string, string>): Promise<Ran> {
  const command = [await cliProgram(), ...args];
  return new Promise((done) => {
    execFile(process.execPath, command, { env, timeout: 90_000 }, (error, stdout, stderr) => {
      done({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    });
  });
}

/** A PATH on which there is a node and nothing else. */
function pathWithoutGit(): string {
  const directory = scratchDirectory();
  symlinkSync(process.execPath, join(directory, "node"));
  return directory;
}

async function busyPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  closing.push(() => server.close());
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

test("serve names every problem at once, each with its remedy, and does not start", async () => {
  const port = await busyPort();
  const env = {
    ...{ PATH: pathWithoutGit(), HOST: "127.0.0.1", PORT: String(port), INTERNAL_PORT: "0" },
    ...{ WEBHOOK_SECRET: "development", DATABASE_URL: "postgresql://nobody@127.0.0.1:1/none", PROMETHEUS_URL: "prom" },
    ...{ APP_ID: "my-app", ALERTMANAGER_ULR: "http://127.0.0.1:1", SETTLE_MS: "-5" },
  };
  const { code, stdout, stderr } = await rectify(["serve"], env);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  for (const problem of [
    "RECTIFY_REPOSITORY: is missing",
    "APP_ID: must be a whole number",
    "PRIVATE_KEY: is missing",
    "WEBHOOK_SECRET: is too short",
    "ALERTS_TOKEN: is missing",
    "PROMETHEUS_URL: must be an http or https address",
    "ALERTMANAGER_URL: is missing",
    "ALERTMANAGER_ULR: is not a setting: did you mean ALERTMANAGER_URL?",
    "SETTLE_MS: must be a whole number of milliseconds above 0",
    "git cannot be run: install git",
    `PORT: port ${port} is taken`,
    "DATABASE_URL: no Postgres answers at 127.0.0.1:1",
  ]) {
    expect(stderr).toContain(problem);
  }
});

test("the lab names the scenarios when it is asked for one that does not exist", async () => {
  const { code, stderr } = await rectify(["lab", "--scenario", "nonsense"], { PATH: process.env.PATH ?? "" });
  expect(code).toBe(2);
  expect(stderr).toContain("choose one of\n    scale, low-risk, resolved-first, worse");
  expect(stderr.split("\n").every((line) => line.length <= 80)).toBe(true);
  const mistyped = await rectify(["lab", "--scenario", "quoto"], { PATH: process.env.PATH ?? "" });
  expect(mistyped.stderr).toContain("no scenario quoto: did you mean quota?");
});

test("config check exits with code 1 and names the line", async () => {
  const path = join(scratchDirectory(), "rectify.yml");
  writeFileSync(path, "namespaces: [shop]\nminReplicas: 0\n");
  const { code, stdout } = await rectify(["config", "check", path], { PATH: process.env.PATH ?? "" });
  expect(stdout).toBe(`${path}:2: minReplicas: must be at least 1\n`);
  expect(code).toBe(1);
});

test("a wrong call ends with 2, the version with 0", async () => {
  const env = { PATH: process.env.PATH ?? "" };
  const [unknown, missing, version] = await Promise.all([
    ...([rectify(["serv"], env), rectify(["explain"], env), rectify(["--version"], env)] as const),
  ]);
  expect([unknown.code, missing.code, version.code]).toEqual([2, 2, 0]);
  expect(unknown.stderr).toContain("Did you mean serve?");
  expect(missing.stderr).toContain("missing required argument 'incident'");
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

/** The environment of an installation whose GitHub is there. */
function installation(apiUrl: string): Record<string, string> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const secret = "x".repeat(32);
  const dead = "http://127.0.0.1:1";
  return {
    ...{ PATH: process.env.PATH ?? "", HOST: "127.0.0.1", PORT: "0", INTERNAL_PORT: "0", PAGES_PORT: "0" },
    ...{ RECTIFY_REPOSITORY: "acme/shop", APP_ID: "7", WEBHOOK_SECRET: secret, ALERTS_TOKEN: secret, KYVERNO: "off" },
    ...{ PRIVATE_KEY: privateKey.export({ type: "pkcs1", format: "pem" }).toString(), GITHUB_API_URL: apiUrl },
    ...{ PROMETHEUS_URL: dead, ALERTMANAGER_URL: dead, LOKI_URL: dead },
  };
}

test("a signal while it starts ends what the start began, its own Postgres too", async () => {
  const data = scratchDirectory();
  closing.push(() => discardPostgres(join(data, "postgres")));
  const held: Socket[] = [];
  const github = createServer((socket) => void held.push(socket.on("error", () => undefined)));
  await new Promise<void>((ready) => github.listen(0, "127.0.0.1", ready));
  closing.push(() => github.close());
  const address = github.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const env = { ...installation(`http://127.0.0.1:${port}`), RECTIFY_DATA: data };
  const child = spawn(process.execPath, [await cliProgram(), "serve"], { env, stdio: "ignore" });
  const ended = new Promise((done) => child.once("exit", (_code, signal) => done(signal)));
  await until("its first question to GitHub", () => held.length > 0, 60_000);
  expect(runningPostgres(join(data, "postgres"))).toBeDefined();
  child.kill("SIGTERM");
  for (const socket of held) socket.destroy();
  github.on("connection", (socket: Socket) => socket.destroy());
  expect(await ended).toBe(null);
  expect(runningPostgres(join(data, "postgres"))).toBeUndefined();
});

test("a start that GitHub does not answer names every dead source at once", async () => {
  const own = { DATABASE_URL: await freshDatabase(), RECTIFY_DATA: scratchDirectory() };
  const { code, stderr } = await rectify(["serve"], { ...installation("http://127.0.0.1:1"), ...own });
  expect(stderr).toContain("Rectify cannot start:\n  - GitHub: no server answered at 127.0.0.1:1");
  expect(stderr).not.toContain("500");
  for (const name of ["PROMETHEUS_URL", "ALERTMANAGER_URL", "LOKI_URL"])
    expect(stderr).toContain(`${name}: no server answered at 127.0.0.1:1`);
  expect(code).toBe(1);
});

test("records that are not there are an error under the command's own name", async () => {
  const env = { PATH: process.env.PATH ?? "", DATABASE_URL: "postgresql://nobody@127.0.0.1:1/none" };
  const { code, stderr } = await rectify(["incidents"], env);
  expect(stderr).toMatch(/^rectify incidents failed:/);
  expect(code).toBe(1);
});

test("a file that is not there is said in words, and a wrong call ends with 2 whatever the command", async () => {
  const env = { PATH: process.env.PATH ?? "" };
  const gone = await rectify(["survey", "/nonexistent"], env);
  expect(gone).toMatchObject({ code: 1, stderr: "rectify survey failed:\n  - /nonexistent does not exist\n" });
  expect((await rectify(["completion"], env)).code).toBe(2);
  expect((await rectify(["locate", "shop/Deployment/web"], env)).code).toBe(2);
  const empty = await rectify(["survey", scratchDirectory()], env);
  expect(empty.stdout).toMatch(/^No entry .* name the checkout of a GitOps repository/);
});

test("bash completes commands and the options of the command that was typed", async () => {
  const { stdout: script } = await rectify(["completion", "bash"], { PATH: process.env.PATH ?? "" });
  const completed = (words: readonly string[]) =>
    new Promise<string[]>((done) => {
      const ask = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _rectify; echo "\${COMPREPLY[@]}"`;
      execFile("bash", ["-c", ask], (_error, stdout) => done(stdout.trim().split(" ")));
    });
  expect(await completed(["rectify", "in"])).toEqual(["incidents"]);
  expect(await completed(["rectify", "memory", "se"])).toEqual(["search"]);
  expect(await completed(["rectify", "incidents", "--w"])).toEqual(["--workload"]);
});
