import { expect, test } from "vitest";
import { questionsOf } from "./survey-asking.ts";

const deployment = (name: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: { replicas: 2, template: { spec: { containers: [{ name: "web", image: "web:1.0" }] } } },
});

test("a workload asks for its count, resources and tag", () => {
  const web = deployment("web");
  expect(questionsOf(web, new Map([["web", web]])).map(({ change }) => change.kind)).toEqual([
    "replicas",
    "resources",
    "resources",
    "resources",
    "resources",
    "image-tag",
  ]);
});

test.each([
  ["HorizontalPodAutoscaler", ["maxReplicas", "minReplicas"]],
  ["ScaledObject", ["maxReplicaCount", "minReplicaCount"]],
] as const)("one that a %s scales asks for both bounds", (kind, [most, least]) => {
  const web = deployment("web");
  const target = { kind: "Deployment", name: "web" };
  const scaler = { kind, metadata: { name: "web" }, spec: { scaleTargetRef: target, [most]: 5, [least]: 2 } };
  const all = new Map<string, Record<string, unknown>>([
    ["web", web],
    ["scaler", scaler],
  ]);
  const asked = questionsOf(web, all).filter(({ field }) => field.startsWith("scaler/"));
  expect(asked.map(({ change }) => change)).toMatchObject([
    { field: most, to: 8 },
    { field: least, to: 3 },
  ]);
});

test.each(["APPNAME", "<app>-api", "{{name}}"])("a form called %s asks nothing", (name) => {
  const form = deployment(name);
  expect(questionsOf(form, new Map([[name, form]]))).toEqual([]);
});
