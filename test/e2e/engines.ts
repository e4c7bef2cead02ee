import type { GitOpsEngine } from "./engine.ts";

/** The engines through which the stories are played, one after the other. */
export function engines(): readonly GitOpsEngine[] {
  return [];
}
