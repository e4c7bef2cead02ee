import { describe, expect, test } from "vitest";
import type { ManifestEdit, WantedChange } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { locateByRendering } from "../../../src/manifests/locate/locate-by-rendering.ts";
import { answerQuestion } from "../../../src/manifests/locate/answer.ts";
import { render } from "../../../src/manifests/render/render.ts";
import { renderer } from "../../../src/adapters/cli-tools/renderer.ts";
import { helm, realCharts } from "../charts/real-helm.ts";

const chart = "apiVersion: v2\nname: shop\nversion: 0.1.0\n";
const application = (helmOptions = "") =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop, namespace: argocd}\nspec:\n  source:\n    repoURL: https://git.example/a.git\n    path: chart\n${helmOptions}  destination: {namespace: shop}\n`;

function deployment(
  name: string,
  parts: { replicas: string; resources?: string; image?: string; more?: string },
): string {
  const { replicas, resources = "{}", image = "registry.example/web:1.0.0", more = "" } = parts;
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: ${image}
          resources: ${resources}
${more}`;
}

const entry = { tool: "argocd", path: "chart", object: "Application argocd/shop" } as const;
const base = { "chart/Chart.yaml": chart, "apps/shop.yaml": application() };
const three: WantedChange = { kind: "replicas", to: 3 };

async function ask(files: Record<string, string>, change: WantedChange = three, name = "web") {
  const { tools, asked } = realCharts();
  const workload = { kind: "Deployment", namespace: "shop", name };
  const edit = await locateByRendering(treeOf(files), { workload, change, entry }, tools);
  return { edit, renderings: asked.renderings };
}

const changed = (edit: ManifestEdit) => {
  if (edit.kind === "refused") throw new Error(`${edit.reason}: ${edit.because}`);
  return Object.fromEntries(edit.files.map(({ path, after }) => [path, after]));
};

describe.skipIf(helm === undefined)("a chart of the repository, with the real Helm", () => {
  test("a key that is called as nobody would guess is found, and the edit is proved", async () => {
    const { edit, renderings } = await ask({
      ...base,
      "chart/values.yaml": "scaling: {min: 2}\nother: 2\nmaxSurge: 2\n",
      "chart/templates/web.yaml": deployment("web", { replicas: "{{ .Values.scaling.min }}" }),
    });
    expect(changed(edit)).toEqual({ "chart/values.yaml": "scaling: {min: 3}\nother: 2\nmaxSurge: 2\n" });
    expect(edit).toMatchObject({ rendered: { changes: [{ field: ["spec", "replicas"], from: 2, to: 3 }] } });
    expect(renderings).toBeLessThanOrEqual(12);
  });

  test("a key that moves another object as well is refused, and the object named", async () => {
    const both = `${deployment("web", { replicas: "{{ .Values.replicas }}" })}---\n${deployment("api", { replicas: "{{ .Values.replicas }}" })}`;
    const { edit } = await ask({ ...base, "chart/values.yaml": "replicas: 2\n", "chart/templates/all.yaml": both });
    expect(edit).toMatchObject({ kind: "refused", reason: "shared-source" });
    expect(edit).toMatchObject({ because: expect.stringContaining("Deployment api spec.replicas") as unknown });
  });

  test("an argument that follows the replicas is a refusal that names it", async () => {
    const more = `          args: ["--leader-elect={{ gt (int .Values.replicas) 2 }}"]\n`;
    const { edit } = await ask({
      ...base,
      "chart/values.yaml": "replicas: 2\n",
      "chart/templates/web.yaml": deployment("web", { replicas: "{{ .Values.replicas }}", more }),
    });
    expect(edit).toMatchObject({ kind: "refused", because: expect.stringContaining("containers.0.args") as unknown });
  });

  test("marks that break the chart are tried in halves", async () => {
    const guard = `{{ if ne (int .Values.shards) 2 }}{{ fail "two shards, no more" }}{{ end }}\n`;
    const { edit, renderings } = await ask({
      ...base,
      "chart/values.yaml": "shards: 2\na: 2\nb: 2\nweb: {count: 2}\nc: 2\n",
      "chart/templates/web.yaml": guard + deployment("web", { replicas: "{{ .Values.web.count }}" }),
    });
    expect(changed(edit)["chart/values.yaml"]).toContain("web: {count: 3}");
    expect(renderings).toBeLessThanOrEqual(12);
  });

  test("a key that nobody wrote is added where the templates read it", async () => {
    const { edit } = await ask(
      {
        ...base,
        "chart/values.yaml": "web:\n  resources: {}\n",
        "chart/templates/web.yaml": deployment("web", {
          replicas: "2",
          resources: "{{ toJson .Values.web.resources }}",
        }),
      },
      { kind: "resources", field: "limits.memory", to: "256Mi" },
    );
    expect(changed(edit)["chart/values.yaml"]).toContain("256Mi");
    expect(edit).toMatchObject({ rendered: { with: "helm template" } });
  });

  test("a literal of the template is changed where one release uses the chart, and refused where two do", async () => {
    const files = { ...base, "chart/templates/web.yaml": deployment("web", { replicas: "2" }) };
    expect(changed((await ask(files)).edit)["chart/templates/web.yaml"]).toContain("replicas: 3");
    const second = application().replace("name: shop,", "name: shop-test,");
    const { edit } = await ask({ ...files, "apps/second.yaml": second });
    expect(edit).toMatchObject({ kind: "refused", reason: "chart-hardcoded" });
  });

  test("a file dependency and a subchart below charts/ are rendered, and the parent's values take the edit", async () => {
    const { edit } = await ask({
      ...base,
      "chart/Chart.yaml": `${chart}dependencies:\n  - {name: web, version: 0.1.0, repository: "file://../lib/web", alias: front}\n`,
      "chart/values.yaml": "front:\n  host: a.example\n",
      "lib/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
      "lib/web/values.yaml": "instances: 2\n",
      "lib/web/templates/web.yaml": deployment("web", { replicas: "{{ .Values.instances }}" }),
    });
    expect(changed(edit)).toEqual({ "chart/values.yaml": "front:\n  instances: 3\n  host: a.example\n" });
  });

  test("the layer that only this environment reads takes the edit when other environments read the chart's own", async () => {
    const { edit } = await ask({
      ...base,
      "apps/shop.yaml": application("    helm:\n      valueFiles: [values.yaml, values-prod.yaml]\n"),
      "chart/values.yaml": "replicas: 2\n",
      "chart/values-prod.yaml": "host: prod.example\n",
      "chart/values-test.yaml": "host: test.example\n",
      "chart/templates/web.yaml": deployment("web", { replicas: "{{ .Values.replicas }}" }),
    });
    expect(changed(edit)).toEqual({ "chart/values-prod.yaml": "host: prod.example\nreplicas: 3\n" });
  });

  test("a tag keeps what the template writes before it", async () => {
    const { edit } = await ask(
      {
        ...base,
        "chart/values.yaml": "version: 1.0.0\n",
        "chart/templates/web.yaml": deployment("web", {
          replicas: "2",
          image: "registry.example/web:v{{ .Values.version }}",
        }),
      },
      { kind: "image-tag", to: "v1.1.0" },
    );
    expect(changed(edit)).toEqual({ "chart/values.yaml": "version: 1.1.0\n" });
  });

  test("passwords that the chart draws anew are nobody's change", async () => {
    const { edit } = await ask({
      ...base,
      "chart/values.yaml": "replicas: 2\n",
      "chart/templates/web.yaml": `${deployment("web", { replicas: "{{ .Values.replicas }}" })}---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: {{ randAlphaNum 20 }}}\n`,
    });
    expect(edit).toMatchObject({ kind: "edit", rendered: {} });
  });

  test("what the chart makes decides: an autoscaler, no replicas at all, a digest, a parameter that wins", async () => {
    const hpa = `---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec:\n  scaleTargetRef: {kind: Deployment, name: web}\n  minReplicas: {{ .Values.low }}\n  maxReplicas: 9\n`;
    const files = { ...base, "chart/values.yaml": "size: 2\nlow: 2\n" };
    const web = deployment("web", { replicas: "{{ .Values.size }}" });
    const scaled = { ...files, "chart/templates/web.yaml": web + hpa };
    expect((await ask(scaled)).edit).toMatchObject({ reason: "hpa-managed" });
    const bound = await ask(scaled, { kind: "hpa", field: "minReplicas", to: 4 });
    expect(changed(bound.edit)).toEqual({ "chart/values.yaml": "size: 2\nlow: 4\n" });
    const off = { ...base, "chart/values.yaml": "size: 0\n", "chart/templates/web.yaml": web };
    expect((await ask(off)).edit).toMatchObject({ reason: "deliberately-disabled" });
    const pinned = deployment("web", { replicas: "1", image: `registry.example/web@sha256:${"a".repeat(64)}` });
    const digest = await ask({ ...base, "chart/templates/web.yaml": pinned }, { kind: "image-tag", to: "2.0.0" });
    expect(digest.edit).toMatchObject({ reason: "digest-pinned" });
    const parameters = `    helm:\n      parameters:\n        - {name: size, value: "5"}\n`;
    const won = await ask({ ...files, "apps/shop.yaml": application(parameters), "chart/templates/web.yaml": web });
    expect(changed(won.edit)["apps/shop.yaml"]).toContain('{name: size, value: "3"}');
  });
});

describe.skipIf(helm === undefined)("a proved edit, with the real Helm", () => {
  const cluster = {
    "apps/kustomization.yaml": "resources: [release.yaml]\n",
    "apps/release.yaml":
      "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: shop, namespace: shop}\nspec:\n  chart:\n    spec:\n      chart: ./chart\n      sourceRef: {kind: GitRepository, name: flux-system}\n  values:\n    low: 2\n",
    "chart/Chart.yaml": chart,
    "chart/values.yaml": "low: 1\n",
    "chart/templates/web.yaml": deployment("web", { replicas: "{{ .Values.low }}" }),
  };
  const question = {
    workload: { kind: "Deployment", namespace: "shop", name: "web" },
    change: three,
    entry: { tool: "kustomize" as const, path: "apps" },
  };

  test("the value of a HelmRelease is proved by what its chart makes of it", async () => {
    const answer = await answerQuestion(
      treeOf(cluster),
      question,
      async (tree, at) => render(tree, at),
      realCharts().tools,
    );
    expect(answer).toMatchObject({
      kind: "edit",
      files: [{ path: "apps/release.yaml" }],
      effect: {
        proof: { kind: "rendered", with: "helm template" },
        changes: [{ object: { kind: "Deployment", name: "web" }, field: ["spec", "replicas"], from: 2, to: 3 }],
      },
    });
  });

  test("without Helm the same key is refused, for it has no usual name", async () => {
    const answer = await answerQuestion(treeOf(cluster), question, async (tree, at) => render(tree, at));
    expect(answer.kind).toBe("refused");
  });

  test("what the chart draws each time is nobody's change where the entry itself is rendered with Helm", async () => {
    const drawn = `${deployment("web", { replicas: "{{ .Values.replicas }}", more: "        - {name: s, image: 's:{{ randAlpha 9 }}'}" })}`;
    const files = { ...base, "chart/values.yaml": "replicas: 2\n", "chart/templates/web.yaml": drawn };
    const wanted = {
      workload: { kind: "Deployment", namespace: "shop", name: "web", container: "web" },
      ...{ change: three, entry },
    };
    const real = renderer({ kustomize: null, kubectl: null, helm: helm ?? null });
    const answer = await answerQuestion(treeOf(files), wanted, real.render.bind(real), realCharts().tools);
    expect(answer).toMatchObject({ kind: "edit", effect: { proof: { kind: "rendered" } } });
  });
});
