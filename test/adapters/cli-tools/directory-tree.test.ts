import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { basename, join } from "node:path";
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

test("a symbolic link leads to what the tree holds there, and never out of it", () => {
  const outside = scratchFiles({ "secret.yaml": "token: 1\n" });
  const root = scratchFiles({ "charts/web/values.yaml": "size: 2\n", ".gitignore": "/hidden/\n", "hidden/a.yaml": "" });
  execFileSync("git", ["init", "-q", root]);
  const links = {
    "charts/api": "web",
    "charts/api-of-api": "../charts/api",
    hosts: "/etc/hosts",
    absolute: join(root, "charts"),
    above: join("..", basename(outside)),
    dangling: "nowhere",
    circle: "circle",
    round: "charts/../round/..",
    ignored: "hidden",
  };
  for (const [link, target] of Object.entries(links)) symlinkSync(target, join(root, link));
  const tree = directoryTree(root);
  expect(tree.paths()).toEqual([".gitignore", "charts/web/values.yaml"]);
  expect(Object.fromEntries(tree.links?.targets ?? [])).toEqual(links);
  const read = (path: string) => new TextDecoder().decode(tree.read(path));
  expect(["charts/api/values.yaml", "charts/api-of-api/values.yaml"].map(read)).toEqual(["size: 2\n", "size: 2\n"]);
  for (const lost of ["hosts", "absolute/web/values.yaml", "above/secret.yaml", "dangling", "circle", "round/hosts"])
    expect(tree.read(lost)).toBeUndefined();
  expect(tree.read("ignored/a.yaml")).toBeUndefined();
});
