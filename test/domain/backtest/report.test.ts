import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adviceOf, earnedIn, liveLines } from "../../../src/domain/backtest/advice.ts";
import { joinedSeries, pastAlerts, pastIncidents } from "../../../src/domain/backtest/past-alerts.ts";
import { PastRecord, readRecords } from "../../../src/domain/backtest/record.ts";
import { reportOf } from "../../../src/domain/backtest/report.ts";
import { isLiveClass, renderShadow } from "../../../src/domain/backtest/switching.ts";
import { isInShadow } from "../../../src/domain/guardrails/mode.ts";
import { mappingLine } from "../../../src/domain/guardrails/alert-mapping.ts";
import { parseGuardrails } from "../../../src/domain/guardrails/guardrails.ts";
import { parseYaml } from "../../../src/manifests/yaml/yaml.ts";
import { anAlert } from "../../builders.ts";
import { aPastRecord as aRecord, type Kind, kinds } from "../../past-record.ts";

const span = { from: "2026-11-01T00:00:00Z", to: "2026-11-30T00:00:00Z" };

test("every incident has one verdict and one class, whatever happened", () => {
  const one = fc.record({
    kind: fc.constantFrom(...kinds),
    alert: fc.constantFrom("A", "B"),
    workload: fc.constantFrom("x/Deployment/a", "y/Deployment/b"),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 40 }), (rows) => {
      const records = rows.map(({ kind, alert, workload }, index) =>
        aRecord(kind, { alert, workload, uid: String(index) }),
      );
      const report = reportOf({ records, ...span });
      const sum = (counts: Readonly<Record<Kind, number>>) =>
        Object.values(counts).reduce((all, count) => all + count, 0);
      expect(sum(report.verdicts)).toBe(records.length);
      expect(report.classes.reduce((all, row) => all + sum(row.verdicts), 0)).toBe(records.length);
      expect(report.calibration.reduce((all, band) => all + band.compared, 0)).toBe(
        records.filter(({ verdict: { kind } }) => ["agreed", "earlier", "different"].includes(kind)).length,
      );
      for (const { row, lacks } of earnedIn(report.classes))
        if (lacks === undefined) expect(row.verdicts.different).toBe(0);
    }),
  );
});

