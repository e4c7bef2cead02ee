import { describe, expect, test } from "vitest";
import { diagnoseSignals } from "../../../src/domain/root-cause/diagnose-signals.ts";
import type { EvidenceKey, Finding } from "../../../src/domain/evidence/evidence.ts";
import { signalsOf } from "../../../src/domain/root-cause/signals.ts";
import { at, evidenceFrom, facts, incidentOf, level, series, step, text, web } from "../incident/incident-fixture.ts";

type Item = readonly [EvidenceKey, Finding];
const sha = "0123456789abcdef0123456789abcdef01234567";
const alert: Item = ["alert", facts({ alertname: "HighRequestLatency" })];
const state: Item = [
  "workload-state",
  facts({ replicas: 2, readyReplicas: 2, updatedReplicas: 2, observed: true, images: "web:1" }),
];
const calmCpu: readonly Item[] = [
  ["cpu-used", series({ values: level(0.4) })],
  ["cpu-requested", series({ values: level(1) })],
];
const noCommits: Item = ["commits", facts({})];
const noEvents: Item = ["events", text()];

function diagnosed(items: readonly Item[], incident = incidentOf()) {
  const diagnosis = diagnoseSignals(signalsOf(incident, evidenceFrom(items)));
  return diagnosis.kind === "diagnosed" ? diagnosis.causes : [];
}

describe("the scenarios of the lab", () => {
  test("bad-deploy: a commit changed the image and errors began right after: that commit is the cause", () => {
    const [first] = diagnosed(
      [
        alert,
        state,
        ["alert-metric", series({ values: step(0.001, 0.3) })],
        ["error-share", series({ values: step(0.001, 0.3) })],
        ["requests", series({ values: level(50) })],
        ...calmCpu,
        ["commits", facts({ [sha]: `${at(17)} image` })],
        ["rollouts", facts({ "revision 7": at(18.5) })],
        noEvents,
      ],
      incidentOf({ name: "HighErrorRate" }),
    );
    expect(first).toMatchObject({
      kind: "bad-change",
      commit: sha,
      workload: web,
      remedies: ["revert-commit", "image-rollback"],
    });
    expect(first?.citing).toEqual(expect.arrayContaining(["E8", "E9"]));
  });

  test("noisy-neighbour: the alerting workload waits for a saturated one: the remedy goes there", () => {
    const of = (deployment: string) => ({ namespace: "shop", deployment });
    const pair = (from: string, to: string) => ({ ...of(from), dst_deployment: to, dst_namespace: "shop" });
    const [first] = diagnosed([
      alert,
      state,
      ["alert-metric", series({ values: step(0.2, 1.2) })],
      [
        "cpu-used",
        series({ labels: of("web"), values: level(0.4) }, { labels: of("catalog"), values: step(0.5, 1.9) }),
      ],
      ["cpu-requested", series({ labels: of("web"), values: level(1) }, { labels: of("catalog"), values: level(2) })],
      [
        "calls",
        series(
          { labels: pair("web", "catalog"), values: level(40) },
          { labels: pair("web", "payments"), values: level(9) },
        ),
      ],
      [
        "node-metrics",
        series(
          { labels: { ...of("web"), metric: "latency" }, values: step(0.2, 1.2) },
          { labels: { ...of("catalog"), metric: "latency" }, values: step(0.05, 1.1) },
          { labels: { ...of("payments"), metric: "latency" }, values: level(0.1) },
          { labels: { ...of("web"), metric: "requests" }, values: level(50) },
          { labels: { ...of("catalog"), metric: "requests" }, values: level(50) },
          { labels: { ...of("payments"), metric: "requests" }, values: level(10) },
        ),
      ],
      noCommits,
      noEvents,
    ]);
    expect(first).toMatchObject({ kind: "downstream", workload: { ...web, name: "catalog" }, remedies: ["scale"] });
    expect(first?.sentence).toContain("arises in catalog, which web depends on");
  });

  test("a change of the workload behind it is the reason: the revert goes there", () => {
    const of = (deployment: string, more: Record<string, string> = {}) => ({ namespace: "shop", deployment, ...more });
    const [first] = diagnosed([
      ["alert-metric", series({ values: step(0.2, 1.2) })],
      ["calls", series({ labels: of("web", { dst_deployment: "catalog" }), values: level(40) })],
      [
        "node-metrics",
        series(
          { labels: of("web", { metric: "latency" }), values: step(0.2, 1.2) },
          { labels: of("catalog", { metric: "latency" }), values: step(0.1, 1.1) },
        ),
      ],
      ["commits", facts({ [sha]: `${at(18)} image shop/Deployment/catalog` })],
    ]);
    expect(first).toMatchObject({
      kind: "downstream",
      workload: { name: "catalog" },
      commit: sha,
      remedies: ["revert-commit", "image-rollback"],
    });
  });

  test("quota: pods are refused for want of quota: there is no remedy", () => {
    const refusal =
      'Warning FailedCreate web-5d4f9c: pods "web-5d4f9c-" is forbidden: exceeded quota: compute, requested: cpu=1';
    const [first] = diagnosed([alert, state, ...calmCpu, noCommits, ["events", text(refusal, refusal)]]);
    expect(first).toMatchObject({ kind: "quota-exhausted", remedies: [], citing: ["E6"] });
  });

  test("predictive: the alert is about a trend: scale before it hurts", () => {
    const rule = { query: "predict_linear(deployment:cpu_use:ratio[10m], 900)", comparison: ">", limit: 0.9 };
    const [first] = diagnosed(
      [
        alert,
        ["alert-rule", facts(rule)],
        state,
        ["cpu-used", series({ values: level(0.65) })],
        ["cpu-requested", series({ values: level(1) })],
        noCommits,
        noEvents,
      ],
      incidentOf({ name: "PredictiveSaturation" }),
    );
    expect(first).toMatchObject({
      kind: "saturation-predicted",
      remedies: ["scale"],
      citing: expect.arrayContaining(["E1", "E2"]),
    });
  });
});

