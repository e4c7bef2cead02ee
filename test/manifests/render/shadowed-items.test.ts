import { expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { render } from "../../../src/manifests/render/render.ts";

const env = (items: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, image: a, env: [${items}]}]}}}
`;
const twice = "{name: A, value: '1'}, {name: B, value: '2'}, {name: A, value: '3'}";

function rendered(patch: string) {
  const files = {
    "shop/kustomization.yaml": "resources: [web.yaml]\npatches: [{path: patch.yaml}]\n",
    "shop/web.yaml": env(twice),
    "shop/patch.yaml": patch,
  };
  return render(treeOf(files), { tool: "flux", path: "shop" });
}

test("of an item that stands twice in the base the last one counts, where the first one stood", () => {
  const found = rendered("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n");
  expect(JSON.stringify(found)).toContain('"env":[{"name":"A","value":"3"},{"name":"B","value":"2"}]');
});

test("a patch of such an item is not guessed at", () => {
  expect(rendered(env("{name: A, value: '9'}")).kind).toBe("unsupported");
});