describe("guardrails to begin with", () => {
  const records = [1, 2, 3].map((at) => aRecord("earlier", { uid: `e${at}` }));

  test("are lines that the file understands, each with its reason", () => {
    const others = [
      aRecord("different", { uid: "d", workload: "shop/Deployment/api" }),
      aRecord("refused", { uid: "r" }),
    ];
    const all = [...records, ...others];
    const unplaced = ["Queue", "Disk"].map((name) => ({
      ...{ name, kind: "nobody" as const, times: 2, because: "no label", labels: {}, lastSeen: span.to },
      line: mappingLine(anAlert({ name })),
    }));
    const advice = adviceOf(reportOf({ records: all, unplaced, ...span }), all);
    const yaml = parseYaml(advice.map(({ line }) => line).join("\n"));
    const read = parseGuardrails(yaml.ok ? yaml.value : yaml.problem);
    expect(read).toMatchObject({
      ok: true,
      value: {
        mode: "shadow",
        namespaces: ["shop"],
        maxReplicas: 5,
        criticalWorkloads: ["shop/Deployment/api"],
        modes: [],
        alerts: [{ alert: "Queue" }, { alert: "Disk" }],
      },
    });
    expect(advice.every(({ because }) => because.length > 0)).toBe(true);
  });

  test("open no namespace in which nothing agreed", () => {
    const alone = [aRecord("different")];
    const lines = adviceOf(reportOf({ records: alone, ...span }), alone).map(({ line }) => line);
    expect(lines).toContain("namespaces: []");
    expect(lines.some((line) => line.includes("modes:"))).toBe(false);
  });

  test("a class earns it by three times the same, and loses it by one difference", () => {
    const lacks = (more: readonly PastRecord[]) => earnedIn(reportOf({ records: more, ...span }).classes)[0]?.lacks;
    expect(lacks(records)).toBeUndefined();
    expect(lacks(records.slice(1))).toBe("2 of 3 times the same as people");
    expect(lacks([...records, aRecord("different", { uid: "d" })])).toContain("something else");
  });

  test("what people did elsewhere in the namespace holds it back: its line names no workload", () => {
    const lacks = (workload: string, alert?: string) => {
      const other = aRecord("different", { uid: "d", workload, ...(alert === undefined ? {} : { alert }) });
      return earnedIn(reportOf({ records: [...records, other], ...span }).classes)[0]?.lacks;
    };
    expect(lacks("shop/Deployment/payments")).toContain("something else on shop/Deployment/payments");
    expect(lacks("other/Deployment/payments")).toBeUndefined();
    expect(lacks("shop/Deployment/payments", "AnotherAlert")).toBeUndefined();
  });

  describe("where the workload that is changed is in another namespace", () => {
    const would = { ...aRecord("earlier").would, target: "payments/Deployment/ledger" } as PastRecord["would"];
    const across = [1, 2, 3].map((at) => aRecord("earlier", { uid: `a${at}`, would }));
    const report = reportOf({ records: across, ...span });
    const earned = "modes:\n" + report.classes.flatMap(liveLines).join("\n");

    test("the lines that switch it on are enough for that", () => {
      const yaml = parseYaml(earned);
      const read = parseGuardrails({ mode: "shadow", ...(yaml.ok ? (yaml.value as object) : {}) });
      if (!read.ok) throw new Error("the lines cannot be read");
      const namespaces = ["shop", "payments"];
      expect(isInShadow(read.value, { alert: "HighLatency", namespaces, remedy: "scale" })).toBe(false);
      expect(isInShadow(read.value, { alert: "Another", namespaces, remedy: "scale" })).toBe(true);
      expect(report.classes.map((row) => isLiveClass(read.value, row))).toEqual([true]);
      const halves = read.value.modes.map((rule) => ({ mode: "shadow" as const, modes: [rule] }));
      expect(halves.map((half) => report.classes.some((row) => isLiveClass(half, row)))).toEqual([false, false]);
    });

    test("that namespace must be named for changes, and the advice names it", () => {
      const text = renderShadow({ since: span.from, records: across, namespaces: ["shop"] }, (name) => name);
      expect(text).toContain("payments must stand under namespaces:");
      expect(text).toContain("{ namespace: payments,");
      expect(adviceOf(report, across).map(({ line }) => line)).toContain("namespaces: [payments]");
    });

    test("what people did elsewhere in it holds it back", () => {
      const workload = "payments/Deployment/other";
      const other = aRecord("different", { uid: "d", workload });
      expect(earnedIn(reportOf({ records: [...across, other], ...span }).classes)[0]?.lacks).toContain(workload);
    });
  });
});

test("a gap says how often, and the line that helps", () => {
  const unplaced = [
    {
      name: "QueueDeep",
      kind: "nobody",
      times: 7,
      because: "no label",
      line: "alerts: […]",
      labels: {},
      lastSeen: span.to,
    },
  ] as const;
  const { gaps } = reportOf({ records: [aRecord("refused")], unplaced, ...span });
  expect(gaps[0]).toMatchObject({ kind: "alert without workload", times: 7, line: "alerts: […]" });
  expect(gaps).toContainEqual(expect.objectContaining({ kind: "refused", line: "maxReplicas: 12" }));
});

test("the week on the dashboard holds the lines of what was earned, and text of others as code", () => {
  const records = [1, 2, 3].map((at) => aRecord("earlier", { uid: `e${at}`, alert: "High</details>" }));
  const text = renderShadow({ since: span.from, records, editor: "https://host/edit/main/f" }, (name) => `\`${name}\``);
  expect(text).toContain("3 earlier");
  expect(text).toContain("mode: live");
  // The onboarding file has an empty list: a second one would be a mistake.
  expect(text).toContain("in place of `modes: []`");
  expect(text).toContain("(https://host/edit/main/f)");
  expect(text).toContain("`High</details>`");
});

test("what has earned it in a namespace that nobody named says so: live, every change there would be refused", () => {
  const records = [1, 2, 3].map((at) => aRecord("earlier", { uid: `e${at}` }));
  const told = (namespaces?: readonly string[], isLive = false) =>
    renderShadow(
      { since: span.from, records, isLive: () => isLive, ...(namespaces === undefined ? {} : { namespaces }) },
      (name) => name,
    );
  expect(told([])).toContain("shop must stand under namespaces:");
  expect(told([], true)).toContain("shop must stand under namespaces:");
  expect(told(["shop"])).not.toContain("must stand under");
  expect(told()).not.toContain("must stand under");
});

