import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { answerQuestion } from "../../../src/manifests/locate/answer.ts";
import { render } from "../../../src/manifests/render/render.ts";
import type { FieldQuestion } from "../../../src/manifests/trace/entry-build.ts";
import { helm, realCharts } from "../charts/real-helm.ts";
import { linksBelow } from "../links-below.ts";

/** As the golden cases beside them, but of charts that only the real Helm can render. */
const root = join(import.meta.dirname, "../chart-cases");
const names = readdirSync(root);

interface Asked extends FieldQuestion {
  /** `edit`, or the reason of the refusal. */
  readonly expect: string;
  /** What a refusal must name. */
  readonly names?: string;
  /** `static` where a person must look, with what a warning names; else it is rendered. */
  readonly proof?: string;
}

function filesBelow(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [path.slice(directory.length + 1), readFileSync(path, "utf8")]));
}

describe.skipIf(helm === undefined)("charts, with the real Helm", () => {
  test.each(names)("%s", async (name) => {
    const asked = JSON.parse(readFileSync(join(root, name, "edit.json"), "utf8")) as Asked;
    const before = join(root, name, "before");
    const tree = treeOf(filesBelow(before), linksBelow(before));
    const answer = await answerQuestion(tree, asked, async (at, entry) => render(at, entry), realCharts().tools);
    if (answer.kind === "refused") {
      expect(`${answer.reason}: ${answer.because}`).toMatch(new RegExp(`^${asked.expect}: `));
      expect(answer.because).toContain(asked.names ?? "");
      return;
    }
    expect("edit").toBe(asked.expect);
    expect(answer.effect.proof.kind).toBe(asked.proof ?? "rendered");
    expect(answer.warnings.join(" ")).toContain(asked.names ?? "");
    const files = Object.fromEntries(answer.files.map(({ path, after }) => [path, after]));
    expect(files).toEqual(filesBelow(join(root, name, "after")));
  });
});
