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
    "image-tag",
  ]);
});

test.each(["APPNAME", "<app>-api", "{{name}}"])("a form called %s asks nothing", (name) => {
  const form = deployment(name);
  expect(questionsOf(form, new Map([[name, form]]))).toEqual([]);
});
