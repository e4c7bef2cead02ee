import { expect, test } from "vitest";
import { Denied, Refused, Unavailable } from "../../../../src/ports/errors.ts";
import { openAsking } from "../../../../src/server/jobs/backtest/asking.ts";

function world() {
  const [slept, begun]: [number[], string[]] = [[], []];
  const asking = openAsking({ sleep: async (milliseconds) => void slept.push(milliseconds) });
  const answers = (name: string, ...with_: (Error | string)[]) => {
    let turn = 0;
    return async () => {
      begun.push(name);
      const answer = with_[Math.min(turn, with_.length - 1)];
      turn += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    };
  };
  return { asking, slept, begun, answers };
}

const away = new Unavailable("Loki: no answer in time");

test("what gave no answer is asked again after a pause, longer each time, or as long as it says", async () => {
  const { asking, slept, answers } = world();
  expect(await asking.of("LOKI")(answers("a", away, away, "late"))).toBe("late");
  const patient = new Unavailable("Loki: HTTP 429", { retryAfterMs: 7_000 });
  expect(await asking.of("LOKI")(answers("b", patient, "late"))).toBe("late");
  expect([slept, asking.unanswered()]).toEqual([[500, 2_000, 7_000], 0]);
});

test("a source that stays away is waited for once, and again when it was back", async () => {
  const { asking, slept, begun, answers } = world();
  const ask = asking.of("LOKI");
  await expect(ask(answers("a", away))).rejects.toThrow(Unavailable);
  await expect(ask(answers("b", away))).rejects.toThrow(Unavailable);
  expect([begun, slept, asking.unanswered(), asking.silence()]).toEqual([
    ["a", "a", "a", "b"],
    [500, 2_000],
    2,
    away.message,
  ]);
  await ask(answers("c", "back"));
  expect(await ask(answers("d", away, "again"))).toBe("again");
});

test("a no to the question is evidence; a no to us ends all asking, of every source, with the setting", async () => {
  const { asking, begun, answers } = world();
  await expect(asking.of("PROMETHEUS")(answers("a", new Refused("HTTP 422 bad query")))).rejects.toThrow(Refused);
  expect([asking.unanswered(), asking.denied()]).toEqual([0, undefined]);
  const denied = new Denied("Prometheus /api/v1/query_range: HTTP 401", 401);
  await expect(asking.of("PROMETHEUS")(answers("b", denied))).rejects.toThrow("PROMETHEUS_TOKEN");
  await expect(asking.of("LOKI")(answers("c", "an answer"))).rejects.toThrow("PROMETHEUS_TOKEN");
  expect([begun, asking.unanswered()]).toEqual([["a", "b"], 2]);
  expect(asking.denied()).toMatch(/HTTP 401: set PROMETHEUS_TOKEN .*PROMETHEUS_USERNAME.*PROMETHEUS_HEADERS/);
});

test.each([
  ["PROMETHEUS", 404, "PROMETHEUS_URL must be the address up to before /api/v1"],
  ["LOKI", 404, "LOKI_URL must be the address up to before /loki/api/v1"],
  ["LOKI", 403, "LOKI_TOKEN"],
  ["LOKI", 200, "where a login is in front of it"],
  ["KUBERNETES", 403, "KUBERNETES_TOKEN"],
] as const)("%s with %i names what to set", async (source, status, setting) => {
  const { asking, answers } = world();
  await expect(asking.of(source)(answers("a", new Denied("no", status)))).rejects.toThrow(setting);
});