test("the weeks of shadow mode are told one by one, from Monday to Sunday", () => {
  const at = (startedAt: string, kind: Kind) => aRecord(kind, { startedAt, uid: startedAt });
  const sunday = at("2026-11-22T23:59:59Z", "different");
  const records = [sunday, at("2026-11-23T00:00:00Z", "agreed"), at("2026-11-29T12:00:00Z", "agreed")];
  const text = renderShadow({ since: span.from, records }, (name) => name);
  expect(text).toContain("- week of 2026-11-23: 2 incidents, 2 agreed\n- week of 2026-11-16: 1 incident, 1 different");
});

test("a record goes on where a crash cut it short", () => {
  const [first, second] = [aRecord("earlier", { uid: "1" }), aRecord("agreed", { uid: "2" })];
  const text = `{"guardrails":"x"}\n${JSON.stringify(first)}\n${JSON.stringify(second).slice(0, 40)}\n`;
  expect(readRecords(text)).toEqual([first]);
  expect(PastRecord.parse(JSON.parse(JSON.stringify(second)))).toEqual(second);
});

describe("incidents from Prometheus' record of its alerts", () => {
  const labels = { __name__: "ALERTS", alertstate: "firing", alertname: "A", namespace: "shop", deployment: "web" };
  const points = (from: number, to: number) =>
    Array.from({ length: (to - from) / 30 + 1 }, (_, index) => [from + index * 30, 1] as const);

  test("are not cut where one answer ends and the next begins", () => {
    const parts = [[{ labels, points: points(600, 900) }], [{ labels, points: points(900, 1200) }]];
    const window = { stepSeconds: 30, endsAt: new Date(9_000_000).toISOString() };
    const found = pastAlerts(joinedSeries(parts), window);
    expect(found).toHaveLength(1);
    expect(found[0]?.alert).toMatchObject({ name: "A", startsAt: new Date(600_000).toISOString() });
    expect(found[0]?.alert.labels).toEqual({ alertname: "A", namespace: "shop", deployment: "web" });
    expect(found[0]?.endedAt).toBe(new Date(1_230_000).toISOString());
  });

  test("of one workload that overlap or come back soon are one", () => {
    const alert = (name: string, from: number, to: number | undefined) => ({
      ...{ workload: { kind: "Deployment", namespace: "shop", name: "web" } },
      ...{ endedAt: to === undefined ? undefined : new Date(to * 1000).toISOString() },
      alert: {
        ...{ fingerprint: name, name, status: "firing" as const, labels: {}, annotations: {}, generatorUrl: "" },
        startsAt: new Date(from * 1000).toISOString(),
      },
    });
    const found = pastIncidents(
      "c",
      [alert("A", 0, 600), alert("B", 300, 900), alert("A", 1000, 1100), alert("A", 3000, undefined)],
      300_000,
    );
    expect(found.map(({ incident, endedAt, cycles }) => [Date.parse(incident.startedAt), endedAt, cycles])).toEqual([
      [0, new Date(1_100_000).toISOString(), 1],
      [3_000_000, undefined, 3],
    ]);
  });
});

test.each([
  ["policy rectify-growth: at most three times as many.", "the policy rectify-growth in policies/"],
  [
    "apps/web.yaml:7 also serves Kustomization b (shared-source). Give this environment a patch of its own.",
    "Give this environment a patch of its own.",
  ],
  ["namespace shop is not one that Rectify may change (guardrails: namespaces)", "namespaces: [shop]"],
])("what helps against %s", (because, line) => {
  const refused = aRecord("refused", { would: { kind: "refused", because } });
  expect(reportOf({ records: [refused], ...span }).gaps).toMatchObject([{ kind: "refused", line }]);
});

test("a metric without data is a gap of its own, with what would bring it", () => {
  const records = [aRecord("no-remedy", { empty: ["CPU used"], missing: ["events around the workload"] })];
  const gaps = reportOf({ records, ...span }).gaps.map(({ kind, what, line }) => `${kind}: ${what}: ${line}`);
  expect(gaps).toContainEqual(expect.stringMatching(/^metric without data: CPU used: scrape cAdvisor/));
  expect(gaps).toContainEqual(
    expect.stringMatching(/^evidence missing: events around the workload: none for the past/),
  );
});
