import { describe, expect, test } from "vitest";
import type { Cause } from "../../../src/domain/root-cause/cause.ts";
import { parseGuardrails } from "../../../src/domain/guardrails/guardrails.ts";
import { remedyFor, type RemedyInput } from "../../../src/domain/remedy/remedy.ts";
import type { WorkloadState } from "../../../src/domain/kubernetes/workload-state.ts";
import { evidenceFrom, facts, level, series } from "../incident/incident-fixture.ts";

const web = { kind: "Deployment", namespace: "shop", name: "web" };
const mebi = 2 ** 20;
const state: WorkloadState = {
  ...web,
  ...{ replicas: 2, readyReplicas: 2, updatedReplicas: 2, observed: true, images: [] },
  resources: { "requests.cpu": "500m", "limits.cpu": "500m", "limits.memory": "256Mi" },
};
const measured = [
  ["cpu-used", series({ values: level(0.96) })],
  ["cpu-requested", series({ values: level(1) })],
  ["memory-used", series({ values: level(250 * mebi) })],
] as const;

function remedyOf(kind: Cause["kind"], remedies: Cause["remedies"], changes: Partial<RemedyInput> = {}, quotas = {}) {
  const guardrails = parseGuardrails({});
  if (!guardrails.ok) throw new Error("no defaults");
  const cause = { id: "c", kind, workload: web, sentence: "it hurts", confidence: 1, citing: [], remedies };
  const evidence = evidenceFrom([...measured, ["quotas", facts(quotas)]]);
  const input = { cause, state, evidence, home: web, metric: undefined, guardrails: guardrails.value, undo: undefined };
  return remedyFor({ ...input, ...changes });
}

describe("a container held back or killed by its own limit", () => {
  test("gets memory from its peak, more than it had, with the arithmetic", () => {
    expect(remedyOf("out-of-memory", ["resources"])).toMatchObject({
      remediation: {
        kind: "resources",
        change: { kind: "resources", field: "limits.memory", to: "368Mi" },
        ...{ from: "256Mi", sizing: ["peak 256Mi + 20 % or 100Mi more after an OOM kill = 368Mi"] },
      },
    });
  });

  test("gets CPU from what one replica used", () => {
    const { remediation } = remedyOf("cpu-throttled", ["resources", "scale"]) as { remediation: object };
    expect(remediation).toMatchObject({ change: { field: "limits.cpu", to: "620m" }, from: "500m" });
  });

  test("gets no more than the quota leaves to each replica, and the line says so", () => {
    const remedy = remedyOf("out-of-memory", ["resources"], {}, { "shop limits.memory": "448Mi of 512Mi" });
    expect(remedy).toMatchObject({
      remediation: { to: "288Mi", sizing: expect.arrayContaining(["quota shop: 448Mi of 512Mi"]) },
    });
  });

  test("is scaled where its limit is not known and that helps too", () => {
    const unset = { state: { ...state, resources: {} } };
    expect(remedyOf("cpu-throttled", ["resources", "scale"], unset)).toMatchObject({ remediation: { kind: "scale" } });
    expect(remedyOf("out-of-memory", ["resources"], unset)).toMatchObject({ kind: "none" });
  });

  test("follows the field and the headroom that a runbook names", () => {
    const resize = { field: "limits.memory", headroom: 1 } as const;
    expect(remedyOf("out-of-memory", ["resources"], { resize })).toMatchObject({ remediation: { to: "512Mi" } });
  });
});

describe("replicas under a quota", () => {
  test("are never more than it lets in, and the line says so", () => {
    const remedy = remedyOf("saturated", ["scale"], {}, { "shop requests.cpu": "1500m of 2" });
    expect(remedy).toMatchObject({
      remediation: { to: "3", sizing: expect.arrayContaining([expect.stringContaining("room for 1 more pods")]) },
    });
  });

  test("are not proposed where it lets none in", () => {
    const remedy = remedyOf("saturated", ["scale"], {}, { "shop pods": "40 of 40" });
    expect(remedy).toMatchObject({ kind: "none", because: expect.stringContaining("room for 0 more pods") });
  });
});
