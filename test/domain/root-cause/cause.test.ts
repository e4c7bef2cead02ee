import { describe, expect, test } from "vitest";
import type { Cause } from "../../../src/domain/root-cause/cause.ts";
import { diagnoseSignals } from "../../../src/domain/root-cause/diagnose-signals.ts";
import type { Signals } from "../../../src/domain/root-cause/signal-values.ts";
import { web } from "../incident/incident-fixture.ts";

const alert = { value: { name: "A", startedAt: "2026-01-02T10:20:00Z", predictive: false }, from: ["E1"] };
const calm: Signals = { workload: web, alert, load: {}, downstream: [], missing: [], unanswered: [] };
const cited = <T>(value: T, ...from: string[]) => ({ value, from: from.length > 0 ? from : ["E9"] });
const sha = "a".repeat(40);
const commit = (at: string, what: "image" | "replicas" | "config" | "resources" = "image", id = sha) => ({
  sha: id,
  at,
  what,
});
const catalog = { kind: "Deployment", namespace: "shop", name: "catalog" };
const located = { because: ["latency 0.9 instead of 0.1"], from: ["E4"], link: false };
const behind = (confidence: number, load: Signals["load"]) => ({ ...located, workload: catalog, confidence, load });

function causesOf(signals: Partial<Signals>): readonly Cause[] {
  const diagnosis = diagnoseSignals({ ...calm, ...signals });
  return diagnosis.kind === "diagnosed" ? diagnosis.causes : [];
}

describe("one signal, one cause", () => {
  test.each<[string, Partial<Signals>, Cause["kind"], readonly string[]]>([
    ["CPU near the request", { load: { utilisation: cited(0.95) } }, "saturated", ["scale"]],
    [
      "a trend that will fill the CPU",
      { alert: { ...alert, value: { ...alert.value, predictive: true } } },
      "saturation-predicted",
      ["scale"],
    ],
    ["throttled periods", { load: { throttling: cited(0.4) } }, "cpu-throttled", ["resources", "scale"]],
    ["containers killed for memory", { load: { oomKills: cited(2) } }, "out-of-memory", ["resources"]],
    [
      "an image changed just before",
      { changes: cited([commit("2026-01-02T10:18:00Z")]) },
      "bad-change",
      ["revert-commit", "image-rollback"],
    ],
    [
      "a setting changed just before",
      { changes: cited([commit("2026-01-02T10:18:00Z", "config")]) },
      "bad-change",
      ["revert-commit"],
    ],
    ["full memory and restarts", { load: { memory: cited(0.97), restarts: cited(3) } }, "out-of-memory", ["resources"]],
    ["refused pods", { quota: cited(3) }, "quota-exhausted", []],
    [
      "the autoscaler's ceiling under load",
      { load: { utilisation: cited(0.85), autoscaler: cited({ replicas: 5, max: 5 }) } },
      "autoscaler-at-max",
      ["scale"],
    ],
    ["a service behind it", { downstream: [behind(0.8, { utilisation: cited(1.1) })] }, "downstream", ["scale"]],
  ])("%s", (_, signals, kind, remedies) => {
    const [first] = causesOf(signals);
    expect(first).toMatchObject({ kind, remedies });
    expect(first?.citing.length).toBeGreaterThan(0);
    expect(first?.confidence).toBeGreaterThan(0);
    expect(first?.confidence).toBeLessThanOrEqual(1);
  });

  test.each<[string, Partial<Signals>]>([
    ["nothing", {}],
    ["CPU with room", { load: { utilisation: cited(0.5), throttling: cited(0.05), oomKills: cited(0) } }],
    [
      "the autoscaler's ceiling without load",
      { load: { utilisation: cited(0.7), autoscaler: cited({ replicas: 5, max: 5 }) } },
    ],
    ["full memory without a restart", { load: { memory: cited(0.97), restarts: cited(0) } }],
    ["restarts with counted kills of none", { load: { memory: cited(0.97), restarts: cited(3), oomKills: cited(0) } }],
    ["no refused pod", { quota: cited(0) }],
    ["a change long before", { changes: cited([commit("2026-01-02T08:00:00Z")]) }],
    ["a change after it began", { changes: cited([commit("2026-01-02T10:25:00Z")]) }],
    ["a change without a readable time", { changes: cited([commit("soon")]) }],
  ])("abstains with a reason: %s", (_, signals) => {
    expect(diagnoseSignals({ ...calm, ...signals })).toMatchObject({
      kind: "abstained",
      because: expect.stringContaining("shop/Deployment/web"),
    });
  });

  test("an abstention lists what was not known", () => {
    expect(diagnoseSignals({ ...calm, missing: ["CPU used"] })).toMatchObject({
      because: expect.stringContaining("not known: CPU used"),
    });
  });
});

