import { execFile } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { scratchDirectory } from "./scratch.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function rectify(args: readonly string[], env: Record<string, string>): Promise<Ran> {
  const command = ["--import", "tsx", "src/cli.ts", ...args];
  return new Promise((done) => {
    execFile(process.execPath, command, { env, timeout: 25_000 }, (error, stdout, stderr) => {
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
  };
  const { code, stdout, stderr } = await rectify(["serve"], env);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  for (const problem of [
    "RECTIFY_REPOSITORY: is missing",
    "APP_ID: is missing",
    "PRIVATE_KEY: is missing",
    "WEBHOOK_SECRET: is too short",
    "ALERTS_TOKEN: is missing",
    "PROMETHEUS_URL: must be an http or https address",
    "ALERTMANAGER_URL: is missing",
    "git cannot be run: install git",
    `PORT: port ${port} is taken`,
    "DATABASE_URL: no Postgres answers at 127.0.0.1:1",
  ]) {
    expect(stderr).toContain(problem);
  }
});

test("the lab names the scenarios when it is asked for one that does not exist", async () => {
  const { code, stderr } = await rectify(["lab", "--scenario", "nonsense"], { PATH: process.env.PATH ?? "" });
  expect(code).toBe(1);
  expect(stderr).toContain("choose one of scale, low-risk, resolved-first, worse");
});

test("config check ends with 1 and names the line", async () => {
  const path = join(scratchDirectory(), "rectify.yml");
  writeFileSync(path, "namespaces: [shop]\nminReplicas: 0\n");
  const { code, stdout } = await rectify(["config", "check", path], { PATH: process.env.PATH ?? "" });
  expect(stdout).toBe(`${path}:2: minReplicas: must be at least 1\n`);
  expect(code).toBe(1);
});
