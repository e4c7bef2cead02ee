import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { guardedHelm } from "../../../../src/adapters/cli-tools/helm/guarded-helm.ts";
import { scratchDirectory } from "../../../scratch.ts";

/** What the guard hands on to a helm that repeats what it is asked. */
function handedOn(args: (scratch: string) => readonly string[]) {
  const scratch = scratchDirectory();
  mkdirSync(join(scratch, "tree"));
  writeFileSync(join(scratch, "tree/values.yaml"), "");
  const path = guardedHelm("/bin/echo", scratch, { scratch, timeLimitMs: 60_000 });
  const asked = args(scratch);
  const { status, stdout } = spawnSync(path, asked, { encoding: "utf8", env: {} });
  return { asked: asked.join(" "), status, said: stdout.trim() };
}

test.each([
  [
    (scratch: string) => [
      "template",
      "web",
      `${scratch}/tree`,
      "--namespace",
      "shop",
      "-f",
      `${scratch}/tree/values.yaml`,
    ],
  ],
  [(scratch: string) => ["template", "--generate-name", `${scratch}/tree`, "--api-versions", "a/v1", "--no-hooks"]],
  [() => ["version", "-c", "--short"]],
])("helm is asked for what a chart needs", (args) => {
  const { asked, status, said } = handedOn(args);
  expect({ status, said }).toEqual({ status: 0, said: asked });
});

test.each([
  [(scratch: string) => ["template", "--post-renderer=/bin/sh", `${scratch}/tree`]],
  [(scratch: string) => ["template", "web", `${scratch}/tree`, "--output-dir", `${scratch}/tree`]],
  [(scratch: string) => ["template", "web", `${scratch}/tree`, "--namespace", "--post-renderer=/bin/sh"]],
  [(scratch: string) => ["template", "web", `${scratch}/tree`, "-f", "/etc/hosts"]],
  [(scratch: string) => ["template", "web", `${scratch}/tree`, "-f"]],
  [() => ["template", "web", "/etc"]],
  [() => ["template", "web", "../tree"]],
  [() => ["pull", "web"]],
  [() => ["version", "--kubeconfig=/etc/hosts"]],
  [() => []],
])("and for nothing else", (args) => {
  expect(handedOn(args)).toMatchObject({ status: 1, said: "" });
});