describe("several signals", () => {
  const hot = { utilisation: cited(0.95) };
  const justChanged = cited([commit("2026-01-02T10:19:30Z")]);

  test.each<[string, Partial<Signals>, Cause["kind"]]>([
    ["a fresh change before the load that it made", { load: hot, changes: justChanged }, "bad-change"],
    ["the load when the traffic rose as well", { load: hot, changes: justChanged, traffic: cited(2) }, "saturated"],
    [
      "the load before a change of half an hour ago",
      { load: hot, changes: cited([commit("2026-01-02T09:55:00Z")]) },
      "saturated",
    ],
    ["memory before CPU", { load: { ...hot, oomKills: cited(1) } }, "out-of-memory"],
    ["the quota before all", { load: hot, changes: justChanged, quota: cited(1) }, "quota-exhausted"],
    [
      "what has come true before what was predicted",
      { load: hot, alert: { ...alert, value: { ...alert.value, predictive: true } } },
      "saturated",
    ],
    [
      "what was predicted before an unusual value that explains nothing",
      {
        own: { ...located, workload: web, confidence: 0.97 },
        alert: { ...alert, value: { ...alert.value, predictive: true } },
      },
      "saturation-predicted",
    ],
    [
      "a saturated callee before a warm caller",
      { load: { utilisation: cited(0.82) }, downstream: [behind(0.9, hot)] },
      "downstream",
    ],
    [
      "the alerting workload's own saturation before a stranger that is off",
      { load: hot, downstream: [{ ...behind(0.6, {}), stranger: true }] },
      "saturated",
    ],
  ])("%s", (_, signals, kind) => expect(causesOf(signals)[0]?.kind).toBe(kind));

  test("a commit counts from its rollout on", () => {
    const late = { changes: cited([commit("2026-01-02T09:40:00Z")]), rollouts: cited(["2026-01-02T10:19:00Z"], "E7") };
    expect(causesOf(late)[0]).toMatchObject({ kind: "bad-change", commit: sha, citing: ["E9", "E7", "E1"] });
  });

  test("two commits that fit equally leave a doubt", () => {
    const one = causesOf({ changes: justChanged })[0]?.confidence ?? 0;
    const two = causesOf({
      changes: cited([...justChanged.value, commit("2026-01-02T10:19:00Z", "image", "b".repeat(40))]),
    });
    expect(two[0]?.confidence).toBeLessThan(one);
  });

  test("each missing source lowers the confidence", () => {
    const [sure] = causesOf({ load: hot });
    const [unsure] = causesOf({ load: hot, missing: ["events", "commits"] });
    expect(unsure?.confidence).toBeCloseTo((sure?.confidence ?? 0) * 0.81, 2);
  });

  test("the remedy of a cause downstream goes to the workload downstream", () => {
    const [first] = causesOf({
      downstream: [behind(0.8, { oomKills: cited(1, "E5") })],
    });
    expect(first).toMatchObject({ workload: catalog, remedies: ["resources"], citing: ["E4", "E5"] });
    expect(first?.sentence).toContain("arises in catalog, which web depends on");
  });

  test("nothing is said to depend on what it was never seen to call", () => {
    const [first] = causesOf({ downstream: [{ ...behind(0.8, {}), stranger: true }] });
    expect(first?.sentence).toContain("arises in catalog, though no call from web to it was seen");
  });

  test("ids are unique", () => {
    const causes = causesOf({
      load: { ...hot, throttling: cited(0.5), oomKills: cited(1) },
      changes: justChanged,
      quota: cited(1),
    });
    expect(new Set(causes.map(({ id }) => id)).size).toBe(causes.length);
    expect(causes.length).toBeGreaterThan(4);
  });
});

describe("a service behind it that a commit changed just before", () => {
  const suspect = (object: string) => ({
    ...{ sha, at: "2026-01-02T10:18:00Z" },
    parts: [{ relation: "other" as const, object, aspects: ["configuration" as const] }],
  });

  test("is the cause together with that commit, which can be reverted", () => {
    const signals = { downstream: [behind(0.8, {})], suspects: cited([suspect("Deployment/catalog")]) };
    const first = causesOf(signals).find(({ kind }) => kind === "downstream");
    expect(first).toMatchObject({ commit: sha, remedies: ["revert-commit"], workload: catalog });
    expect(first?.confidence).toBeGreaterThan(0.8);
  });

  test("is not, where the commit changed something else", () => {
    const signals = { downstream: [behind(0.8, {})], suspects: cited([suspect("Deployment/payments")]) };
    const first = causesOf(signals).find(({ kind }) => kind === "downstream");
    expect(first).toMatchObject({ remedies: [], confidence: 0.8 });
    expect(first?.commit).toBeUndefined();
  });
});

describe("a commit on what stands around a service that it calls", () => {
  const part = (object: string) => ({ relation: "other" as const, object, aspects: ["network-policy" as const] });
  const unreachable = { kind: "unreachable" as const, from: ["E5"], texts: ["i/o timeout"] };
  const about = (object: string): Partial<Signals> => ({
    ...{ symptoms: [unreachable], callees: new Set(["Deployment/catalog"]) },
    suspects: cited([{ sha, at: "2026-01-02T10:18:00Z", parts: [part(object)] }]),
  });

  test.each(["NetworkPolicy/catalog", "NetworkPolicy/deny-catalog"])("%s comes before a mere sign", (object) => {
    expect(causesOf(about(object))[0]).toMatchObject({ commit: sha, remedies: ["revert-commit"] });
  });

  test("what is named after nothing that it calls does not", () => {
    expect(causesOf(about("NetworkPolicy/catalogue"))[0]?.commit).toBeUndefined();
  });
});

describe("a commit that explains what the pods show", () => {
  const rolledOut = (at: string): Partial<Signals> => ({
    symptoms: [{ kind: "image-pull", from: ["E5"], texts: ["Back-off pulling image"] }],
    suspects: cited([{ sha, at, parts: [{ relation: "self", object: "Deployment/web", aspects: ["image"] }] }]),
  });
  const first = (at: string) => causesOf(rolledOut(at))[0];

  test("comes before the bare sign, also where a series of coarse points dates the change point before it", () => {
    expect(first("2026-01-02T10:20:01Z")).toMatchObject({ commit: sha, remedies: ["revert-commit"] });
    expect(first("2026-01-02T10:20:30Z")).toMatchObject({ commit: sha });
  });

  test("is believed less, the longer after the change point it came, and not at all in the end", () => {
    expect(first("2026-01-02T10:21:59Z")?.commit).toBeUndefined();
    expect(causesOf(rolledOut("2026-01-02T10:22:30Z")).every(({ commit: named }) => named === undefined)).toBe(true);
  });
});
