import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type EngineRoom, teamNamespace } from "./engine.ts";
import { answers, freePort, type Program, type Running } from "./processes.ts";
import { toolPath } from "./tools.ts";

export const argocdNamespace = "argocd";

/** Redis, the repo-server and the application controller, in that order. */
export async function startPrograms(room: EngineRoom): Promise<readonly Running[]> {
  const { processes, plane, scratch } = room;
  const ports = {
    ...{ redis: await freePort(), repoServer: await freePort(), repoMetrics: await freePort() },
    controllerMetrics: await freePort(),
  };
  const env = environmentOf(scratch, plane.kubeconfigPath);
  const started: Running[] = [];
  for (const program of [redis(ports.redis, scratch), repoServer(ports), controller(ports, plane.kubeconfigPath)]) {
    const command = program.name === "redis" ? program.command : toolPath("argocd");
    started.push(await processes.start({ ...program, command, env: { ...env, ...program.env } }));
  }
  return started;
}

interface Ports {
  readonly redis: number;
  readonly repoServer: number;
  readonly repoMetrics: number;
  readonly controllerMetrics: number;
}

/** The repo-server calls `kustomize`, `helm` and, for a repository's password, `argocd` by name. */
function environmentOf(scratch: string, kubeconfigPath: string): Readonly<Record<string, string>> {
  const programs = join(scratch, "bin");
  rmSync(programs, { recursive: true, force: true });
  for (const folder of ["bin", "tmp", "tls", "ssh"]) mkdirSync(join(scratch, folder), { recursive: true });
  for (const name of ["argocd", "kustomize", "helm"]) symlinkSync(toolPath(name), join(programs, name));
  return {
    ...{ PATH: `${programs}${delimiter}${process.env.PATH ?? ""}`, HOME: scratch, TMPDIR: join(scratch, "tmp") },
    ...{ ARGOCD_TLS_DATA_PATH: join(scratch, "tls"), ARGOCD_SSH_DATA_PATH: join(scratch, "ssh") },
    ...{ ARGOCD_GPG_ENABLED: "false", ARGOCD_ASK_PASS_SOCK: join(scratch, "tmp/ask-pass.sock") },
    // `https://kubernetes.default.svc`, as the shipped Application names its cluster, is the one of the kubeconfig.
    ...{ ARGOCD_FAKE_IN_CLUSTER: "true", KUBECONFIG: kubeconfigPath },
  };
}

function redis(port: number, scratch: string): Program {
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", scratch];
  return { name: "redis", command: "redis-server", args };
}

function repoServer(ports: Ports): Program {
  return {
    name: "argocd-repo-server",
    command: "",
    args: [
      ...["--address", "127.0.0.1", "--port", String(ports.repoServer), "--disable-tls"],
      ...["--metrics-address", "127.0.0.1", "--metrics-port", String(ports.repoMetrics)],
      // What a branch points at is asked anew at every look.
      ...["--redis", `127.0.0.1:${ports.redis}`, "--revision-cache-expiration", "1s"],
    ],
    env: { ARGOCD_BINARY_NAME: "argocd-repo-server" },
    ready: () => answers(`http://127.0.0.1:${ports.repoMetrics}/healthz`),
  };
}

function controller(ports: Ports, kubeconfigPath: string): Program {
  return {
    name: "argocd-application-controller",
    command: "",
    args: [
      ...["--kubeconfig", kubeconfigPath, "--namespace", argocdNamespace],
      ...["--application-namespaces", teamNamespace],
      ...["--repo-server", `127.0.0.1:${ports.repoServer}`, "--repo-server-plaintext"],
      ...["--redis", `127.0.0.1:${ports.redis}`, "--metrics-port", String(ports.controllerMetrics)],
      ...["--app-resync", "1", "--app-resync-jitter", "0", "--self-heal-timeout-seconds", "1"],
    ],
    env: { ARGOCD_BINARY_NAME: "argocd-application-controller" },
    ready: () => answers(`http://127.0.0.1:${ports.controllerMetrics}/healthz`),
  };
}
