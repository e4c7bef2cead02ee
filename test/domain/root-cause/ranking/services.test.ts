import { describe, expect, test } from "vitest";
import type { NodeSeries } from "../../../../src/domain/root-cause/ranking/anomaly.ts";
import { confidencesOf } from "../../../../src/domain/root-cause/ranking/calibration.ts";
import { rankServices, type ServicesInput } from "../../../../src/domain/root-cause/ranking/services.ts";

const length = 60;
const incident = { start: 52, end: 60 };
const noisy = (usual: number, seen = usual, from = 56): NodeSeries["values"] =>
  Array.from({ length }, (_, at) => (at < from ? usual : seen) * (1 + 0.02 * Math.sin(at * 2.4)));
const latency = (usual: number, seen?: number): NodeSeries => ({
  what: "latency",
  kind: "latency",
  values: noisy(usual, seen),
});
const requests = (usual: number, seen?: number): NodeSeries => ({
  what: "requests",
  kind: "requests",
  values: noisy(usual, seen),
});
const available = (seen: number): NodeSeries => {
  const values = Array.from({ length }, (_, at) => (at < 56 ? 1 : seen));
  return { what: "availability", kind: "availability", values };
};

function ranked(series: Record<string, NodeSeries[]>, calls: [string, string][], more: Partial<ServicesInput> = {}) {
  const graph = { calls: calls.map(([caller, callee]) => ({ caller, callee })), roles: {} };
  return rankServices({
    graph,
    series: new Map(Object.entries(series)),
    symptom: "front",
    windows: [incident],
    ...more,
  });
}
const names = (services: ReturnType<typeof ranked>) => services.map(({ node }) => node);

describe("blame goes to where the trouble arises", () => {
  test("a caller that waits for its callee is excused, however much it waits", () => {
    const series = { front: [latency(100, 900)], middle: [latency(50, 700)], deep: [latency(5, 600)] };
    expect(
      names(
        ranked(series, [
          ["front", "middle"],
          ["middle", "deep"],
        ]),
      )[0],
    ).toBe("deep");
  });

  test("a slow callee that adds little does not excuse its caller", () => {
    const series = { front: [latency(100, 900), requests(100)], side: [latency(5, 20), requests(100)] };
    expect(names(ranked(series, [["front", "side"]]))[0]).toBe("front");
  });

  test("a service that stops calling another is suspected before the one that is no longer called", () => {
    const series = {
      front: [requests(100), available(0.95)],
      shop: [requests(20)],
      mail: [requests(20, 0)],
    };
    expect(
      names(
        ranked(series, [
          ["front", "shop"],
          ["shop", "mail"],
        ]),
      )[0],
    ).toBe("shop");
  });

  test("failures that a seldom called service cannot explain stay with the caller", () => {
    const series = {
      front: [requests(100), available(0.5)],
      shop: [requests(5), { what: "CPU", kind: "usage", values: noisy(1, 1.15) } as NodeSeries],
    };
    expect(names(ranked(series, [["front", "shop"]]))[0]).toBe("front");
  });

  test("more of a resource counts for less where its users feel nothing", () => {
    const cpu: NodeSeries = { what: "CPU", kind: "usage", values: noisy(1, 3) };
    const [felt] = ranked({ front: [latency(100)], side: [cpu, latency(5)] }, [["front", "side"]]);
    const [unknown] = ranked({ front: [], side: [cpu] }, [["front", "side"]]);
    expect(felt?.score).toBeLessThan(unknown?.score ?? 0);
  });

  test("what the symptom's service does not call counts for half", () => {
    const series = { front: [], called: [latency(5, 50)], stranger: [latency(5, 50)] };
    expect(names(ranked(series, [["front", "called"]]))).toEqual(["called", "stranger"]);
  });

  test("hints rank a service that no series shows, and a missing value is no zero", () => {
    const gap: NodeSeries = {
      what: "latency",
      kind: "latency",
      values: Array.from({ length }, (_, at) => (at < 50 ? 5 : Number.NaN)),
    };
    const hints = new Map([["side", [{ weight: 0.6, because: "rolled out 2 min before" }]]]);
    expect(ranked({ front: [latency(100)], side: [gap] }, [["front", "side"]], { hints })[0]).toMatchObject({
      node: "side",
      because: ["rolled out 2 min before"],
    });
  });
});

