import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkConfig, configSchema, initialConfig } from "../../../src/commands/repository/config.ts";
import { scratchDirectory } from "../../scratch.ts";

function fileWith(text: string): string {
  const path = join(scratchDirectory(), "rectify.yml");
  writeFileSync(path, text);
  return path;
}

test("rectify config check names file, line, field and remedy, and exits with code 1", () => {
  const path = fileWith("namespaces: [shop]\nmaxReplica: 5\n");
  expect(checkConfig(path)).toEqual({
    lines: [`${path}:2: maxReplica: is not a known field: did you mean maxReplicas?`],
    code: 1,
  });
});

test("what rectify config init prints is valid and allows the namespaces that were named", () => {
  const path = fileWith(initialConfig(["shop", "web"]).lines.join("\n"));
  expect(checkConfig(path)).toEqual({ lines: [`${path}: valid, may change shop, web`], code: 0 });
  expect(checkConfig(fileWith(initialConfig([]).lines.join("\n"))).lines[0]).toMatch(/no namespace may be changed yet/);
});

test("a file that is not there is a problem with a remedy", () => {
  const { lines, code } = checkConfig("/nonexistent/rectify.yml");
  expect(code).toBe(1);
  expect(lines.join()).toMatch(/^\/nonexistent\/rectify.yml does not exist,begin with: rectify config init/);
});

test("the schema that rectify config schema prints is closed at every level", () => {
  const open: string[] = [];
  const walk = (node: unknown, at: string): void => {
    if (typeof node !== "object" || node === null) return;
    const { type, properties, additionalProperties } = node as Record<string, unknown>;
    if (type === "object" && properties !== undefined && additionalProperties !== false) open.push(at);
    for (const [key, value] of Object.entries(node)) walk(value, `${at}.${key}`);
  };
  const schema: unknown = JSON.parse(configSchema().lines.join("\n"));
  walk(schema, "");
  expect(schema).toMatchObject({ title: "Rectify guardrails", additionalProperties: false });
  expect(open).toEqual([]);
});
