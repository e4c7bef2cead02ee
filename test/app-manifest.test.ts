import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseYaml } from "../src/manifests/yaml/yaml.ts";

const manifest = parseYaml(readFileSync("app.yml", "utf8"));

test("the App asks for the least permissions and nothing else", () => {
  expect(manifest.ok && (manifest.value as { default_permissions: unknown }).default_permissions).toEqual({
    contents: "write",
    pull_requests: "write",
    issues: "write",
    checks: "write",
    statuses: "read",
    metadata: "read",
    members: "read",
  });
});

test("the App listens to what wakes a workflow; installation events come unasked", () => {
  expect(manifest.ok && (manifest.value as { default_events: unknown }).default_events).toEqual([
    "issue_comment",
    "issues",
    "pull_request",
    "pull_request_review",
    "check_run",
    "check_suite",
    "push",
  ]);
});
