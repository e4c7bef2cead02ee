import type { ObjectChange } from "../src/domain/kubernetes/manifest-edit.ts";
import { notEvaluated, type PolicyEngine, type PolicyResult } from "../src/domain/gate/policy-report.ts";
import { isRecord, objectKey, type RenderedObject } from "../src/domain/kubernetes/rendered.ts";
import type { RevertedChange } from "../src/domain/gate/repetition.ts";
import { treeOf } from "../src/domain/kubernetes/tree.ts";
import type { ChangeRequest } from "../src/flow/gate/change-request.ts";
import type { Plan } from "../src/flow/plan/plan.ts";
import { pastFiles } from "../src/lab/forge/git/past.ts";
import type { Ports } from "../src/ports/ports.ts";
import { anIncident } from "./builders.ts";
import { aDeployment, ourPolicies } from "./policies.ts";

const workload = { kind: "Deployment", namespace: "shop-production", name: "web" };
const path = "apps/web.yaml";

/** A plan that scales web from 2, in one file. */
export function aPlan(to: number, changes: Partial<Plan> = {}): Plan {
  const change: ObjectChange = {
    object: { apiVersion: "apps/v1", ...workload },
    field: ["spec", "replicas"],
    from: 2,
    to,
  };
  return {
    kind: "change",
    remediation: { kind: "scale", workload, change: { kind: "replicas", to }, from: "2", to: String(to), sizing: [] },
    live: { ...workload, replicas: 2 },
    entry: { tool: "flux", path: "apps" },
    baseSha: "b".repeat(40),
    files: [{ path, before: fileOf(2), after: fileOf(to) }],
    owners: [],
    warnings: [],
    effect: { changes: [change], hash: "e", proof: { kind: "rendered", with: "a test" } },
    ...changes,
  };
}

/** a change with agreeing opinions: only what a test changes raises its risk. */
export function aCase(changes: Partial<ChangeRequest> = {}): ChangeRequest {
  return {
    incident: anIncident(),
    evidence: [],
    cause: { sentence: "web is saturated", citing: ["E1"] },
    limit: undefined,
    witnesses: "agree",
    taintedOnly: false,
    precedents: [],
    closesWhenResolved: true,
    ...changes,
  } as ChangeRequest;
}

function fileOf(replicas: number): string {
  return JSON.stringify(aDeployment("web", { replicas }));
}

export interface GateWorld {
  readonly guardrails?: object;
  readonly policies?: PolicyEngine | undefined;
  readonly now?: string;
  /** How often the alert began to fire within the hour. */
  readonly cycles?: number;
  /** Incidents whose post-mortems people disputed. */
  readonly withdrawn?: readonly string[];
  /** What merged changes reserve already; unknown when absent. */
  readonly revertedChanges?: readonly RevertedChange[];
  readonly reserved?: readonly { readonly cpuCores: number; readonly memoryBytes: number }[];
  /** Verified successes of scaling web that Git holds, sealed and counted; three when absent. */
  readonly past?: number;
  /** Files in place of those of the repository, and post-mortems that no pull request carried yet. */
  readonly files?: Readonly<Record<string, string>>;
  readonly pending?: Readonly<Record<string, string>>;
}

export const sealKey = "a key for tests only";

/** The ports that the gate asks. Rendering parses the file, which holds one object. */
export function gatePorts({
  guardrails,
  policies,
  now,
  past,
  files: more,
  pending,
  reserved,
  revertedChanges,
  cycles,
  withdrawn,
}: GateWorld): Ports {
  const rules = { namespaces: ["shop-production"], autoMerge: "low-risk", requiredChecks: [{ name: "ci", app: 1 }] };
  const files = Object.fromEntries(ourPolicies().map((file) => [file.path, file.content]));
  const tree = treeOf({
    ...files,
    ...pastFiles(past ?? 3, new Date("2026-11-24T00:00:00Z"), sealKey),
    ...more,
    [path]: fileOf(2),
    ".github/rectify.yml": JSON.stringify({ ...rules, ...guardrails }),
  });
  const used = {
    github: { at: async () => tree },
    renderer: {
      render: async (of: typeof tree) => {
        const objects = [JSON.parse(new TextDecoder().decode(of.read(path))) as RenderedObject];
        return { kind: "rendered", with: "a test", objects };
      },
    },
    policies,
    sealKey,
    changes: { reservedIn: async () => reserved, revertedChanges: async () => revertedChanges ?? [] },
    records: {
      changesSince: async () => 0,
      parkedSince: async () => [],
      openIncidents: async () => [],
      withdrawals: async () => (withdrawn ?? []).map((incident) => ({ incident })),
      firingsSince: async () => cycles ?? 1,
      pendingFiles: async () => Object.entries(pending ?? {}).map(([at, content]) => ({ path: at, content })),
    },
    clock: { now: () => new Date(now ?? "2026-11-24T03:00:00Z") },
    telemetry: { log: () => undefined },
  };
  return used as unknown as Ports;
}

/** An engine with one rule: no object has more replicas than this. */
export function ceiling(most: number): PolicyEngine {
  return {
    judge: async ({ objects }) => {
      const results = objects.map((object): PolicyResult => {
        const replicas = isRecord(object.spec) ? Number(object.spec.replicas) : 0;
        const result = replicas > most ? "fail" : "pass";
        const said = { message: `at most ${most}`, validation: 0, severity: undefined, audit: false };
        return { policy: "ceiling", object: objectKey(object), result, ...said };
      });
      const failures = results.filter((result) => result.result === "fail");
      if (failures.length > 0) return { kind: "refused", failures, results, notEvaluated: [] };
      return { kind: "passed", results, notEvaluated: [] };
    },
  };
}

/** An engine that never reaches a verdict. */
export const speechless: PolicyEngine = { judge: async () => notEvaluated("no answer within 60 s") };
