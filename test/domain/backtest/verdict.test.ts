import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Course, verdictOf, type WouldHave } from "../../../src/domain/backtest/verdict.ts";
import { changesOf } from "../../../src/domain/backtest/peoples-changes.ts";
import type { ObjectChange } from "../../../src/domain/kubernetes/manifest-edit.ts";
import type { Remediation } from "../../../src/domain/kubernetes/remediation.ts";
import type { RenderedObject } from "../../../src/domain/kubernetes/rendered.ts";

const web = { kind: "Deployment", namespace: "shop", name: "web" };
const minute = (count: number) => new Date(Date.UTC(2026, 10, 20, 3, count)).toISOString();

function change(from: unknown, to: unknown, field: ObjectChange["field"] = ["spec", "replicas"]): ObjectChange {
  return { object: { apiVersion: "apps/v1", ...web }, field, from, to };
}

function proposed(changes: readonly ObjectChange[], at = minute(1)): WouldHave {
  const wanted = { kind: "replicas", to: 4 } as const;
  const remediation: Remediation = { kind: "scale", workload: web, change: wanted, from: "2", to: "4", sizing: [] };
  return { kind: "proposed", at, remediation, changes, confidence: 0.8, cause: "web is saturated", risk: "low" };
}

function course(commits: readonly (readonly [at: string, changes: readonly ObjectChange[]])[], rest = {}): Course {
  const made = commits.map(([at, changes], index) => ({ sha: String(index).padStart(40, "a"), at, changes }));
  return {
    ...{ workload: web, startedAt: minute(0), endedAt: minute(30), growthLimit: 3 },
    people: { kind: "known", commits: made },
    ...rest,
  };
}

describe("what people did to the same field", () => {
  test("in the same direction is the same fix, and how much sooner is told", () => {
    const verdict = verdictOf(proposed([change(2, 4)]), course([[minute(20), [change(2, 5)]]]));
    expect(verdict).toMatchObject({ kind: "earlier", leadMs: 19 * 60_000, ours: "4", theirs: "5" });
    expect(verdict.because).toContain("19 min");
  });

  test("before or with us agrees, and is not earlier", () => {
    const late = verdictOf(proposed([change(2, 4)], minute(5)), course([[minute(5), [change(2, 4)]]]));
    expect(late).toMatchObject({ kind: "agreed", leadMs: 0 });
  });

  test("in the other direction, or another field, is different", () => {
    expect(verdictOf(proposed([change(2, 4)]), course([[minute(9), [change(2, 1)]]])).kind).toBe("different");
    const memory = change("1Gi", "2Gi", ["spec", "template", "spec", "containers", 0, "resources", "limits", "memory"]);
    expect(verdictOf(proposed([change(2, 4)]), course([[minute(9), [memory]]])).kind).toBe("different");
  });

  test("to an amount further away than one change may go is different, with both numbers", () => {
    const verdict = verdictOf(proposed([change(2, 3)]), course([[minute(9), [change(2, 30)]]]));
    expect(verdict.kind).toBe("different");
    expect(verdict.because).toContain("to 3 and to 30");
  });

  test("quantities are compared as amounts, texts word for word", () => {
    const field = ["spec", "template", "spec", "containers", 0, "resources", "limits", "memory"];
    const ours = proposed([change("1Gi", "1536Mi", field)]);
    expect(verdictOf(ours, course([[minute(9), [change("1Gi", "2Gi", field)]]])).kind).toBe("earlier");
    const image = ["spec", "template", "spec", "containers", 0, "image"];
    const back = proposed([change("web:2.0.0", "web:1.9.0", image)]);
    expect(verdictOf(back, course([[minute(9), [change("web:2.0.0", "web:1.9.0", image)]]])).kind).toBe("earlier");
    expect(verdictOf(back, course([[minute(9), [change("web:2.0.0", "web:2.0.1", image)]]])).kind).toBe("different");
  });

  test("a part of what we would have changed is no agreement", () => {
    const paused = change(undefined, true, ["spec", "paused"]);
    const both = [change(2, 4), change(1, 9, ["spec", "minReadySeconds"])];
    expect(verdictOf(proposed(both), course([[minute(9), [change(2, 4)]]])).kind).toBe("different");
    expect(verdictOf(proposed([change(2, 4)]), course([[minute(9), [change(2, 4), paused]]])).kind).toBe("earlier");
  });

  test("where nobody knows how far one change may go, they are not compared", () => {
    const verdict = verdictOf(
      proposed([change(2, 4)]),
      course([[minute(9), [change(2, 5)]]], { growthLimit: undefined }),
    );
    expect(verdict).toMatchObject({ kind: "not-known", because: expect.stringContaining("guardrails") });
  });

  test("a wrong try first does not hide the fix after it", () => {
    const tries = course([
      [minute(5), [change(2, 1)]],
      [minute(15), [change(1, 4)]],
    ]);
    expect(verdictOf(proposed([change(2, 4)]), tries)).toMatchObject({ kind: "earlier", leadMs: 14 * 60_000 });
  });
});

