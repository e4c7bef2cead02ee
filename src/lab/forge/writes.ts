import type { Forge } from "./forge.ts";

/** Every request that would have changed something, as it came in: by the API, answered or refused, and by git. */
export function forgeWrites({ calls, gitCalls }: Pick<Forge, "calls" | "gitCalls">): readonly string[] {
  const api = calls.filter(({ method, path }) => method !== "GET" && !path.endsWith("/access_tokens"));
  const pushed = gitCalls.filter(({ path }) => path.includes("git-receive-pack"));
  return [...api, ...pushed].map(({ method, path, status }) => `${method} ${path} (${status})`);
}
