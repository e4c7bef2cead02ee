import type { Condition, Threshold } from "../../domain/incident/condition.ts";
import type { Evidence } from "../../domain/evidence/evidence.ts";
import { firesForAny } from "../../domain/incident/firing.ts";
import { type Lease, type LeaseDecision, leaseDecision, termsOf } from "../../domain/proposal/lease.ts";
import type { ObjectChange } from "../../domain/kubernetes/manifest-edit.ts";
import { seriesOf } from "../../domain/evidence/series.ts";
import { isRecord, type RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { neededReplicas } from "../../domain/remedy/sizing.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import type { Ports } from "../../ports/ports.ts";
import { activeAlerts } from "../collect/concerns/active-alerts.ts";
import { collect } from "../collect/collect.ts";
import { loadGuardrails } from "../collect/load-guardrails.ts";

/** What is to become of a lease, and what was seen for it. */
export interface LookedAt {
  readonly decision: LeaseDecision;
  readonly evidence: readonly Evidence[];
  readonly threshold: Threshold | undefined;
  readonly condition?: Condition | undefined;
  readonly value: number | undefined;
}

/**
 * Looks at a lease whose time is up: at the number in Git, the alerts that fire now, and the metrics of the last
 * `lookbackMs`, though never further back than the begin of its term.
 */
export async function lookAtLease(lease: Lease, ports: Ports): Promise<LookedAt> {
  const { incident, remediation } = lease;
  const now = ports.clock.now();
  const lookbackMs = Math.min(ports.timings.lookbackMs, now.getTime() - Date.parse(lease.termSince));
  const over = { ...incident, alert: { ...incident.alert, status: "resolved" as const } };
  const observed = await collect(over, { ...ports, timings: { ...ports.timings, lookbackMs } });
  const { tree } = await ports.github.head();
  const guardrails = loadGuardrails(tree);
  const state = await ports.cluster.workload(remediation.workload);
  const { evidence, threshold, condition, value } = observed;
  const decision = guardrails.ok
    ? leaseDecision(termsOf(lease), {
        ...{ now, threshold, floor: guardrails.value.minReplicas },
        current: await numberInGit(tree, lease, ports),
        alertFiring: await firesFor(lease, ports),
        recent: recentOf(evidence),
        needed: state && neededFor(lease, state.replicas, evidence),
      })
    : ({ kind: "keep", because: guardrails.because } as const);
  return { decision, evidence, threshold, condition, value };
}

/** The leased field as the tip of the default branch renders it; undefined when that cannot be told. */
async function numberInGit(tree: Tree, { entry, field }: Lease, { renderer }: Ports): Promise<number | undefined> {
  const rendered = await renderer.render(tree, entry);
  if (rendered.kind === "unsupported") return undefined;
  const value = fieldOf(rendered.objects, field);
  return typeof value === "number" ? value : undefined;
}

function fieldOf(objects: readonly RenderedObject[], { object, field }: ObjectChange): unknown {
  const found: unknown = objects.find(
    ({ kind, metadata }) =>
      kind === object.kind &&
      metadata.name === object.name &&
      (metadata.namespace ?? "default") === (object.namespace || "default"),
  );
  return field.reduce(
    (node, step) =>
      isRecord(node) || Array.isArray(node) ? (node as Record<string | number, unknown>)[step] : undefined,
    found,
  );
}

/** True when any alert fires for the workload that was scaled or for the one that had hurt; undefined = nobody knows. */
export async function firesFor(
  { incident, remediation }: Pick<Lease, "incident" | "remediation">,
  ports: Pick<Ports, "alerts" | "concerns">,
): Promise<boolean | undefined> {
  return firesForAny([incident.workload, remediation.workload], await activeAlerts(ports));
}

function recentOf(evidence: readonly Evidence[]): readonly number[] {
  const metric = evidence.find(({ key }) => key === "alert-metric");
  if (metric?.finding.kind !== "series") return [];
  return metric.finding.series.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite);
}

/** Sized for the highest load that was measured, at the utilisation that every scale-up aims at. */
function neededFor({ incident, remediation }: Lease, current: number, evidence: readonly Evidence[]) {
  const about = { workload: remediation.workload, home: incident.workload };
  const used = seriesOf(evidence, { ...about, key: "cpu-used" });
  const requested = seriesOf(evidence, { ...about, key: "cpu-requested" });
  return neededReplicas({ current, used: used?.highest, requested: requested?.newest });
}