describe("what people reverted while it fired", () => {
  const image = ["spec", "template", "spec", "containers", 0, "image"];
  const [bad, good] = ["web:2.0.0", "web:1.9.0"];

  test.each([
    ["set back", [change(4, 2)]],
    ["set below where it was", [change(4, 1)]],
    ["left out of the file", [change(4, undefined)]],
    ["removed with its object", [change({ spec: { replicas: 4 } }, undefined, [])]],
  ])("was a try and no fix: %s", (_, back) => {
    const tried = course([
      [minute(5), [change(2, 4)]],
      [minute(10), back],
      [minute(20), [change(bad, good, image)]],
    ]);
    const verdict = verdictOf(proposed([change(2, 4)]), tried);
    expect(verdict).toMatchObject({ kind: "different", because: expect.stringContaining("reverted it") });
  });

  test("an image that a release put on again is no fix, and what stayed is", () => {
    const rolledBack = [minute(5), [change(bad, good, image)]] as const;
    const ours = proposed([change(bad, good, image)]);
    expect(verdictOf(ours, course([rolledBack, [minute(9), [change(good, bad, image)]]])).kind).toBe("different");
    expect(verdictOf(ours, course([rolledBack, [minute(9), [change(2, 4)]]])).kind).toBe("earlier");
  });

  test("the same once more and left so is the fix, by its own time", () => {
    const again = course([
      [minute(5), [change(2, 4)]],
      [minute(10), [change(4, 2)]],
      [minute(20), [change(2, 4)]],
    ]);
    expect(verdictOf(proposed([change(2, 4)]), again)).toMatchObject({ kind: "earlier", leadMs: 19 * 60_000 });
  });

  test("going further, or not the whole way back, keeps it", () => {
    for (const later of [change(4, 6), change(4, 3), change({ spec: {} }, { spec: { replicas: 5 } }, [])]) {
      const kept = course([
        [minute(5), [change(2, 4)]],
        [minute(10), [later]],
      ]);
      expect(verdictOf(proposed([change(2, 4)]), kept)).toMatchObject({ kind: "earlier", leadMs: 4 * 60_000 });
    }
  });

  test("reverting it after the end is no matter", () => {
    const later = course([
      [minute(5), [change(2, 4)]],
      [minute(31), [change(4, 2)]],
    ]);
    expect(verdictOf(proposed([change(2, 4)]), later).kind).toBe("earlier");
  });
});

