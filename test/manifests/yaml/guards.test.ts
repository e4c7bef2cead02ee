import { expect, test } from "vitest";
import { fileGuard } from "../../../src/manifests/yaml/guards.ts";
import { at, parseText } from "../../../src/manifests/yaml/source.ts";

const values = `replicaCount: 2
image: {repository: web, tag: "1"}
services:
  - name: db
    image: {tag: "2"}
`;

/** Whether the head of a file of values guards the place. */
function guards(head: string, path: readonly (string | number)[]): boolean {
  const text = `${head}\n${values}`;
  const source = parseText("values.yaml", text, text);
  const node = source.ok ? at(source.file.documents[0]?.root, path) : undefined;
  if (node === undefined) throw new Error("no such place");
  return fileGuard("values.yaml", text, node) !== undefined;
}

const count = ["replicaCount"];
const tag = ["image", "tag"];

test.each<[string, readonly (string | number)[], boolean]>([
  ["# image.tag is owned by CI, never edit", tag, true],
  ["# image.tag is owned by CI, never edit", ["services", 0, "image", "tag"], true],
  ["# image.tag is owned by CI, never edit", count, false],
  ["# image.tag is owned by CI, never edit", ["image", "repository"], false],
  ["# Never edit `image.tag` by hand.", count, false],
  ["# Do not change the image.tag and replicaCount here", count, true],
  ["# do not touch image: CI writes it", tag, true],
  ["# do not touch image: CI writes it", count, false],
  ["# do not edit image files", count, true],
  ["# Do not edit: see image.tag in other-values.yaml", count, true],
  ["# Do not edit. The tag comes from image.tag", count, true],
  ["# image.digest is owned by CI, never edit", count, true],
  ["# never edit this file", count, true],
  ["# image.tag is owned by CI, never edit\\n# do not edit the rest either", count, true],
  ["# services and image are owned by CI, never edit", count, false],
  ["# image.tag is owned by CI, never edit", [], true],
])("%s: %j is guarded: %s", (head, path, expected) => {
  expect(guards(head.replaceAll("\\n", "\n"), path)).toBe(expected);
});

test("a line too long to name keys guards the whole file, and costs no time", () => {
  expect(guards(`# image.tag is owned by CI, never edit${" ".repeat(300_000)}x`, count)).toBe(true);
});

test("where no place is known the whole file is guarded", () => {
  expect(fileGuard("values.yaml", `# image.tag is owned by CI, never edit\n${values}`)?.reason).toBe("guard-comment");
});