describe("specificity", () => {
  test("one spike is not worse than the spikes of a normal period", () => {
    const spiky = Array.from({ length }, (_, at) => (at % 12 === 10 ? 90 : 10 + (at % 3)));
    const series = { front: [{ what: "latency", kind: "latency", values: spiky } as NodeSeries] };
    expect(ranked(series, [])[0]?.score ?? 0).toBeLessThan(1);
  });

  test("a level that was there before the window adds nothing", () => {
    const shifted = Array.from({ length }, (_, at) => (at < 51 ? 10 : 40) + (at % 3));
    const series = { front: [{ what: "latency", kind: "latency", values: shifted } as NodeSeries] };
    expect(ranked(series, [])[0]?.score ?? 0).toBeLessThan(1);
  });
});

describe("confidence", () => {
  test("grows with the score and with the lead, and never reaches 1", () => {
    const [low = 0] = confidencesOf([1, 0.5]);
    const [high = 0] = confidencesOf([3, 0.5]);
    const [close = 0] = confidencesOf([1, 0.95]);
    expect(low).toBeGreaterThan(close);
    expect(high).toBeGreaterThan(low);
    expect(confidencesOf([1e6])[0]).toBeLessThanOrEqual(0.95);
  });

  test("of the whole list adds up to at most 1", () => {
    for (const scores of [[], [2], [1, 1, 1], [5, 4, 3, 2, 1]]) {
      expect(confidencesOf(scores).reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1.001);
    }
  });
});

test.each(["signs", "errors"] as const)(
  "one %s where there were none is finite, and no match for a clear trouble",
  (kind) => {
    const one: NodeSeries = { what: kind, kind, values: Array.from({ length }, (_, at) => (at === 57 ? 1 : 0)) };
    const [first, second] = ranked({ front: [latency(100)], side: [one], deep: [latency(5, 600)] }, [
      ["front", "side"],
      ["front", "deep"],
    ]);
    expect(first?.node).toBe("deep");
    expect(second).toMatchObject({ node: "side", score: expect.closeTo(1, 0) });
  },
);

test("where two are equally off, the log tells", () => {
  const series = { front: [latency(100)], one: [latency(5, 9)], two: [latency(5, 9)] };
  const calls: [string, string][] = [
    ["front", "one"],
    ["front", "two"],
  ];
  const hints = new Map([
    ["two", [{ weight: 0.4, because: "kinds of log lines that are new or far more frequent: 1", from: ["E9"] }]],
  ]);
  expect(names(ranked(series, calls))[0]).toBe("one");
  const [first] = ranked(series, calls, { hints });
  expect(first?.node).toBe("two");
  expect(first?.from).toEqual(["E9"]);
  expect(first?.because).toContain("kinds of log lines that are new or far more frequent: 1");
});

test("what is off is told in its unit, where it has one", () => {
  const [first] = ranked({ front: [{ ...latency(100, 1_900), unit: "ms" }] }, []);
  expect(first?.because[0]).toMatch(/^latency 1\.[89]\d? s instead of 1?\d\d(?:\.\d)? ms \(/);
  const [plain] = ranked({ front: [latency(100, 1_900)] }, []);
  expect(plain?.because[0]).toMatch(/^latency 1[89]\d\d instead of \d+(?:\.\d)? \(/);
});

test("work that begins elsewhere while something hurts is not the cause of it, however little there was before", () => {
  const requests: NodeSeries = { ...latency(0), kind: "requests", what: "requests" };
  const work: NodeSeries = {
    what: "CPU",
    kind: "usage",
    values: Array.from({ length }, (_, at) => (at < 56 ? 0 : 0.2)),
  };
  const list = ranked({ front: [latency(100, 1_900), requests], batch: [work] }, []);
  expect(list.map(({ node }) => node)).toEqual(["front", "batch"]);
  expect(JSON.stringify(list)).not.toContain("Infinity");
});
