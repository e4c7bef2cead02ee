import { argocdEngine } from "./argocd.ts";
import type { GitOpsEngine } from "./engine.ts";
import { fluxEngine } from "./flux.ts";

/** The engines through which the scenarios are run, one after the other. */
export function engines(): readonly GitOpsEngine[] {
  return [fluxEngine(), argocdEngine()];
}
