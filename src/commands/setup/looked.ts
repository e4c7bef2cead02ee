import { ended } from "../../adapters/cli-tools/offline.ts";

/** Where a repository is, as a remote of git names it. */
interface Remote {
  readonly apiUrl: string;
  readonly repository: string;
}

/** Reads `git@host:owner/name.git`, `ssh://…` and `https://…`; undefined for anything else. */
export function remoteOf(text: string): Remote | undefined {
  const url = text.trim().replace(/^[\w.-]+@([\w.-]+):(?!\/\/)/, "ssh://$1/");
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port, pathname } = new URL(url);
  const [, repository] = /^\/([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(pathname) ?? [];
  if (repository === undefined || !/^(?:https?|ssh):$/.test(protocol)) return undefined;
  // The port of ssh is not that of the API.
  const host =
    protocol === "ssh:" || port === "" ? hostname.replace(/^ssh\.github\.com$/, "github.com") : `${hostname}:${port}`;
  // An alias of ssh's own configuration is no host, and some hosts are no GitHub.
  if ((protocol === "ssh:" && !host.includes(".")) || /^(?:www\.)?(?:gitlab\.com|bitbucket\.org)$/.test(host))
    return undefined;
  return { repository, apiUrl: apiOf(host, protocol === "http:" ? "http:" : "https:") };
}

/** github.com and ghe.com have their API on a host of its own, a server of one's own below a path. */
function apiOf(host: string, protocol: string): string {
  if (host === "github.com" || host.endsWith(".ghe.com")) return `https://api.${host}`;
  return `${protocol}//${host}/api/v3`;
}

/** The repository that a directory was cloned from; undefined where git knows none. */
export async function remoteIn(directory: string): Promise<Remote | undefined> {
  const asked = await ended("git", ["-C", directory, "remote", "get-url", "origin"], { timeLimitMs: 10_000 });
  return asked.error || asked.isLate ? undefined : remoteOf(asked.stdout);
}

/** Where each source usually is, from this machine and from inside a cluster, and what it answers. */
const usual = {
  PROMETHEUS_URL: {
    path: "/-/healthy",
    places: [
      "http://127.0.0.1:9090",
      "http://prometheus-operated.monitoring.svc:9090",
      "http://prometheus-server.monitoring.svc",
    ],
  },
  ALERTMANAGER_URL: {
    path: "/-/healthy",
    places: ["http://127.0.0.1:9093", "http://alertmanager-operated.monitoring.svc:9093"],
  },
  LOKI_URL: {
    path: "/ready",
    places: ["http://127.0.0.1:3100", "http://loki-gateway.monitoring.svc", "http://loki.monitoring.svc:3100"],
  },
  OLLAMA_HOST: { path: "/api/tags", places: ["http://127.0.0.1:11434", "http://ollama.ollama.svc:11434"] },
} as const;

export type Source = keyof typeof usual;
export const lookedFor = Object.keys(usual) as readonly Source[];

/** The first usual place at which a source answers; undefined when none does. */
export async function findSource(source: Source): Promise<string | undefined> {
  const { path, places } = usual[source];
  const answers = await Promise.all(places.map((place) => isThere(place + path)));
  return places.find((_place, index) => answers[index]);
}

const patienceMs = 2_000;

async function isThere(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(patienceMs), redirect: "error" }).then(
    async (answer) => {
      await answer.body?.cancel();
      return answer.ok;
    },
    () => false,
  );
}

/** Whether an account is an organization, as far as GitHub tells everybody. */
export async function isOrganization(apiUrl: string, login: string): Promise<boolean> {
  const url = `${apiUrl}/users/${encodeURIComponent(login)}`;
  return fetch(url, { signal: AbortSignal.timeout(10_000) }).then(
    async (answer) => answer.ok && ((await answer.json()) as { type?: unknown }).type === "Organization",
    () => false,
  );
}
