import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../../../src/adapters/cli-tools/offline.ts";
import { renderer } from "../../../src/adapters/cli-tools/renderer.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { scratchDirectory } from "../../scratch.ts";

const where = (name: string) => {
  const { stdout } = spawnSync("bash", ["test/tools/build.sh", "--where", name], { encoding: "utf8" });
  return stdout.trim();
};
const [kustomize, helm] = [where("kustomize"), where("helm")];
const areThere = [kustomize, helm].every((path) => path !== "" && existsSync(path));
if (!areThere) process.stderr.write("Programs of a repository are not tried: there is no kustomize or no helm.\n");

/** A repository that brings a plugin of helm, which would be run to fetch a chart: it makes the file `ran`. */
function hostile(ran: string): Record<string, string> {
  const touch = `${"../".repeat(20)}usr/bin/touch ${ran}`;
  return {
    "app/kustomization.yaml": `helmGlobals: {configHome: evil}\nhelmCharts:\n  - {name: x, version: 1.0.0, releaseName: r, repo: "evil:${"a".repeat(1_200)}"}\n`,
    "app/evil/.data/plugins/e/plugin.yaml": `name: e\nversion: 0.1.0\nusage: x\ndescription: x\ncommand: ${touch}\ndownloaders:\n  - command: "${touch}"\n    protocols: [evil]\n`,
  };
}

test.skipIf(!areThere)("a program that a repository brings is never run", async () => {
  const ran = join(scratchDirectory(), "ran");
  const rendered = await renderer({ kustomize, helm, kubectl: null }).render(treeOf(hostile(ran)), {
    ...{ tool: "kustomize", path: "app" },
  });
  expect(rendered.kind).toBe("unsupported");
  expect(existsSync(ran)).toBe(false);
});

test.skipIf(!areThere)("not even where the files reach the tools: helm has no plugins", async () => {
  const root = scratchDirectory();
  const ran = join(root, "ran");
  for (const [path, text] of Object.entries(hostile(ran))) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const args = ["build", "--enable-helm", "--helm-command", helm, join(root, "app")];
  const built = await run({ name: "kustomize", path: kustomize }, args, {
    home: join(root, "app"),
    timeLimitMs: 60_000,
  });
  // It asked helm to fetch the chart, and helm knew nobody who could.
  expect(built).toMatchObject({ ok: false, because: expect.stringContaining("protocol handler") });
  expect(existsSync(ran)).toBe(false);
});