describe("reading evidence", () => {
  const read = (...items: Item[]) => signalsOf(incidentOf(), evidenceFrom(items));

  test("utilisation is the newest use by the newest request, and cites both", () => {
    const signals = read(["cpu-used", series({ values: [0.1, 0.9] })], ["cpu-requested", series({ values: [2, 1] })]);
    expect(signals.load.utilisation).toEqual({ value: 0.9, from: ["E1", "E2"] });
  });

  test("memory is the highest use by the limit", () => {
    const signals = read(
      ["memory-used", series({ values: [90, 99, 10] })],
      ["memory-limit", series({ values: [100] })],
    );
    expect(signals.load.memory?.value).toBe(0.99);
  });

  test.each([
    ["another workload", { namespace: "shop", deployment: "api" }],
    ["the same name in another namespace", { namespace: "data", deployment: "web" }],
    ["a pod of nobody", { namespace: "shop", pod: "debug" }],
    ["another namespace", { namespace: "data" }],
  ])("series of %s are not ours", (_, labels) => {
    const other = series({ labels, values: step(0, 9) });
    const signals = read(["oom-kills", other], ["error-share", other]);
    expect([signals.load.oomKills, signals.changePoint]).toEqual([undefined, undefined]);
  });

  test("traffic is compared before and after the change point", () => {
    const signals = read(
      ["error-share", series({ values: step(0, 0.5) })],
      ["requests", series({ values: step(10, 20) })],
    );
    expect(signals.changePoint?.value).toBe(at(20));
    expect(signals.traffic?.value).toBeCloseTo(2, 1);
  });

  test("the autoscaler's ceiling comes from the state of the workload", () => {
    const signals = read(["workload-state", facts({ replicas: 5, autoscaler: "HPA/web", autoscalerMax: 5 })]);
    expect(signals.load.autoscaler?.value).toEqual({ replicas: 5, max: 5 });
  });

  test.each([
    ["another object", "Warning FailedCreate webshop-5d4f: exceeded quota: x"],
    ["a workload whose name begins like ours", "Warning FailedCreate web-admin-5d4f: exceeded quota: x"],
    ["another reason", "Warning FailedScheduling web-5d4f: exceeded quota: x"],
    ["no quota", "Warning FailedCreate web-5d4f: image policy"],
  ])("an event is not a quota refusal: %s", (_, line) => {
    expect(read(["events", text(line)]).quota?.value).toBe(0);
  });

  test("a commit of another workload is not ours", () => {
    const commits = facts({
      [sha]: `${at(1)} image shop/Deployment/catalog`,
      [sha.replace("0", "1")]: `${at(2)} config`,
    });
    expect(read(["commits", commits]).changes?.value.map(({ what }) => what)).toEqual(["config"]);
    const both = facts({ [sha]: `${at(1)} image shop/Deployment/catalog shop/Deployment/web` });
    expect(read(["commits", both]).changes?.value).toHaveLength(1);
  });

  test.each([
    ["a short sha", { abc1234: `${at(1)} image` }],
    ["an unknown part", { [sha]: `${at(1)} everything` }],
    ["no time", { [sha]: "yesterday image" }],
  ])("a commit that cannot be read is left out: %s", (_, commits) => {
    expect(read(["commits", facts(commits)]).changes?.value).toEqual([]);
  });

  test("a label says predictive where the rule is not known, and the rule wins where it is", () => {
    const labelled = incidentOf({ labels: { predictive: "true" } });
    expect(signalsOf(labelled, []).alert.value.predictive).toBe(true);
    const rule = evidenceFrom([["alert-rule", facts({ query: "up" })]]);
    expect(signalsOf(labelled, rule).alert.value.predictive).toBe(false);
  });

  test("what gave no answer is missing, an empty list is an answer", () => {
    const signals = read(["cpu-used", { kind: "missing", because: "503" }], noEvents, noCommits, [
      "cpu-requested",
      series(),
    ]);
    expect(signals.missing).toEqual(expect.arrayContaining(["CPU used", "CPU requested"]));
    expect(signals.missing).not.toEqual(expect.arrayContaining(["events"]));
    expect(signals.missing).not.toEqual(expect.arrayContaining(["commits"]));
  });

  test("without any evidence everything is missing and nothing is claimed", () => {
    const signals = signalsOf(incidentOf(), []);
    expect(signals.missing.length).toBeGreaterThan(5);
    expect(diagnoseSignals(signals).kind).toBe("abstained");
  });
});

