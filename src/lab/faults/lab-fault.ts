import type { Workload } from "../../domain/kubernetes/workload.ts";
import { renderYaml } from "../../manifests/yaml/yaml.ts";
import type { LabRule } from "../cluster/metrics/rules.ts";
import { labGuardrails } from "../repository.ts";
import { holds } from "./condition.ts";
import type { LabFault } from "../cluster/simulation/fault-state.ts";
import type { FaultFile } from "./fault-file.ts";

/** The workload of the file: the shop's namespace and a Deployment where it names none. */
export function workloadOf({ workload }: Pick<FaultFile, "workload">): Workload {
  const { kind = "Deployment", namespace = "shop-production", name } = workload;
  return { kind, namespace, name };
}

/** The fault as the lab's cluster simulates it. */
export function faultOf(fault: FaultFile): LabFault {
  return { workload: workloadOf(fault), holds: (objects) => holds(fault.active, objects), effects: fault.effects };
}

/** The alert of the fault as a rule. Without an expression of its own it fires while the fault is active. */
export function ruleOf(fault: FaultFile): LabRule {
  const { name, labels, severity, annotations, expr, for: seconds } = fault.alert;
  const { kind, namespace, name: workload } = workloadOf(fault);
  const own = { severity, namespace, [kind.toLowerCase()]: workload, ...labels };
  return { alert: name, expr: expr ?? "lab_fault > 0", forMs: seconds * 1_000, labels: own, annotations };
}

// Most faults stand in the base that the overlays of production and staging share.
const labNamespaces = ["shop-production", "shop-staging"];

/** The guardrails of the lab with those of the file. Both overlays of the shop may be changed. */
export function guardrailsOf(fault: FaultFile): Readonly<Record<string, unknown>> {
  return { ...labGuardrails, namespaces: labNamespaces, requiredChecks: [], ...fault.guardrails };
}

/** The same as the file of the repository. */
export function guardrailsText(fault: FaultFile): string {
  return renderYaml(guardrailsOf(fault));
}

/** What a person says to the proposal; undefined = nothing. */
export function answerTo({ approve }: FaultFile): string | undefined {
  if (approve === false) return undefined;
  if (typeof approve === "string") return approve;
  return "/approve";
}
