import { expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { reachOf } from "../../../src/manifests/gitops/reach.ts";

test("an address that a kustomization only writes into objects is no base that must be fetched", () => {
  const text = `resources: [https://git.example/base//web]
commonAnnotations: {docs: https://docs.example/web}
labels: [{pairs: {site: https://site.example}}]
configMapGenerator: [{name: links, literals: ["BUGS=https://git.example/fleet/issues"]}]
patches: [{path: https://git.example/patch.yaml, target: {annotationSelector: https://site.example}}]
`;
  expect(reachOf(treeOf({ "web/kustomization.yaml": text }), "web").remote).toEqual([
    "https://git.example/base//web",
    "https://git.example/patch.yaml",
  ]);
});
