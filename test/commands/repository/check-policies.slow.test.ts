import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { RenderedObject } from "../../../src/domain/kubernetes/rendered.ts";
import { aDeployment, realKyverno } from "../../policies.ts";

const directory = mkdtempSync(join(tmpdir(), "rectify-check-test-"));
afterAll(() => rmSync(directory, { recursive: true }));

const kyverno = await realKyverno();
const root = join(import.meta.dirname, "../../..");
const uid = "5b0c1f4e-9a3d-5c7e-8f21-d6a0b3e4c592";

function check(before: readonly RenderedObject[], after: readonly RenderedObject[], ...more: string[]) {
  const files = { before, after };
  for (const [name, objects] of Object.entries(files)) {
    const text = objects.map((object) => JSON.stringify(object)).join("\n---\n");
    writeFileSync(join(directory, `${name}.yaml`), `${text}\n---\n`);
  }
  const paths = ["--before", join(directory, "before.yaml"), "--after", join(directory, "after.yaml")];
  const argv = [join(root, "src/cli.ts"), "check-policies", ...paths, "--policies", join(root, "policies"), ...more];
  const ran = spawnSync(join(root, "node_modules/.bin/tsx"), argv, { encoding: "utf8" });
  return { status: ran.status, text: ran.stdout };
}

const web = (replicas: number) => aDeployment("web", { replicas });

describe.skipIf(kyverno.kind === "absent")("the gate of the workflow", () => {
  test("is green for a sane change of the bot", () => {
    expect(check([web(2)], [web(5)], "--by-rectify", "--incident", uid)).toMatchObject({
      status: 0,
      text: expect.stringContaining("All policies passed"),
    });
  });

  test("is red for a change of the bot that names no incident", () => {
    expect(check([web(2)], [web(5)], "--by-rectify")).toMatchObject({
      status: 1,
      text: expect.stringContaining("rectify-traceable"),
    });
  });

  test("is red for a new object of the bot", () => {
    const more = aDeployment("more");
    expect(check([web(2)], [web(2), more], "--by-rectify", "--incident", uid).status).toBe(1);
  });

  test("is red when an object of the bot goes away", () => {
    expect(check([web(2), aDeployment("gone")], [web(2)], "--by-rectify", "--incident", uid)).toMatchObject({
      status: 1,
      text: expect.stringContaining("was not rendered"),
    });
  });

  test("holds people to the state of an object, not to the fields that they may change", () => {
    const labelled = { ...web(9), metadata: { ...web(9).metadata, labels: { team: "a" } } };
    expect(check([web(2)], [labelled]).status).toBe(0);
    expect(check([web(2)], [web(99)]).status).toBe(1);
  });

  test("is red when nothing was rendered", () => {
    expect(check([], []).status).toBe(1);
  });
});
