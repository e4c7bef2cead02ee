import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseYaml } from "../../../src/manifests/yaml/yaml.ts";
import type { RenderedObject } from "../../../src/domain/kubernetes/rendered.ts";
import { holds } from "../../../src/lab/faults/condition.ts";
import { edited } from "../../../src/lab/faults/edits.ts";
import { faultSchema, readFault } from "../../../src/lab/faults/fault-file.ts";
import { faultScenario } from "../../../src/lab/faults/fault-scenario.ts";
import { judgeFault } from "../../../src/lab/faults/judge-fault.ts";

const folder = "test/faults-atlas";
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
const textOf = (name: string) => readFileSync(`${folder}/${name}`, "utf8");

function faultIn(text: string) {
  const read = readFault(text);
  if (!read.ok) throw new Error(read.problems.join("; "));
  return read.fault;
}

test("the schema is the one that the files are read by", () => {
  expect(JSON.parse(textOf("fault.schema.json"))).toEqual(JSON.parse(JSON.stringify(faultSchema())));
});

describe.each(files)("%s", (name) => {
  test("is read, its set-up fits the repository, and no field of it is left aside", () => {
    const fault = faultIn(textOf(name));
    expect(faultScenario(fault).world?.files).toBeDefined();
    const schema = faultSchema() as { properties: Record<string, unknown> };
    const document = parseYaml(textOf(name));
    const fields = document.ok ? Object.keys(document.value as object) : [];
    expect(fields.filter((field) => !Object.hasOwn(schema.properties, field))).toEqual([]);
  });
});

test("a file with a mistake says where", () => {
  const read = readFault("workload: web\nactive: {always: true}\nexpect: {remedy: magic}\n");
  expect(read).toMatchObject({ ok: false, problems: [expect.stringContaining("expect.remedy")] });
});

describe("a condition", () => {
  const web = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", annotations: { "a.b/c": "1" } },
    spec: {
      containers: [
        {
          name: "web",
          image: "web:1",
          env: [
            { name: "A", value: "x" },
            { name: "A", value: "" },
          ],
        },
      ],
    },
  } as unknown as RenderedObject;
  const env = "spec.containers[name=web].env[name=A].value";

  test.each([
    [{ object: "Deployment/web", path: env, equals: "" }, true],
    [{ object: "Deployment/web", path: "metadata.annotations.a\\.b/c", equals: 1 }, true],
    [{ object: "Deployment/web", path: "spec.containers[0].image", matches: ":2$" }, false],
    [{ object: "Service/web", absent: true }, true],
    [{ object: "Service/web", path: "spec.selector.app", notEquals: "web" }, true],
    [{ not: { object: "Deployment/web" } }, false],
    [{ any: [{ always: false }, { object: "Deployment/web", path: "spec.volumes", exists: false }] }, true],
    [{ object: "Deployment/web", path: "spec.containers[*].image", contains: "web", notMatches: "^x" }, true],
  ])("%j holds: %s", (condition, expected) => {
    expect(holds(condition, [web])).toBe(expected);
  });
});

test("edits apply in their order, and one that finds nothing is an error", () => {
  const done = edited({ "a.yaml": "one\ntwo\n" }, [
    { file: "a.yaml", replace: "two", with: "three" },
    { file: "a.yaml", after: "one", insert: "between\n" },
    { file: "b.yaml", append: "new\n" },
  ]);
  expect(done).toEqual({ "a.yaml": "one\nbetween\nthree\n", "b.yaml": "new\n" });
  expect(() => edited({ "a.yaml": "one\n" }, [{ file: "a.yaml", replace: "two", with: "" }])).toThrow("does not hold");
});

test("a change that the file does not expect is a wrong remedy, one that is missing is missed", () => {
  const { expect: expected } = faultIn("workload: web\nactive: {always: true}\nexpect: {remedy: none}\n");
  const ran = { cause: undefined, commits: [], told: [], healed: false };
  const changed = {
    ...ran,
    outcome: { ending: "recovered", because: "", remediation: { kind: "scale" } },
    files: ["a.yaml"],
  } as never;
  expect(judgeFault({ expect: expected }, changed)).toMatchObject({ right: false, wrongRemedy: true });
  const nothing = { ...ran, outcome: { ending: "no-change", because: "" }, files: [] } as never;
  expect(judgeFault({ expect: { ...expected, remedy: ["scale"] } }, nothing)).toMatchObject({ missed: true });
  expect(judgeFault({ expect: expected }, nothing)).toMatchObject({ right: true, wrongRemedy: false });
});
