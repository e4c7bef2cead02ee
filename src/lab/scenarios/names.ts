/** Those that a world is made for. Apart from the scenarios themselves, which load the whole product: help lists these. */
export const worldScenarios = [
  ...(["scale", "low-risk", "resolved-first", "worse", "bad-deploy", "noisy-neighbour", "quota"] as const),
  ...(["predictive", "approve-n", "stale-approval", "forged-comment", "freeze", "policy-refused"] as const),
  ...(["lease", "roll-back", "disputed", "two-clusters", "two-repositories", "rebase-only"] as const),
  ...(["commit-status", "merge-queue", "ghes", "label-tracking", "stock-alert", "hpa-maxed"] as const),
  ...(["shadow", "shadow-switch", "storm-small", "watchtower", "model-required", "liar"] as const),
] as const;

/** The one that has no world of its own: only its history is answered. */
export const pastScenario = "backtest";

export const scenarioNames: readonly string[] = [...worldScenarios, pastScenario];
