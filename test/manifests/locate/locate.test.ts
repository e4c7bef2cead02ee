import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Entry, WantedChange } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import type { LiveWorkload } from "../../../src/domain/kubernetes/workload.ts";
import { answerQuestion } from "../../../src/manifests/locate/answer.ts";
import { render } from "../../../src/manifests/render/render.ts";
import { locate } from "../../../src/manifests/locate/locate.ts";
import { differences } from "../../../src/manifests/edit/proof.ts";
import { parseText } from "../../../src/manifests/yaml/source.ts";
import { linksBelow } from "../links-below.ts";

/** Each directory is one trap: the files before, the question with its expected outcome, the changed files after. */
const root = join(import.meta.dirname, "../cases");
const names = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

interface Asked {
  readonly workload: LiveWorkload;
  readonly change: WantedChange;
  readonly entry: Entry;
  /** `edit`, or the reason of the refusal. */
  readonly expect: string;
}

const filesBelow = (directory: string): Record<string, Uint8Array> => {
  if (!existsSync(directory)) return {};
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    paths.map((path) => [path.slice(directory.length + 1), new Uint8Array(readFileSync(path))]),
  );
};
const asText = (bytes: Uint8Array | undefined): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

test.each(names)("%s", (name) => {
  const asked = JSON.parse(readFileSync(join(root, name, "edit.json"), "utf8")) as Asked;
  const before = filesBelow(join(root, name, "before"));
  const after = filesBelow(join(root, name, "after"));
  const outcome = locate(treeOf(before, linksBelow(join(root, name, "before"))), asked);
  if (outcome.kind === "refused") {
    expect(`${outcome.reason}: ${outcome.because}`).toMatch(new RegExp(`^${asked.expect}: `));
    expect(outcome.fix).toMatch(/^[A-Z].*\.$/);
    expect(Object.keys(after)).toEqual([]);
    return;
  }
  expect("edit").toBe(asked.expect);
  expect(outcome.files.map((file) => file.path)).toEqual(Object.keys(after));
  expect(outcome.owners.length).toBeGreaterThan(0);
  for (const file of outcome.files) {
    expect(file.before).toBe(asText(before[file.path]));
    expect(file.after).toBe(asText(after[file.path]));
    expect(changedFields(file.path, file.before ?? "", file.after)).toBe(1);
  }
});

/** The bot's plan proves every edit: it must not refuse what is located. */
test.each(names)("%s: the proof agrees with the edit", async (name) => {
  const asked = JSON.parse(readFileSync(join(root, name, "edit.json"), "utf8")) as Asked;
  if (asked.expect !== "edit") return;
  const before = treeOf(filesBelow(join(root, name, "before")), linksBelow(join(root, name, "before")));
  const answer = await answerQuestion(before, asked, (tree, entry) => Promise.resolve(render(tree, entry)));
  expect(answer).toMatchObject({ kind: "edit" });
});

/** The lines that name the place in a refusal are what a person follows. */
test.each([
  ["guard-comment-above", "apps/web/deployment.yaml:6"],
  ["generated-header", "apps/web/deployment.yaml:1"],
  ["hpa-owns-replicas", "apps/web/hpa.yaml:1"],
  ["anchor-used-twice", "apps/web/deployment.yaml:13"],
  ["delete-patch", "apps/web/gone.yaml:1"],
  ["remote-base", "apps/web/kustomization.yaml:4"],
  ["missing-file", "apps/web/kustomization.yaml:4"],
  ["cyclic-bases", "apps/other/kustomization.yaml:4"],
  ["scaled-to-zero", "apps/web/deployment.yaml:6"],
  ["duplicate-key", "apps/web/deployment.yaml:15"],
])("the refusal of %s names %s", (name, place) => {
  const asked = JSON.parse(readFileSync(join(root, name, "edit.json"), "utf8")) as Asked;
  const outcome = locate(treeOf(filesBelow(join(root, name, "before"))), asked);
  expect(outcome.kind === "refused" ? outcome.because : "an edit").toContain(place);
});

function changedFields(path: string, before: string, after: string): number {
  const [left, right] = [parseText(path, before, before), parseText(path, after, after)];
  if (!left.ok || !right.ok) return -1;
  return differences(
    left.file.documents.map((one) => one.root),
    right.file.documents.map((one) => one.root),
  ).length;
}
