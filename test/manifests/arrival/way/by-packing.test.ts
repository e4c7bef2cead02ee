import { expect, test } from "vitest";
import type { Entry } from "../../../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf } from "../../../../src/domain/kubernetes/tree.ts";
import { answerQuestion } from "../../../../src/manifests/locate/answer.ts";
import { render } from "../../../../src/manifests/render/render.ts";

const files = {
  "oci/web/kustomization.yaml": "resources: [web.yaml]\n",
  "oci/web/web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: 2, template: {spec: {containers: [{name: web, image: "registry.example/web:1.0"}]}}}
`,
};
const loose: Entry = { tool: "kustomize", path: "oci/web" };
const release = ".github/workflows/release.yaml";

async function proofOf(more: Readonly<Record<string, string>>, entry = loose) {
  const workload = { kind: "Deployment", namespace: "shop", name: "web" };
  const question = { workload, change: { kind: "replicas", to: 3 } as const, entry };
  const answer = await answerQuestion(treeOf({ ...files, ...more }), question, async (at, one) => render(at, one));
  if (answer.kind === "refused") return `${answer.reason}: ${answer.because}`;
  const { proof } = answer.effect;
  return proof.kind === "rendered" ? "proved" : proof.because;
}

const step = (run: string) => `jobs:\n  push:\n    steps:\n      - run: |\n          ${run}\n`;

test.each([
  ["its own path", release, step('flux push artifact oci://r/web:1 --path="./oci/web" --source=x'), "./oci/web"],
  [
    "a path with a variable",
    release,
    step("flux push artifact $REF \\\n            --path ./oci/${app}"),
    "./oci/${app}",
  ],
  ["a path below a variable alone", "Makefile", 'push:\n\tflux push artifact $(REF) --path="$(ROOT)"\n', "$(ROOT)"],
  ["what somebody pipes in", "hack/push.sh", "kustomize build . | flux push artifact oci://r/x:1 -f-\n", "."],
  ["what is made on the way", "push.sh", "flux push artifact oci://r/x:1 --path=./generated\n", "./generated"],
  [
    "the directory above, by a step",
    release,
    "steps:\n  - uses: acme/fluxcd/distribution/actions/push@v1\n    with:\n      repository: r/x\n      path: ./oci\n  - run: done\n",
    "./oci",
  ],
  ["a directory as it is", "push.sh", "oras push ghcr.io/acme/web:1 ./oci/web/:application/x.content\n", "./oci/web/"],
])("a loose kustomization is no proof where the repository packs %s", async (_, path, text, what) => {
  const line = text.slice(0, text.search(/flux push|oras push|uses:/)).split("\n").length;
  expect(await proofOf({ [path]: text })).toBe(
    `${path}:${line} packs ${what} as an artifact, and nobody here knows which clusters take it: ` +
      "if it is this one alone, declare here what deploys it from Git, and otherwise look at each of them",
  );
});

test.each([
  ["another directory", { "push.sh": "flux push artifact oci://r/x:1 --path=./charts\n", "charts/a.yaml": "a: 1\n" }],
  ["only something else by ORAS", { "push.sh": "oras push ghcr.io/acme/sbom:1 sbom.json:application/json\n" }],
  ["nothing, and a comment says how", { "push.sh": "# flux push artifact oci://r/x:1 --path=./oci\n" }],
  ["nothing, and a document says how", { "README.md": "flux push artifact oci://r/x:1 --path=./oci\n" }],
])("it is one where the repository packs %s", async (_, more) => {
  expect(await proofOf(more)).toBe("proved");
});

test("what an object of the repository deploys from Git is proved, whoever takes it besides", async () => {
  const flux = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web, namespace: flux-system}
spec: {path: ./oci/web, sourceRef: {kind: GitRepository, name: flux-system}}
`;
  const more = { "clusters/web.yaml": flux, "push.sh": "flux push artifact oci://r/x:1 --path=./oci\n" };
  expect(await proofOf(more, { tool: "flux", path: "oci/web", object: "Kustomization flux-system/web" })).toBe(
    "proved",
  );
  expect(await proofOf(more)).toBe("proved");
});

test("what an object takes from an artifact is no proof either", async () => {
  const flux = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web, namespace: flux-system}
spec: {path: ./oci/web, sourceRef: {kind: OCIRepository, name: flux-system}}
`;
  const more = { "clusters/web.yaml": flux, "push.sh": "flux push artifact oci://r/x:1 --path=./oci\n" };
  const entry: Entry = { tool: "flux", path: "oci/web", object: "Kustomization flux-system/web" };
  for (const asked of [entry, loose])
    expect(await proofOf(more, asked)).toMatch("push.sh:1 packs ./oci as an artifact");
});
