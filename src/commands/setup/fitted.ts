import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import type { Fitted } from "../../flow/gate/check-guardrails.ts";

/** What was found out about a repository and its cluster before anybody said what Rectify may do. */
export interface Found {
  /** Namespaces with workloads that have a field which Rectify could edit, and how many of these workloads. */
  readonly editable: ReadonlyMap<string, number>;
  /** Whether Prometheus has metrics of a namespace; undefined = it could not be asked. */
  readonly measured: ReadonlyMap<string, boolean | undefined>;
  /** Namespaces of Rectify itself and of what it depends on. */
  readonly infrastructure: ReadonlySet<string>;
  /** Checks that the default branch requires, as far as they name their App. */
  readonly requiredChecks: Guardrails["requiredChecks"];
}

/**
 * Namespaces in which a change could be made and seen to help; `wanted` by a person counts before what was found. A change
 * of what Rectify depends on could take away its own sight: a person adds that.
 */
export function fitGuardrails(found: Found, wanted: readonly string[] | undefined): Fitted {
  const { editable, requiredChecks } = found;
  const judged = [...editable.keys()].sort().map((name) => ({ name, because: reasonAgainst(name, found) }));
  const fitting = judged.filter(({ because }) => because === undefined).map(({ name }) => name);
  const namespaces = wanted ?? fitting;
  return {
    namespaces,
    requiredChecks,
    reasons: [
      ...namespaces.map((name) => reasonFor(name, found, wanted !== undefined)),
      ...judged
        .filter(({ name }) => !namespaces.includes(name))
        .map(({ name, because }) => `\`${name}\` is left out: ${because ?? "it was not asked for"}.`),
      ...requiredChecks.map(({ name }) => `\`${name}\` must be green: the default branch requires it.`),
    ],
  };
}

function reasonFor(name: string, { editable, measured }: Found, isWanted: boolean): string {
  const count = editable.get(name) ?? 0;
  const could = count === 1 ? "1 workload that can be edited" : `${count} workloads that can be edited`;
  const seen = measured.get(name);
  const sight =
    seen === undefined ? "Prometheus could not be asked" : seen ? "has metrics" : "Prometheus has no metrics";
  return `\`${name}\`${isWanted ? " was asked for" : ""}: ${could}, ${sight}.`;
}

function reasonAgainst(name: string, { infrastructure, measured }: Found): string | undefined {
  if (name.startsWith("kube-")) return "it belongs to Kubernetes";
  if (infrastructure.has(name)) return "Rectify, or what it depends on, runs there";
  return measured.get(name) === false ? "Prometheus has no metrics of it" : undefined;
}
