import { describe, expect, test } from "vitest";
import type { Alert } from "../../../src/domain/incident/alert.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { endLease } from "../../../src/flow/workflows/end-lease.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { Refused, Unavailable } from "../../../src/ports/errors.ts";
import type { Run } from "../../../src/ports/workflow.ts";
import { anAlert } from "../../builders.ts";
import { aLease, begun } from "../../lease.ts";
import { gatePorts } from "../../plan.ts";
import { aDeployment } from "../../policies.ts";
import { concernsIn } from "../../concerns.ts";
import { aRule } from "../../rule.ts";

interface World {
  readonly replicas?: number;
  readonly latency?: number;
  readonly cores?: number;
  readonly active?: readonly Alert[];
  readonly guardrails?: object;
  /** Why no proposal may be opened now. */
  readonly capped?: string;
  readonly lookbackMs?: number;
}

const now = new Date(begun.getTime() + 61 * 60_000);

function worldOf(world: World) {
  const told: string[] = [];
  const asked: Date[] = [];
  const path = "apps/web.yaml";
  const rules = { namespaces: ["shop-production"], leases: { duration: "1h" }, ...world.guardrails };
  const text = JSON.stringify(aDeployment("web", { replicas: world.replicas ?? 4 }));
  const tree = treeOf({ [path]: text, ".github/rectify.yml": JSON.stringify(rules) });
  const away = async () => {
    throw new Unavailable("not asked here");
  };
  const base = gatePorts({});
  const ports = {
    ...base,
    github: { head: async () => ({ sha: "b".repeat(40), tree }), at: async () => tree, commitsSince: away },
    cluster: {
      workload: async () => ({ ...aLease().remediation.workload, replicas: 4, images: [] }),
      surroundings: away,
      entryOf: async () => ({ tool: "plain", path: "apps" }),
      appliedRevision: away,
    },
    metrics: {
      ruleOf: async ({ name }: { name: string }) => aRule(name, "latency > 0.5"),
      range: async (query: string, from: Date) => {
        if (!query.includes("ALERTS")) asked.push(from);
        const value =
          query === "latency"
            ? (world.latency ?? 0.1)
            : query.includes("cpu_usage")
              ? (world.cores ?? 0.3)
              : query.includes('resource="cpu"')
                ? 1
                : undefined;
        const points = value === undefined ? [] : [[now.getTime() / 1000, value]];
        return { series: [{ labels: { namespace: "shop-production", deployment: "web" }, points }], notes: [] };
      },
    },
    logs: undefined,
    alerts: { active: async () => world.active ?? [] },
    concerns: concernsIn(),
    queue: {
      ask: async () => (world.capped === undefined ? { kind: "open" } : { kind: "listed", because: world.capped }),
      leave: async () => undefined,
    },
    leases: {
      end: async (_uid: string, because: string) => void told.push(`end: ${because}`),
      renew: async (_uid: string, renewal: object) => void told.push(`renew: ${JSON.stringify(renewal)}`),
    },
    records: { ...base.records, mergesSince: async () => [], alertsOf: async () => [anAlert({ status: "resolved" })] },
    changes: { settle: async () => void told.push("settled") },
    clock: { now: () => now },
    withTimeout: (_: number, work: Promise<unknown>) => work,
    timings: {
      pollMs: 1_000,
      lookbackMs: world.lookbackMs ?? 30 * 60_000,
      rateWindow: "5m",
      historyMs: 3_600_000,
      selfHealMs: 1,
    },
  } as unknown as Ports;
  const run = {
    timings: { pollMs: 1 },
    step: async (_name: string, work: (ports: Ports) => Promise<unknown>) => work(ports),
    few: (_severity: string, work: () => Promise<unknown>) => work(),
    message: async () => undefined,
  } as unknown as Run;
  return { run, told, asked, ports };
}

async function ended(world: World, lease = aLease()) {
  const { run, told } = worldOf(world);
  await endLease(lease, run);
  return told;
}

const renewed = (because: RegExp) => [expect.stringMatching(new RegExp(`^renew: .*${because.source}`))];

describe("a lease whose time is up", () => {
  test.each<[string, World, RegExp]>([
    ["the metric is near its limit", { latency: 0.4 }, /too near to its limit of 0.5/],
    ["the number before would not serve the load", { cores: 0.5 }, /2 would not serve the load: CPU 0.5 of 1/],
    ["an alert fires for the workload", { active: [anAlert()] }, /not known to be free of alerts/],
    ["another alert of the workload fires", { active: [anAlert({ name: "HighErrorRate" })] }, /free of alerts/],
  ])("is renewed when %s", async (_, world, because) => {
    expect(await ended(world)).toEqual(renewed(because));
  });

  test("is renewed for its whole duration, with a term of its own", async () => {
    const [line = ""] = await ended({ latency: 0.4 });
    expect(JSON.parse(line.slice("renew: ".length))).toMatchObject({
      ...{ renewals: 1, latestPull: 7, termSince: now.toISOString(), expires: "2026-11-24T05:01:00.000Z" },
    });
  });

  test.each<[string, World, RegExp]>([
    ["the caps leave no room", { capped: "5 pull requests are open (maxOpenPulls)" }, /5 pull requests are open/],
  ])("is looked at again after a tenth of its duration when %s", async (_, world, because) => {
    const [line = ""] = await ended(world);
    expect(line).toMatch(because);
    expect(line).toContain('"expires":"2026-11-24T04:07:00.000Z"');
  });

  test("is renewed while the guardrails cannot be read", async () => {
    expect(await ended({ guardrails: { maxReplica: 3 } })).toEqual(renewed(/the guardrails are invalid/));
  });

  test("is over, and its cost is no longer ours, when a person changed the number", async () => {
    expect(await ended({ replicas: 6 })).toEqual(["end: Git asks for 6 now, not for the leased 4", "settled"]);
  });

  test("is kept when GitHub refuses a step for good", async () => {
    const { run, told } = worldOf({});
    const refusing = {
      ...run,
      step: async (name: string, work: never) => (name === "plan" ? refuse() : run.step(name, work)),
    };
    await endLease(aLease(), refusing as Run);
    expect(told).toEqual(renewed(/the repository is archived/));
  });

  test.each([
    [10 * 60_000, 10],
    [24 * 3_600_000, 61],
  ])("is measured over %i ms at most, and never before its term: %i minutes", async (lookbackMs, minutes) => {
    const { run, asked } = worldOf({ lookbackMs, latency: 0.4 });
    await endLease(aLease(), run);
    expect(Math.min(...asked.map((from) => from.getTime()))).toBe(now.getTime() - minutes * 60_000);
  });
});

async function refuse(): Promise<never> {
  throw new Refused("the repository is archived");
}
