import { evidenceOf } from "../../src/domain/evidence/evidence.ts";
import type { ProposalBody } from "../../src/domain/proposal/body/proposal-body.ts";
import { anIncident } from "../builders.ts";

/** A body to render; `said` stands wherever others can write. */
export function aProposalBody(said = "web answers slowly"): ProposalBody {
  const alert = { name: said.slice(0, 60), annotations: { summary: said } };
  const workload = { kind: "Deployment", namespace: "shop-production", name: "web" };
  const time = { from: "2026-11-24T01:30:00Z", to: "2026-11-24T02:00:00Z" };
  return {
    incident: anIncident(alert),
    evidence: [
      evidenceOf("E1", {
        ...{ source: "loki", title: said, query: `{app="web"} |= "${said}"` },
        ...time,
        finding: { kind: "text", lines: [said, `second ${said}`], notes: [said] },
      } as never),
      evidenceOf("E2", {
        ...{ source: "kubernetes", title: "events", query: "events" },
        ...time,
        finding: { kind: "facts", facts: { [said.slice(0, 20)]: said }, notes: [] },
      } as never),
    ],
    cause: { sentence: said, citing: ["E1"] },
    remediation: {
      kind: "scale",
      workload,
      change: { kind: "replicas", to: 5 },
      from: "2",
      to: "5",
      sizing: [said],
    } as ProposalBody["remediation"],
    owners: [{ path: "apps/web.yaml", field: "spec.replicas", because: said }],
    warnings: [said],
    effect: {
      changes: [{ object: { apiVersion: "apps/v1", ...workload }, field: ["spec", "replicas"], from: 2, to: 5 }],
      hash: "e".repeat(64),
      proof: { kind: "rendered", with: "kustomize" },
    },
    risk: { level: "low", reasons: [said] },
    policy: said,
    selfMergeLacks: [said],
    chart: undefined,
  };
}
