import { describe, expect, test } from "vitest";
import {
  guardrailsSchema,
  parseGuardrails,
  renderDefaultGuardrails,
} from "../../../src/domain/guardrails/guardrails.ts";
import { parseYaml } from "../../../src/manifests/yaml/yaml.ts";

function problemsOf(document: unknown): readonly string[] {
  const parsed = parseGuardrails(document);
  return parsed.ok ? [] : parsed.problems.map(({ text }) => text);
}

describe("the guardrails file", () => {
  test("an empty file allows no namespace and merges nothing", () => {
    const parsed = parseGuardrails(null);
    expect(parsed.ok && parsed.value).toMatchObject({
      namespaces: [],
      autoMerge: "never",
      maxOpenPulls: 5,
      maxPullsPerHour: 10,
      leases: { duration: "24h" },
      autonomy: { successes: 3 },
    });
  });

  test.each<[string, unknown, string[]]>([
    ["a typing error", { maxReplica: 3 }, ["maxReplica: is not a known field: did you mean maxReplicas?"]],
    ["a field of another tool", { zzz: 3 }, ["zzz: is not a known field: remove it (see `rectify config schema`)"]],
    ["a nested unknown field", { leases: { until: "1h" } }, ["leases.until: is not a known field"]],
    ["scale to zero", { minReplicas: 0 }, ["minReplicas: must be at least 1"]],
    ["floor above ceiling", { minReplicas: 9, maxReplicas: 3 }, ["minReplicas: must not be above maxReplicas (3)"]],
    ["text for a number", { maxReplicas: "many" }, ["maxReplicas: must be a whole number"]],
    ["one namespace instead of a list", { namespaces: "shop" }, ["namespaces: must be a list"]],
    ["a pattern as namespace", { namespaces: ["shop-*"] }, ["namespaces.0: must be the name of a namespace"]],
    ["a budget without prices", { budgets: { shop: 10 } }, ["budgets: need prices to be compared with: add priceBook"]],
    ["a negative price", { priceBook: { cpuHour: -1, memoryGiBHour: 1, currency: "EUR" } }, ["priceBook.cpuHour"]],
    ["an unknown command", { approvers: { aprove: {} } }, ["approvers.aprove: is not a known field"]],
    [
      "a rule of its own for /approve",
      { approvers: { approve: {} } },
      ["approvers.approve: is not a known field: /approve needs what approve-scale or approve-revert needs"],
    ],
    [
      "nobody needed",
      { approvers: { "approve-scale": { count: 0 } } },
      ["approvers.approve-scale.count: must be at least 1"],
    ],
    [
      "no such time zone",
      { windows: [window({ timeZone: "Mars/Olympus" })] },
      ["windows.0.timeZone: must be a time zone"],
    ],
    ["no such hour", { windows: [window({ from: "25:00" })] }, ["windows.0.from: must be a time"]],
    ["an empty window", { windows: [window({ from: "09:00", to: "09:00" })] }, ["windows.0: from and to must differ"]],
    ["a lease without unit", { leases: { duration: 24 } }, ["leases.duration: must be a duration such as 24h"]],
    ["auto-merge as a yes", { autoMerge: true }, ["autoMerge: must be one of never, low-risk"]],
    ["a list as the file", [], ["the file: must hold fields"]],
    ["a check without its App", { requiredChecks: [{ name: "ci" }] }, ["requiredChecks.0.app: must be a whole number"]],
  ])("says what is wrong with %s, and the fix", (_, document, expected) => {
    const problems = problemsOf(document);
    for (const start of expected) expect(problems).toContainEqual(expect.stringContaining(start));
    expect(problems).toHaveLength(expected.length);
  });

  test("names every problem at once", () => {
    expect(problemsOf({ minReplicas: 0, model: "maybe", extra: 1 })).toHaveLength(3);
  });
});

describe("the proposed file", () => {
  test("is valid, looks on at first, changes nothing else but the namespaces, and explains every field", () => {
    const text = renderDefaultGuardrails(["shop"]);
    const yaml = parseYaml(text);
    const parsed = parseGuardrails(yaml.ok ? yaml.value : undefined);
    const defaults = parseGuardrails({});
    expect(parsed.ok && defaults.ok && parsed.value).toEqual({
      ...(defaults.ok && defaults.value),
      ...{ mode: "shadow", namespaces: ["shop"] },
    });
    const described = Object.values(properties()).map((field) => field.description ?? "");
    for (const description of described) expect(text).toContain(`# ${description}\n`);
  });

  test("shows examples that are valid", () => {
    const examples = [...renderDefaultGuardrails().matchAll(/^# For example: (.*)$/gm)].map((match) => match[1]);
    const yaml = parseYaml(examples.join("\n"));
    expect(examples.length).toBeGreaterThan(4);
    expect(problemsOf(yaml.ok ? yaml.value : "unreadable")).toEqual([]);
  });
});

test("the JSON schema is closed and describes every field", () => {
  expect(guardrailsSchema()).toMatchObject({ type: "object", additionalProperties: false });
  for (const [name, field] of Object.entries(properties())) {
    expect({ name, description: field.description }).toEqual({ name, description: expect.stringMatching(/\.$/) });
  }
});

function properties() {
  return guardrailsSchema().properties as Record<string, { description?: string }>;
}

function window(change: object) {
  return { days: ["mon"], from: "09:00", to: "17:00", timeZone: "Europe/Berlin", ...change };
}
