import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { findKyverno, kyvernoEngine } from "../../../src/adapters/cli-tools/kyverno.ts";
import { checkedObjects } from "../../../src/domain/gate/checked-objects.ts";
import { aDeployment, ourPolicies } from "../../policies.ts";

const directory = mkdtempSync(join(tmpdir(), "rectify-kyverno-test-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** A program that stands where the CLI would: it says its version, and then does what the case says. */
function aProgram(name: string, version: string, apply: string): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\nif [ "$1" = version ]; then echo "Version: ${version}"; exit 0; fi\n${apply}\n`);
  chmodSync(path, 0o755);
  return path;
}

function engineOf(path: string, timeoutMs = 60_000) {
  return kyvernoEngine({ path, toolsDirectory: "/nonexistent", searchPath: "", timeoutMs });
}

const question = { files: ourPolicies(), objects: checkedObjects([aDeployment("web")], [], undefined).objects };

describe("K01 K05: a CLI that does not answer as it should gives no verdict", () => {
  test.each<[string, string, string, RegExp]>([
    ["another version", "v1.18.0", "exit 0", /version 1.18.0: tested are 1.19.1/],
    ["no version", "", "exit 0", /not a Kyverno CLI that runs/],
    ["nothing on stdout", "v1.19.1", "exit 0", /report of the Kyverno CLI cannot be read/],
    ["garbage on stdout", "v1.19.1", "echo panic; exit 0", /report of the Kyverno CLI cannot be read/],
    ["a report without results", "v1.19.1", `echo '{"kind":"ClusterReport","results":[]}'`, /does not name policy/],
    ["an end by SIGKILL", "v1.19.1", "kill -9 $$", /policy check did not run/],
    ["an unknown exit code", "v1.19.1", "exit 42", /ended with 42/],
  ])("%s", async (name, version, apply, because) => {
    const path = aProgram(name.replaceAll(" ", "-"), version, apply);
    expect(await engineOf(path).judge(question)).toMatchObject({
      kind: "not-evaluated",
      because: expect.stringMatching(because),
    });
  });

  test("a hang ends at the deadline", async () => {
    const path = aProgram("hang", "v1.19.1", "exec /bin/sleep 600");
    expect(await engineOf(path, 300).judge(question)).toMatchObject({
      kind: "not-evaluated",
      because: "the policy check did not run: no answer within 0.3 s",
    });
  });

  test("all batches share one deadline", async () => {
    const path = aProgram("slow-batches", "v1.19.1", `/bin/sleep 0.2; echo '{"kind":"Report"}'`);
    const tenTimes = { ...question, objects: Array(10).fill(question.objects).flat() as typeof question.objects };
    expect(await engineOf(path, 1_000).judge(tenTimes)).toMatchObject({
      because: "the policy check did not run: no answer within 1 s",
    });
  });

  test("a missing executable", async () => {
    expect((await engineOf(join(directory, "nothing-here")).judge(question)).kind).toBe("not-evaluated");
  });

  test("nothing installed at all says how to install it", async () => {
    const found = await findKyverno({ toolsDirectory: "/nonexistent", searchPath: "", timeoutMs: 1 });
    expect(found).toEqual({ kind: "absent", because: expect.stringContaining("npm run tools:kyverno") });
  });

  test("the tools' cache comes before PATH, and a wrong version is passed over", async () => {
    for (const [build, version] of [
      ["a", "v1.0.0"],
      ["b", "v1.19.1"],
    ] as const) {
      mkdirSync(join(directory, "cache", build), { recursive: true });
      aProgram(join("cache", build, "kyverno"), version, "exit 0");
    }
    const found = await findKyverno({
      toolsDirectory: join(directory, "cache"),
      searchPath: `relative:${directory}`,
      timeoutMs: 1,
    });
    expect(found).toEqual({ kind: "found", version: "1.19.1", path: join(directory, "cache/b/kyverno") });
  });
});

test("the CLI gets no environment but its own scratch directory", async () => {
  const report = `printf '%s' "$(env | cut -d= -f1 | sort | tr '\\n' ' ')" >&2; env | cut -d= -f1 > "${directory}/env"`;
  process.env.RECTIFY_CANARY = "secret";
  await engineOf(aProgram("env-canary", "v1.19.1", `PATH=/usr/bin:/bin; ${report}`)).judge(question);
  const names = readFileSync(join(directory, "env"), "utf8").split("\n");
  delete process.env.RECTIFY_CANARY;
  expect(names).toContain("KUBECONFIG");
  expect(names).not.toContain("RECTIFY_CANARY");
});