describe("where Rectify was live then, its own commit", () => {
  const own = [{ sha: "b".repeat(40), at: minute(9), changes: [change(2, 4)], own: true as const }];
  const theirs = { sha: "c".repeat(40), at: minute(15), changes: [change(4, 6)] };

  test.each([
    ["alone", own],
    ["before a commit of people", [...own, theirs]],
  ])("is no fix of people, and nothing healed by itself: %s", (_, commits) => {
    const verdict = verdictOf(proposed([change(2, 4)]), course([], { people: { kind: "known", commits } }));
    expect(verdict).toMatchObject({ kind: "not-known", commit: "b".repeat(40) });
    expect(verdict.because).toContain("Rectify itself changed the workload then, with commit bbbbbbb");
  });

  test("leaves a refusal what it is", () => {
    const people = { kind: "known", commits: own };
    expect(verdictOf({ kind: "refused", because: "budget" }, course([], { people })).kind).toBe("refused");
  });
});

describe("without a fix of people", () => {
  test("an alert that ended healed by itself, whatever we would have done", () => {
    const nobody = course([]);
    expect(verdictOf(proposed([change(2, 4)]), nobody).kind).toBe("healed-by-itself");
    expect(verdictOf({ kind: "refused", because: "budget" }, nobody).kind).toBe("healed-by-itself");
  });

  test("a commit before the alert or after its end healed nothing", () => {
    const around = course([
      [new Date(Date.parse(minute(0)) - 1).toISOString(), [change(2, 4)]],
      [minute(31), [change(2, 4)]],
    ]);
    expect(verdictOf(proposed([change(2, 4)]), around).kind).toBe("healed-by-itself");
  });

  test("one that still fires, and a past that cannot be rendered, are no verdict", () => {
    expect(verdictOf(proposed([change(2, 4)]), course([], { endedAt: undefined })).kind).toBe("not-known");
    const unknown = { people: { kind: "unknown", because: "a chart is missing" } };
    expect(verdictOf(proposed([change(2, 4)]), course([], unknown))).toMatchObject({ kind: "not-known" });
  });
});

test.each(["refused", "no-remedy"] as const)("%s says why, and what people did", (kind) => {
  const verdict = verdictOf(
    { kind, because: "12 replicas are outside 1 to 10" },
    course([[minute(9), [change(2, 12)]]]),
  );
  expect(verdict.kind).toBe(kind);
  expect(verdict.because).toContain("outside 1 to 10");
  expect(verdict.because).toContain("Deployment/web spec.replicas");
});

test("no agreement without a commit of people to the same field while the alert fired", () => {
  const values = fc.integer({ min: 1, max: 9 });
  const commits = fc.array(fc.tuple(fc.integer({ min: -10, max: 50 }), values, values), { maxLength: 5 });
  fc.assert(
    fc.property(values, values, commits, (from, to, made) => {
      const rows = made.map(([at, before, after]) => [minute(at), [change(before, after)]] as const);
      const verdict = verdictOf(proposed([change(from, to)]), course(rows));
      const same = made.filter(
        ([at, before, after]) =>
          at >= 0 && at <= 30 && Math.sign(after - before) === Math.sign(to - from) && to !== from,
      );
      if (verdict.kind === "agreed" || verdict.kind === "earlier") {
        expect(same.length).toBeGreaterThan(0);
        expect(verdict.kind === "earlier").toBe((verdict.leadMs ?? 0) >= 60_000);
      }
      if (verdict.kind === "healed-by-itself") expect(made.every(([at]) => at < 0 || at > 30)).toBe(true);
    }),
  );
});

test("what scales a workload is part of it, another workload is not", () => {
  const object = (kind: string, name: string, spec: object): RenderedObject => ({
    ...{ apiVersion: "v1", kind, metadata: { name, namespace: "shop" }, spec },
  });
  const target = { kind: "Deployment", name: "web" };
  const side = (replicas: number, max: number) => [
    object("Deployment", "web", { replicas }),
    object("Deployment", "api", { replicas: replicas + 1 }),
    object("HorizontalPodAutoscaler", "any", { scaleTargetRef: target, maxReplicas: max }),
  ];
  const seen = changesOf(side(2, 5), side(3, 9), [web]).map(({ object: { kind, name } }) => `${kind}/${name}`);
  expect(seen.sort()).toEqual(["Deployment/web", "HorizontalPodAutoscaler/any"]);
});
