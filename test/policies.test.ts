import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ourPolicies, realKyverno } from "./policies.ts";

const kyverno = await realKyverno();

test("every policy has cases that pass and cases that fail", () => {
  for (const { path } of ourPolicies()) {
    const directory = join(
      import.meta.dirname,
      "..",
      path.replace("policies/", "policies/tests/").replace(".yaml", ""),
    );
    expect({ path, tested: existsSync(join(directory, "kyverno-test.yaml")) }).toEqual({ path, tested: true });
  }
});

test.skipIf(kyverno.kind === "absent")("kyverno test policies/ passes with the pinned CLI", () => {
  const path = kyverno.kind === "found" ? kyverno.path : "";
  const output = execFileSync(path, ["test", join(import.meta.dirname, "../policies"), "--remove-color"], {
    encoding: "utf8",
  });
  expect(output).toMatch(/Test Summary: [1-9]\d+ tests passed and 0 tests failed/);
});