describe("a source that gives no answer", () => {
  const of = (deployment: string, more: Record<string, string> = {}) => ({ namespace: "shop", deployment, ...more });
  const full: readonly Item[] = [
    alert,
    state,
    ["alert-metric", series({ values: step(0.2, 1.2) })],
    ["error-share", series({ values: level(0) })],
    ["requests", series({ values: level(50) })],
    ["cpu-used", series({ labels: of("web"), values: level(0.9) }, { labels: of("catalog"), values: level(1.9) })],
    ["cpu-requested", series({ labels: of("web"), values: level(1) }, { labels: of("catalog"), values: level(2) })],
    ["oom-kills", series({ values: [0, 1] })],
    ["calls", series({ labels: of("web", { dst_deployment: "catalog" }), values: level(40) })],
    [
      "node-metrics",
      series(
        { labels: of("web", { metric: "latency" }), values: step(0.2, 1.2) },
        { labels: of("catalog", { metric: "latency" }), values: step(0.1, 1.1) },
      ),
    ],
    ["commits", facts({ [sha]: `${at(19)} image` })],
    ["rollouts", facts({ "revision 7": at(19.5) })],
    noEvents,
  ];
  const away: Finding = { kind: "missing", because: "no answer within 5 s" };
  const best = diagnosed(full);

  test("with all sources every signal is seen", () => {
    expect(best.map(({ kind }) => kind).sort()).toEqual(["bad-change", "downstream", "out-of-memory", "saturated"]);
  });

  test.each(full.map(([key], index) => [key, index] as const))(
    "%s: the diagnosis goes on, no cause that cites it remains as sure",
    (_, index) => {
      const id = `E${index + 1}`;
      const left = diagnosed(full.map((item, at) => (at === index ? [item[0], away] : item)));
      expect(left.length).toBeGreaterThan(0);
      expect(left.flatMap(({ citing }) => citing)).not.toContain(id);
      for (const cause of best.filter(({ citing }) => citing.includes(id))) {
        const now = left.find((other) => other.id === cause.id);
        expect(now === undefined || now.confidence <= cause.confidence).toBe(true);
      }
    },
  );

  test("all of them: nothing is claimed", () => {
    expect(diagnosed(full.map(([key]) => [key, away]))).toEqual([]);
  });

  test.each<[string, Finding]>([
    ["text where numbers were expected", text("<html>502</html>")],
    ["facts where a series was expected", facts({ status: "error" })],
    ["a series without points", { kind: "series", unit: "", series: [{ labels: {}, points: [] }], notes: [] }],
    ["numbers that are none", series({ values: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] })],
    ["labels of nobody", series({ labels: { deployment: "", metric: "__proto__" }, values: [1] })],
  ])("a lie in every answer does not break the diagnosis: %s", (_, lie) => {
    const causes = diagnosed(full.map(([key]) => [key, lie]));
    expect(causes.every(({ confidence }) => confidence >= 0 && confidence <= 1)).toBe(true);
  });
});

describe("commits around the start of the alert", () => {
  const [first, second] = ["a".repeat(40), "b".repeat(40)];
  const suspect = (minute: number) => `${at(minute)} self:Deployment/web:image`;
  const seen = (suspects: Readonly<Record<string, string>>, forSeconds = 0) =>
    diagnosed([
      ["alert", facts({ alertname: "HighErrorRate", startsAt: at(22) })],
      ["alert-rule", facts({ query: "errors > 0.1", forSeconds })],
      state,
      ["suspects", facts(suspects)],
      noCommits,
      noEvents,
    ]).map(({ commit }) => commit);

  test("one that came after the alert began is no suspect, though it changed the same", () => {
    expect(seen({ [second]: suspect(22.5), [first]: suspect(20) })).toEqual([first]);
    expect(seen({ [second]: suspect(22.5) })).toEqual([]);
  });

  test("the alert began before its start, by the time that its rule waits", () => {
    expect(seen({ [second]: suspect(20), [first]: suspect(15) }, 300)).toEqual([first]);
    expect(seen({ [second]: suspect(20), [first]: suspect(15) }, 60)).toContain(second);
  });

  test("the same holds where nobody could render what the commit did", () => {
    const commits = (minute: number) =>
      diagnosed([alert, state, ["commits", facts({ [sha]: `${at(minute)} image` })], noEvents]).map(
        ({ commit }) => commit,
      );
    expect(commits(21)).toContain(sha);
    expect(commits(22.5)).not.toContain(sha);
  });
});
