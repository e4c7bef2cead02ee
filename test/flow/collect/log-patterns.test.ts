import { describe, expect, test } from "vitest";
import type { Finding } from "../../../src/domain/evidence/evidence.ts";
import type { Workload } from "../../../src/domain/kubernetes/workload.ts";
import { calleePatterns, ownPatterns, type Seen } from "../../../src/flow/collect/log-patterns.ts";
import type { Logs } from "../../../src/ports/monitoring.ts";

const home: Workload = { kind: "Deployment", namespace: "shop", name: "web" };
const to = new Date("2026-01-02T12:10:00Z");
const began = to.getTime() / 1000 - 120;
const span = { from: new Date(to.getTime() - 600_000), to };

const lineAt = (second: number, text: string) => `${new Date((began + second) * 1000).toISOString()} ${text}`;
const usual = Array.from({ length: 20 }, (_, index) => lineAt(-300 + index, "served a page"));
const failing = [1, 2, 3].map((second) => lineAt(second, "cannot reach the database"));
const logLines = (...lines: string[]): Finding => ({ kind: "text", lines, notes: [] });

const callTo = (callee: string, rate: number) => ({
  labels: { namespace: "shop", deployment: "web", dst_namespace: "shop", dst_deployment: callee },
  points: [[began, rate]] as const,
});
const calls = (...rates: readonly (readonly [string, number])[]) =>
  ({
    key: "calls",
    finding: { kind: "series", unit: "1/s", notes: [], series: rates.map(([name, rate]) => callTo(name, rate)) },
  }) as const;

const seen = (...items: Seen["items"]): Seen => ({ home, items, span, began });
const logsOf = (lines: readonly string[], asked: string[] = []): Pick<Logs, "around"> => ({
  around: async ({ name }) => {
    asked.push(name);
    return { lines, notes: ["only the newest 500 lines were read"] };
  },
});
const questions = (of: Seen, logs: Pick<Logs, "around">) => calleePatterns(of, { logs: logs as Logs });

test("the workload's own log is mined as it was read, and asked for no second time", () => {
  const [item, ...others] = ownPatterns(seen({ key: "logs", finding: logLines(...usual, ...failing) }));
  expect(others).toEqual([]);
  expect(item).toMatchObject({ key: "log-patterns", source: "loki" });
  expect(item?.finding).toMatchObject({
    lines: [`shop/Deployment/web new 3 since ${new Date((began + 1) * 1000).toISOString()}: cannot reach the database`],
  });
});

test("a log as usual, or one that gave no answer, is no item", () => {
  expect(ownPatterns(seen({ key: "logs", finding: logLines(...usual) }))).toEqual([]);
  expect(ownPatterns(seen({ key: "logs", finding: { kind: "missing", because: "Loki: no answer" } }))).toEqual([]);
  expect(ownPatterns({ ...seen({ key: "logs", finding: logLines(...usual, ...failing) }), began: undefined })).toEqual(
    [],
  );
});

describe("the logs of what it calls", () => {
  test("are asked for the three that it calls most", async () => {
    const asked: string[] = [];
    const most = seen(calls(["cart", 1], ["orders", 9], ["users", 3], ["ads", 2], ["orders", 4], ["web", 50]));
    await Promise.all(questions(most, logsOf(usual, asked)).map(({ ask }) => ask()));
    expect(asked).toEqual(["orders", "users", "ads"]);
  });

  test("say what is new in them, with what the source says of its answer", async () => {
    const [question] = questions(seen(calls(["orders", 1])), logsOf([...usual, ...failing]));
    expect(await question?.ask()).toMatchObject({
      kind: "text",
      lines: [expect.stringMatching(/^shop\/Deployment\/orders new 3 since /)],
      notes: ["only the newest 500 lines were read"],
    });
  });

  test("that are as usual are an empty answer, which nobody misses", async () => {
    const [question] = questions(seen(calls(["orders", 1])), logsOf(usual));
    expect(question?.optional).toBe(true);
    expect(await question?.ask()).toEqual({ kind: "text", lines: [], notes: [] });
  });

  test("are not asked without a source, or when nobody knows since when it hurts", () => {
    expect(calleePatterns(seen(calls(["orders", 1])), { logs: undefined })).toEqual([]);
    expect(questions({ ...seen(calls(["orders", 1])), began: undefined }, logsOf(usual))).toEqual([]);
  });
});
