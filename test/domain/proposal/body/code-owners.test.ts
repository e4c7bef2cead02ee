import { expect, test } from "vitest";
import { treeOf } from "../../../../src/domain/kubernetes/tree.ts";
import { codeOwnersOf } from "../../../../src/domain/proposal/body/code-owners.ts";

const owned = (text: string, ...files: readonly string[]) => codeOwnersOf(treeOf({ CODEOWNERS: text }), files);

// The examples of GitHub's own documentation are among them.
test.each([
  ["*", "a/b/web.yaml", true],
  ["*.yaml", "a/b/web.yaml", true],
  ["*.yaml", "a/b/web.yml", false],
  ["/build/logs/", "build/logs/a/b.log", true],
  ["/build/logs/", "src/build/logs/b.log", false],
  ["docs/*", "docs/getting-started.md", true],
  ["docs/*", "docs/build-app/troubleshooting.md", false],
  ["apps/", "x/apps/y/z.yaml", true],
  ["apps/", "apps", false],
  ["/docs/", "docs/a/b.md", true],
  ["/docs/", "x/docs/b.md", false],
  ["/apps/github", "apps/github/a/b", true],
  ["/apps/github", "apps/githubber", false],
  ["**/logs", "deep/down/logs/a.log", true],
  ["**/logs", "logs/a.log", true],
  ["/a/**/b.yaml", "a/b.yaml", true],
  ["/a/**/b.yaml", "a/x/y/b.yaml", true],
  ["web.?aml", "web.yaml", true],
  ["web.yaml", "webxyaml", false],
  ["!web.yaml", "web.yaml", false],
  ["[w]eb.yaml", "web.yaml", false],
  ["*a*a*a*a*a*a*a*b", "a".repeat(60), false],
])("%s covers %s: %s", (pattern, path, isCovered) => {
  expect(owned(`${pattern} @acme/sre`, path)).toEqual(isCovered ? ["acme/sre"] : []);
});

test("the last line that covers a file counts, also where it names nobody", () => {
  const text = "* @acme/all # everything\n/apps/ @wim ops@example.com @acme/sre\n\n/apps/free/\n# @nobody\n";
  expect(owned(text, "README.md")).toEqual(["acme/all"]);
  expect(owned(text, "apps/web.yaml", "apps/cart.yaml", "README.md")).toEqual(["wim", "acme/sre", "acme/all"]);
  expect(owned(text, "apps/free/web.yaml")).toEqual([]);
});

test("the first of GitHub's three places counts; without one there are no owners", () => {
  const files = { "docs/CODEOWNERS": "* @third", CODEOWNERS: "* @second", ".github/CODEOWNERS": "* @first" };
  expect(codeOwnersOf(treeOf(files), ["a"])).toEqual(["first"]);
  expect(codeOwnersOf(treeOf({ a: "* @nobody" }), ["a"])).toEqual([]);
});
