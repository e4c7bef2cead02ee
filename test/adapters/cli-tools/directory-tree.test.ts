import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { directoryTree } from "../../../src/adapters/cli-tools/directory-tree.ts";
import { scratchFiles } from "../../scratch.ts";

const files = {
  ".gitignore": "/.data/\n*.log\n",
  "apps/web.yaml": "kind: Deployment\n",
  "apps/new.yaml": "kind: Deployment\n",
  "apps/run.log": "",
  ".data/mirror/trees/1/apps/web.yaml": "kind: Deployment\n",
};

test("what Git ignores below a checkout is no part of the repository; what is only new is", () => {
  const root = scratchFiles(files);
  execFileSync("git", ["init", "-q", root]);
  execFileSync("git", ["-C", root, "add", "apps/web.yaml"]);
  const tree = directoryTree(root);
  expect(tree.paths()).toEqual([".gitignore", "apps/new.yaml", "apps/web.yaml"]);
  expect(tree.read(".data/mirror/trees/1/apps/web.yaml")).toBeUndefined();
  expect(directoryTree(join(root, "apps")).paths()).toEqual(["new.yaml", "web.yaml"]);
});

test("another repository that Git names in the environment, as in a hook, decides nothing", () => {
  const root = scratchFiles(files);
  execFileSync("git", ["init", "-q", root]);
  execFileSync("git", ["-C", root, "add", "--force", "apps/run.log"]);
  const other = scratchFiles({});
  execFileSync("git", ["init", "-q", other]);
  process.env.GIT_DIR = join(other, ".git");
  try {
    expect(directoryTree(root).paths()).toEqual([".gitignore", "apps/new.yaml", "apps/run.log", "apps/web.yaml"]);
  } finally {
    delete process.env.GIT_DIR;
  }
});

test("a directory that is no checkout is read whole, and so is one that Git ignores as a whole", () => {
  expect(directoryTree(scratchFiles(files)).paths()).toEqual(Object.keys(files).sort());
  const root = scratchFiles(files);
  execFileSync("git", ["init", "-q", root]);
  expect(directoryTree(join(root, ".data/mirror/trees/1")).paths()).toEqual(["apps/web.yaml"]);
});

test("a symbolic link is a file that holds where it leads, as in Git", () => {
  const root = scratchFiles({ "charts/web/values.yaml": "size: 2\n" });
  symlinkSync("web", join(root, "charts/api"));
  symlinkSync("/etc/hosts", join(root, "hosts"));
  const tree = directoryTree(root);
  expect(tree.paths()).toEqual(["charts/api", "charts/web/values.yaml", "hosts"]);
  const texts = ["charts/api", "hosts"].map((path) => new TextDecoder().decode(tree.read(path)));
  expect(texts).toEqual(["web", "/etc/hosts"]);
});
