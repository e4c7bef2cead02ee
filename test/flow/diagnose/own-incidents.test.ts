import { describe, expect, test } from "vitest";
import type { Evidence } from "../../../src/domain/evidence/evidence.ts";
import { diagnose } from "../../../src/flow/diagnose/diagnose.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { evidenceFrom, incidentOf, level, series, step, web } from "../../domain/incident/incident-fixture.ts";
import { portsOf } from "../../injection/incident.ts";

const incident = incidentOf();
const api = { ...web, name: "api" };
const call = (deployment: string, callee: string) => ({ namespace: "shop", deployment, dst_deployment: callee });
const of = (deployment: string, metric?: string) => ({ namespace: "shop", deployment, ...(metric ? { metric } : {}) });

interface World {
  /** Whether a call from web to api was seen; others were in any case. */
  readonly calls: boolean;
  /** Cores that web uses of the one that it requests. */
  readonly web?: number;
  /** Whether api has an incident of its own. */
  readonly alerts: boolean;
}

/** web alerts; api is far slower than ever, and at its CPU request. */
function evidence({ calls, web: used = 0.2 }: World): Evidence[] {
  return evidenceFrom([
    ["calls", series({ labels: calls ? call("web", "api") : call("web", "cache"), values: level(9) })],
    [
      "node-metrics",
      series(
        { labels: of("web", "latency"), values: level(0.4) },
        { labels: of("api", "latency"), values: step(0.05, 0.8) },
        { labels: of("cache", "latency"), values: level(0.01) },
      ),
    ],
    ["cpu-used", series({ labels: of("web"), values: level(used) }, { labels: of("api"), values: level(0.97) })],
    ["cpu-requested", series({ labels: of("web"), values: level(1) }, { labels: of("api"), values: level(1) })],
  ]);
}

async function diagnosed(world: World) {
  const held = portsOf("proven", undefined, { model: undefined, random: () => "r", publish: () => undefined });
  const own = world.alerts ? [{ incident: { ...incident, workload: api, uid: "api-1" } }] : [];
  const asked: unknown[] = [];
  const openIncidents = async (cluster: string, workloads: readonly string[]) => {
    asked.push([cluster, workloads]);
    return own;
  };
  const cluster = { ...held.cluster, workload: async () => ({ ...stateOf, replicas: 2 }) } as Ports["cluster"];
  const ports = { ...held, cluster, records: { ...held.records, openIncidents } };
  const observed = {
    evidence: evidence(world),
    threshold: undefined,
    value: undefined,
    selfHealing: { kind: "unknown", because: "" },
  } as const;
  return { diagnosis: await diagnose(incident, observed, [], ports), asked };
}

const stateOf = { ...api, replicas: 2, readyReplicas: 2, updatedReplicas: 2, observed: true, images: [] };

describe("a workload that has an incident of its own", () => {
  test("is no cause where no call to it was seen: the next one is", async () => {
    const { diagnosis, asked } = await diagnosed({ calls: false, web: 0.95, alerts: true });
    expect(asked).toEqual([["production", ["shop/Deployment/api"]]]);
    expect(diagnosis).toMatchObject({ kind: "diagnosed", cause: { kind: "saturated", workload: web } });
    if (diagnosis.kind === "abstained") throw new Error(diagnosis.because);
    expect(diagnosis.causes.map(({ workload }) => workload.name)).toEqual(["web"]);
    expect(diagnosis.secondWitness.notes).toContain(
      "Deployment api was set aside: no call from web to it was seen, and it has an incident of its own (api-1)",
    );
  });

  test("leaves nothing to name where nothing else stands out", async () => {
    const { diagnosis } = await diagnosed({ calls: false, alerts: true });
    expect(diagnosis).toMatchObject({ kind: "abstained", because: expect.stringContaining("(api-1)") });
  });

  test("stays the cause where it is called, and is changed by its own incident", async () => {
    const { diagnosis } = await diagnosed({ calls: true, alerts: true });
    expect(diagnosis).toMatchObject({ kind: "diagnosed", cause: { workload: api } });
    expect(diagnosis).toMatchObject({
      remedy: { kind: "none", because: expect.stringContaining("api has an incident of its own, api-1") },
    });
  });
});

describe("a workload without one", () => {
  test("is changed where it is called", async () => {
    const { diagnosis } = await diagnosed({ calls: true, alerts: false });
    expect(diagnosis).toMatchObject({ kind: "diagnosed", remedy: { kind: "change" } });
    expect(diagnosis).not.toMatchObject({ needsPerson: expect.arrayContaining([expect.stringContaining("no call")]) });
  });

  test("is changed by a person only where no call to it was seen", async () => {
    const { diagnosis } = await diagnosed({ calls: false, alerts: false });
    expect(diagnosis).toMatchObject({ kind: "diagnosed", cause: { workload: api }, remedy: { kind: "change" } });
    expect(diagnosis).toMatchObject({ needsPerson: expect.arrayContaining(["no call from web to api was seen"]) });
  });
});
