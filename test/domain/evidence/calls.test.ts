import { expect, test } from "vitest";
import { callsOf } from "../../../src/domain/evidence/calls.ts";
import { points, web } from "../incident/incident-fixture.ts";

const call = (caller: string, callee: string) => ({ caller, callee });

test.each([
  [
    "Linkerd",
    { namespace: "shop", deployment: "web", dst_namespace: "data", dst_statefulset: "db" },
    "shop/Deployment/web",
    "data/StatefulSet/db",
  ],
  [
    "Linkerd within a namespace",
    { namespace: "shop", deployment: "web", dst_deployment: "api" },
    "shop/Deployment/web",
    "shop/Deployment/api",
  ],
  [
    "Istio",
    {
      source_workload: "web",
      source_workload_namespace: "a",
      destination_workload: "api",
      destination_workload_namespace: "b",
    },
    "a/Deployment/web",
    "b/Deployment/api",
  ],
  ["OpenTelemetry", { client: "web", server: "api" }, "shop/Deployment/web", "shop/Deployment/api"],
])("reads calls from the labels of %s", (_, labels, caller, callee) => {
  expect(callsOf([{ labels, points: points([0, 2]) }], web)).toEqual([call(caller, callee)]);
});

test.each([
  ["no request", { deployment: "web", dst_deployment: "api" }, [0, 0]],
  ["one end only", { deployment: "web" }, [1]],
  ["no end", {}, [1]],
])("leaves out a series with %s", (_, labels, values) => {
  expect(callsOf([{ labels, points: points(values) }], web)).toEqual([]);
});
