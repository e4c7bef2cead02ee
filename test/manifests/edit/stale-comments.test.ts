import { expect, test } from "vitest";
import { staleComments } from "../../../src/manifests/edit/stale-comments.ts";

const staleIn = (before: string, after: string, path = "apps/web.yaml") => staleComments([{ path, before, after }]);

test("a comment beside the value that changes is pointed out, with its line and the value it was written for", () => {
  expect(
    staleIn(
      "kind: Deployment\nspec:\n  replicas: 4 # 180 requests a second\n",
      "kind: Deployment\nspec:\n  replicas: 7 # 180 requests a second\n",
    ),
  ).toEqual([
    "apps/web.yaml:3 keeps the comment “180 requests a second”, written for 4: it may be false after this change",
  ]);
});

test("so is a number in the lines right above, and in nothing further away", () => {
  const file = (replicas: number) =>
    `# 9 lives\n\n# 45 requests each\n# as load tests say\nreplicas: ${replicas}\n# 3 zones\n`;
  expect(staleIn(file(2), file(3))).toEqual([
    expect.stringMatching(/^apps\/web\.yaml:3 keeps the comment “45 requests each”, written for 2/),
  ]);
});

test.each([
  ["a directive of a tool", 'image: "a:1" # {"$imagepolicy": "x"}\n', 'image: "a:2" # {"$imagepolicy": "x"}\n'],
  ["a sign in quotes", 'note: "a # 1"\n', 'note: "a # 2"\n'],
  ["a fragment of an address", "url: http://x/#1\n", "url: http://x/#2\n"],
  ["a comment of another line", "a: 1 # one\nb: 2\n", "a: 1 # one\nb: 3\n"],
  ["a line that is new", "a: 1\n", "a: 1\nb: 3 # three\n"],
])("%s is none", (_, before, after) => {
  expect(staleIn(before, after)).toEqual([]);
});

test("only YAML has such comments", () => {
  expect(staleIn("a: 1 # 5\n", "a: 2 # 5\n", "notes.md")).toEqual([]);
});
