import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFiles } from "../scratch.ts";
import { withNeighbors } from "./survey-neighbors.ts";

const chart = (name: string, neighbor?: string): string =>
  `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n${neighbor === undefined ? "" : `dependencies: [{name: x, version: 1.0.0, repository: "file://../${neighbor}"}]\n`}`;
const files = {
  "charts/web/Chart.yaml": chart("web", "base"),
  "charts/base/Chart.yaml": chart("base", "common"),
  "charts/common/Chart.yaml": chart("common"),
};

test("a chart has the charts beside it that it names and that nobody packed, in a copy", () => {
  const root = scratchFiles(files);
  const seen = withNeighbors(root, "charts/web", (path) =>
    existsSync(join(path, "charts/base/charts/common/Chart.yaml")),
  );
  expect(seen).toBe(true);
  expect(readdirSync(join(root, "charts/web"))).toEqual(["Chart.yaml"]);
});

test("what is packed stays as it is", () => {
  const root = scratchFiles({ ...files, "charts/web/charts/base-1.0.0.tgz": "" });
  expect(withNeighbors(root, "charts/web", (path) => path)).toBe(join(root, "charts/web"));
});
