import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What comes from Debian: package → program. */
const packages = {
  "etcd-server": "etcd",
  prometheus: "prometheus",
  "prometheus-alertmanager": "prometheus-alertmanager",
  "redis-server": "redis-server",
  openssl: "openssl",
  git: "git",
} as const;

/** Installs what is missing. Throws with the command to run where this user may not. */
export function installDebianPackages(): void {
  const missing = Object.entries(packages).flatMap(([name, program]) => (isThere(program) ? [] : [name]));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`these packages are missing: apt-get install ${missing.join(" ")}`);
  withoutServices(() => {
    apt(["update"]);
    apt(["install", "-y", "--no-install-recommends", ...missing]);
  });
}

function isThere(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

// Debian starts a service as soon as it is installed, unless this file says no.
const policyFile = "/usr/sbin/policy-rc.d";

function withoutServices(work: () => void): void {
  const isOurs = !existsSync(policyFile);
  if (isOurs) writeFileSync(policyFile, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    work();
  } finally {
    if (isOurs) rmSync(policyFile);
  }
}

function apt(args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status, stderr } = spawnSync("apt-get", args, { env, encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  if (status !== 0) throw new Error(`apt-get ${args.join(" ")} failed:\n${stderr}`);
}
