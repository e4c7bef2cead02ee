import { expect, test } from "vitest";
import { neighboursOf, roleOf } from "../../../src/domain/root-cause/service-graph.ts";

const call = (caller: string, callee: string) => ({ caller, callee });

test("knows both directions, once each, without calls to itself", () => {
  const { callees, callers } = neighboursOf({
    calls: [call("a", "b"), call("a", "b"), call("a", "a"), call("c", "b")],
    roles: {},
  });
  expect(callees.get("a")).toEqual(["b"]);
  expect(callers.get("b")).toEqual(["a", "c"]);
  expect(callers.get("a")).toBeUndefined();
});

test("a node without a role is a service, whatever it is called", () => {
  const graph = { calls: [], roles: { lb: "proxy" as const } };
  expect(["lb", "web", "constructor"].map((node) => roleOf(graph, node))).toEqual(["proxy", "service", "service"]);
});
