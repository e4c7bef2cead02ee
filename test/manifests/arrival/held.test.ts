import { expect, test } from "vitest";
import type { Entry, WantedChange } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import type { LiveWorkload } from "../../../src/domain/kubernetes/workload.ts";
import { answerQuestion } from "../../../src/manifests/locate/answer.ts";
import { render } from "../../../src/manifests/render/render.ts";

const head = (kind: string, apiVersion: string, name = "web", more = "") =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop${more}}\n`;
const sizes = "resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 256Mi}}";
const container = `{name: web, image: "registry.example/web:1.0", ${sizes}}`;

interface Parts {
  readonly kind?: string;
  readonly spec?: string;
  readonly pod?: string;
  readonly containers?: string;
  readonly marks?: string;
}

const workload = ({ kind = "Deployment", spec = "", pod = "", containers = container, marks = "" }: Parts = {}) =>
  `${head(kind, "apps/v1", "web", marks)}spec:\n  replicas: 2\n${spec}  template:\n    spec:\n${pod}      containers: [${containers}]\n`;

const application = (name: string, path: string, more = "") =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: ${name}, namespace: argocd}\nspec:\n  destination: {server: "https://kubernetes.default.svc", namespace: shop}\n  source: {repoURL: "https://git.example/fleet.git", path: ${path}${more}}\n`;
const flux = (more = "") =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: web, namespace: flux-system}\nspec:\n  prune: true\n  path: ./apps/web\n  sourceRef: {kind: GitRepository, name: flux-system}\n${more}`;
const built = (...resources: readonly string[]) => `resources: [${resources.join(", ")}]\n`;

const byArgo: Entry = { tool: "argocd", path: "apps/web", object: "Application argocd/web" };
const byFlux: Entry = { tool: "flux", path: "apps/web", object: "Kustomization flux-system/web" };

interface Asked {
  readonly change?: WantedChange;
  readonly workload?: Partial<LiveWorkload>;
  readonly entry?: Entry;
  /** Gathers the paths of what is rendered. */
  readonly rendered?: string[];
}

async function answered(
  files: Readonly<Record<string, string>>,
  { change, workload: more, entry = byArgo, rendered }: Asked,
) {
  const argo = { "argo/web.yaml": application("web", "apps/web") };
  const tree = treeOf({ ...(entry.tool === "argocd" ? argo : { "clusters/prod/web.yaml": flux() }), ...files });
  const question = {
    workload: { kind: "Deployment", namespace: "shop", name: "web", ...more },
    change: change ?? { kind: "replicas" as const, to: 3 },
    entry,
  };
  const answer = await answerQuestion(tree, question, async (at, one) => {
    rendered?.push(one.path ?? "");
    return render(at, one);
  });
  if (answer.kind === "refused") return `${answer.reason}: ${answer.because}`;
  const { proof } = answer.effect;
  return proof.kind === "rendered" ? "proved" : `static: ${proof.because}`;
}

const more: WantedChange = { kind: "resources", field: "limits.memory", to: "512Mi" };
const newer: WantedChange = { kind: "image-tag", to: "1.1" };
const scaler = (kind: string, apiVersion: string, reference = "scaleTargetRef", name = "web") =>
  `${head(kind, apiVersion)}spec:\n  ${reference}: {apiVersion: apps/v1, kind: Deployment, name: ${name}}\n  minReplicas: 2\n  maxReplicas: 9\n`;
const hpa = scaler("HorizontalPodAutoscaler", "autoscaling/v2");
const range = (limits: string) => `${head("LimitRange", "v1")}spec: {limits: [{type: Container, ${limits}}]}\n`;
const plain = (text: string) => ({ "apps/web/web.yaml": text });
const beside = (name: string, text: string) => ({
  "argo/other.yaml": application("other", "apps/other"),
  [`apps/other/${name}.yaml`]: text,
});

test.each<[string, Record<string, string>, Asked, RegExp]>([
  ["nothing", plain(workload()), {}, /^proved$/],
  [
    "another autoscaler",
    { ...plain(workload()), "apps/web/x.yaml": scaler("WatermarkPodAutoscaler", "datadoghq.com/v1alpha1") },
    {},
    /^hpa-managed/,
  ],
  [
    "another word for its target",
    { ...plain(workload()), "apps/web/x.yaml": scaler("DatadogPodAutoscaler", "datadoghq.com/v1alpha2", "targetRef") },
    {},
    /^hpa-managed/,
  ],
  [
    "an autoscaler of another entry",
    { ...plain(workload()), ...beside("hpa", hpa) },
    {},
    /^hpa-managed: .*Application argocd\/other/,
  ],
  [
    "one of another workload there",
    { ...plain(workload()), ...beside("hpa", hpa.replace("name: web}", "name: api}")) },
    {},
    /^proved$/,
  ],
  [
    "one of another namespace there",
    { ...plain(workload()), ...beside("hpa", hpa.replace("namespace: shop", "namespace: stage")) },
    {},
    /^proved$/,
  ],
  [
    "one beside the workload's own copy there",
    { ...plain(workload()), ...beside("hpa", hpa), "apps/other/web.yaml": workload() },
    {},
    /^proved$/,
  ],
  [
    "one that only may be of the same cluster",
    { ...plain(workload()), "apps/other/kustomization.yaml": built("hpa.yaml"), "apps/other/hpa.yaml": hpa },
    {},
    /^static: .*apps\/other/,
  ],
  [
    "a VPA of another entry",
    { ...plain(workload()), ...beside("vpa", scaler("VerticalPodAutoscaler", "autoscaling.k8s.io/v1", "targetRef")) },
    { change: more },
    /^operator-owned/,
  ],
  [
    "a LimitRange",
    { ...plain(workload()), "apps/web/range.yaml": range("max: {memory: 300Mi}") },
    { change: more },
    /^ambiguous: .*300Mi for max.memory/,
  ],
  [
    "a LimitRange that allows it",
    { ...plain(workload()), "apps/web/range.yaml": range("max: {memory: 2Gi}") },
    { change: more },
    /^proved$/,
  ],
  [
    "a LimitRange with a least",
    { ...plain(workload()), "apps/web/range.yaml": range("min: {memory: 1Gi}") },
    { change: more },
    /^ambiguous: .*1Gi for min.memory/,
  ],
  [
    "a LimitRange of how far a limit may be from its request",
    { ...plain(workload()), "apps/web/range.yaml": range("maxLimitRequestRatio: {memory: 2}") },
    { change: more },
    /^ambiguous: .*2 for maxLimitRequestRatio.memory/,
  ],
  [
    "a LimitRange of a distance that is kept",
    { ...plain(workload()), "apps/web/range.yaml": range("maxLimitRequestRatio: {memory: 4}") },
    { change: more },
    /^proved$/,
  ],
  [
    "a LimitRange of another entry",
    { ...plain(workload()), ...beside("range", range("max: {memory: 300Mi}")) },
    { change: more },
    /^ambiguous: .*300Mi.*other/,
  ],
  [
    "the usual limit of a LimitRange",
    {
      ...plain(workload({ containers: `{name: web, image: "web:1", resources: {requests: {memory: 1Mi}}}` })),
      "apps/web/range.yaml": range("default: {memory: 300Mi}"),
    },
    { change: { kind: "resources", field: "requests.memory", to: "512Mi" } },
    /^ambiguous: .*default.memory/,
  ],
  [
    "resources of the pod",
    plain(workload({ pod: "      resources: {limits: {memory: 300Mi}}\n" })),
    { change: more },
    /^ambiguous: .*whole pod/,
  ],
  [
    "two containers of one name",
    plain(workload({ containers: `${container}, ${container}` })),
    { change: newer, workload: { container: "web" } },
    /^parse-error/,
  ],
  [
    "a bound of nothing",
    { ...plain(workload()), "apps/web/hpa.yaml": hpa },
    { change: { kind: "hpa", field: "minReplicas", to: 0 } },
    /^ambiguous: .*cannot say 0/,
  ],
  ["a paused rollout", plain(workload({ spec: "  paused: true\n" })), { change: newer }, /^static: .*paused/],
  ["a paused rollout that is scaled", plain(workload({ spec: "  paused: true\n" })), {}, /^proved$/],
  [
    "pods that somebody must delete",
    plain(workload({ kind: "StatefulSet", spec: "  updateStrategy: {type: OnDelete}\n" })),
    { change: newer, workload: { kind: "StatefulSet" } },
    /^static: .*OnDelete/,
  ],
  [
    "a partition",
    plain(workload({ kind: "StatefulSet", spec: "  updateStrategy: {rollingUpdate: {partition: 4}}\n" })),
    { change: newer, workload: { kind: "StatefulSet" } },
    /^static: .*partition 4/,
  ],
  [
    "a hook that is skipped",
    plain(workload({ marks: ", annotations: {argocd.argoproj.io/hook: Skip}" })),
    {},
    /^deliberately-disabled/,
  ],
  ["a hook", plain(workload({ marks: ", annotations: {argocd.argoproj.io/hook: PreSync}" })), {}, /^static: .*PreSync/],
  [
    "a mark of all objects",
    {
      "apps/web/kustomization.yaml": `${built("web.yaml")}commonAnnotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}\n`,
      ...plain(workload()),
    },
    { entry: byFlux },
    /^deliberately-disabled/,
  ],
  [
    "a mark of Flux's own",
    {
      "apps/web/kustomization.yaml": built("web.yaml"),
      ...plain(workload()),
      "clusters/prod/web.yaml": flux(
        "  commonMetadata: {annotations: {kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}}\n",
      ),
    },
    { entry: byFlux },
    /^deliberately-disabled/,
  ],
  [
    "an autoscaler of another entry that cannot be rendered",
    {
      ...plain(workload()),
      ...beside("hpa", hpa),
      "apps/other/kustomization.yaml": "resources: [hpa.yaml, gone.yaml]\n",
    },
    {},
    /^static: .*could not be rendered.*Application argocd\/other/,
  ],
  [
    "one of another workload in what cannot be rendered",
    {
      ...plain(workload()),
      ...beside("hpa", hpa.replace("name: web}", "name: api}").replace("name: web", "name: api")),
      "apps/other/kustomization.yaml": "resources: [hpa.yaml, gone.yaml]\n",
    },
    {},
    /^proved$/,
  ],
  [
    "one of an example that nobody deploys and that cannot be rendered",
    {
      ...plain(workload()),
      "example/kustomization.yaml": "resources: [hpa.yaml, gone.yaml]\n",
      "example/hpa.yaml": hpa,
    },
    {},
    /^proved$/,
  ],
  [
    "one beside the workload's own copy in what cannot be rendered",
    {
      ...plain(workload()),
      ...beside("hpa", hpa),
      "apps/other/web.yaml": workload(),
      "apps/other/kustomization.yaml": "resources: [hpa.yaml, web.yaml, gone.yaml]\n",
    },
    {},
    /^proved$/,
  ],
])("%s beside or on the workload", async (_, files, asked, expected) => {
  expect(await answered(files, asked)).toMatch(expected);
});

test("a warning says that one item moves two containers", async () => {
  const files = {
    "argo/web.yaml": application("web", "apps/web"),
    "apps/web/kustomization.yaml": `${built("web.yaml")}images: [{name: registry.example/web, newTag: "1.0"}]\n`,
    ...plain(workload({ pod: `      initContainers: [{name: init, image: "registry.example/web:0.9"}]\n` })),
  };
  const question = { workload: { kind: "Deployment", namespace: "shop", name: "web" }, change: newer, entry: byArgo };
  const answer = await answerQuestion(treeOf(files), question, async (at, one) => render(at, one));
  expect(answer).toMatchObject({ kind: "edit", warnings: ["2 containers run this image, and all of them change"] });
});

const patching = (path: string, value: string) =>
  `patches: [{target: {kind: Kustomization, name: web}, patch: '[{"op": "add", "path": "${path}", "value": ${value}}]'}]\n`;
const parent = (text: string) => ({
  "clusters/prod/kustomization.yaml": `${built("web.yaml")}${text}`,
  "apps/web/kustomization.yaml": built("web.yaml"),
  ...plain(workload()),
});

test.each<[string, string, RegExp]>([
  ["a suspension", patching("/spec/suspend", "true"), /^deliberately-disabled/],
  ["another path", patching("/spec/path", '"./apps/web-v2"'), /^other-source/],
  ["harmless options", patching("/spec/timeout", '"5m"'), /^proved$/],
  ["a prefix", patching("/spec/namePrefix", '"eu-"'), /^not-found/],
])("%s in a patch of the entry's own object", async (_, text, expected) => {
  expect(await answered(parent(text), { entry: byFlux })).toMatch(expected);
});

const live = { prune: true, path: "./apps/web", sourceRef: { kind: "GitRepository", name: "flux-system" } };

test.each<[string, Record<string, unknown>, RegExp]>([
  ["the same", { ...live, interval: "5m", force: false }, /^proved$/],
  ["images", { ...live, images: [{ name: "web", newTag: "1.0" }] }, /^static: .*another images/],
  ["a suspension", { ...live, suspend: true }, /^static: .*suspended on the cluster/],
])("%s in what the cluster says of the entry's object", async (_, spec, expected) => {
  const files = { "apps/web/kustomization.yaml": built("web.yaml"), ...plain(workload()) };
  expect(await answered(files, { entry: { ...byFlux, spec } })).toMatch(expected);
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["another address", { repoURL: "https://mirror.example/fleet.git", path: "apps/web" }, /^proved$/],
  ["options that say nothing", { path: "apps/web", targetRevision: "HEAD", directory: { jsonnet: {} } }, /^proved$/],
  ["parameters", { path: "apps/web", kustomize: { images: ["web:1.0"] } }, /^static: .*another source/],
])("%s in the source that the cluster shows", async (_, source, expected) => {
  const destination = { server: "https://kubernetes.default.svc", namespace: "shop" };
  const files = { "apps/web/kustomization.yaml": built("web.yaml"), ...plain(workload()) };
  const spec = { destination, source };
  expect(await answered(files, { entry: { ...byArgo, spec } })).toMatch(expected);
});

const kustomization = (name: string, path: string, more = "") =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: ${name}, namespace: flux-system}\nspec:\n  prune: true\n  path: ./${path}\n  sourceRef: {kind: GitRepository, name: flux-system}\n${more}`;
const named = (name: string) =>
  scaler("HorizontalPodAutoscaler", "autoscaling/v2", "scaleTargetRef", name).replace("{name: web", "{name: own");
const other = (text: string, more = "", build = "resources: [hpa.yaml]\n") => ({
  "clusters/prod/other.yaml": kustomization("other", "apps/other", more),
  "apps/other/kustomization.yaml": build,
  "apps/other/hpa.yaml": text,
});
const variables = "  postBuild: {substitute: {app: web}}\n";
const patch = `[{"op": "replace", "path": "/spec/scaleTargetRef/name", "value": "web"}]`;
const patched = `resources: [hpa.yaml]\npatches: [{target: {kind: HorizontalPodAutoscaler}, patch: '${patch}'}]\n`;

test.each<[string, Record<string, string>, RegExp]>([
  ["a variable of that entry", other(named("'${app}'"), variables), /^hpa-managed: .*Kustomization flux-system\/other/],
  ["a part of a name", other(named("'${app}'"), "  postBuild: {substitute: {app: w}}\n"), /^proved$/],
  [
    "a variable's usual value",
    other(named("'${app:=web}'"), "  postBuild: {substitute: {x: y}}\n"),
    /^static|^hpa-managed/,
  ],
  ["a variable of another workload", other(named("'${app}'"), variables.replace("web", "api")), /^proved$/],
  [
    "a variable from elsewhere",
    other(named("'${app}'"), "  postBuild: {substituteFrom: [{kind: ConfigMap, name: all}]}\n"),
    /^static: .*which only the cluster knows/,
  ],
  ["a patch", other(named("app"), "", patched), /^hpa-managed: .*other/],
  ["a patch of another name", other(named("app"), "", patched.replace('"web"', '"api"')), /^proved$/],
  [
    "a file with a patch",
    {
      ...other(named("app"), "", patched.replace(/patch: .*}]'}]/, "path: p.json}]")),
      "apps/other/p.json": patch,
    },
    /^hpa-managed: .*other/,
  ],
  [
    "a patch of the entry's object",
    other(named("app"), `  patches: [{target: {kind: HorizontalPodAutoscaler}, patch: '${patch}'}]\n`),
    /^hpa-managed: .*other/,
  ],
])("the target of another entry's autoscaler by %s", async (_, files, expected) => {
  const own = { "apps/web/kustomization.yaml": built("web.yaml"), ...plain(workload()) };
  expect(await answered({ ...own, ...files }, { entry: byFlux })).toMatch(expected);
});

const indented = (text: string) => text.trimEnd().replaceAll(/^/gm, "      ");
const resourceSet = (spec: string) => `${head("ResourceSet", "fluxcd.controlplane.io/v1", "set")}spec:\n${spec}`;
const listing = (text: string, more = "") => resourceSet(`${more}  resources:\n    -\n${indented(text)}\n`);
const template = (text: string, more = "") => resourceSet(`${more}  resourcesTemplate: |\n${indented(text)}\n`);
const keda = scaler("ScaledObject", "keda.sh/v1alpha1");
const inputs = "  inputs: [{app: api}, {app: web}]\n";

test.each<[string, string, RegExp]>([
  ["plain", listing(hpa), /^hpa-managed/],
  ["a ScaledObject", listing(keda), /^keda-managed/],
  ["by inputs", listing(named("'<< inputs.app >>'"), inputs), /^hpa-managed/],
  ["by other inputs", listing(named("'<< inputs.app >>'"), inputs.replace("web", "db")), /^proved$/],
  ["by inputs from elsewhere", listing(named("'<< inputs.app >>'"), "  inputsFrom: [{name: all}]\n"), /^static/],
  ["of another workload beside such inputs", listing(named("api"), "  inputsFrom: [{name: all}]\n"), /^proved$/],
  ["in a template", template(hpa), /^hpa-managed/],
  ["in a template by inputs", template(named("<< inputs.app | quote >>"), inputs), /^hpa-managed/],
  [
    "in a template that is a program",
    template(`<<- if inputs.app >>\n${hpa}<<- end >>\n`, inputs),
    /^static: .*ResourceSet/,
  ],
  ["of another workload in such a template", template(`<<- if inputs.app >>\n${named("api")}<<- end >>\n`), /^proved$/],
])("an autoscaler in a ResourceSet: %s", async (_, text, expected) => {
  const own = { "apps/web/kustomization.yaml": built("web.yaml", "set.yaml"), ...plain(workload()) };
  expect(await answered({ ...own, "apps/web/set.yaml": text }, { entry: byFlux })).toMatch(expected);
  const apart = { ...own, "apps/web/kustomization.yaml": built("web.yaml"), ...other(text) };
  expect(await answered(apart, { entry: byFlux })).toMatch(expected);
});

test("only what may reach the namespace of the workload is rendered", async () => {
  const range =
    "kind: LimitRange\napiVersion: v1\nmetadata: {name: all}\nspec: {limits: [{type: Container, max: {memory: 300Mi}}]}\n";
  const files = {
    ...plain(workload()),
    "teams/range.yaml": range,
    "teams/kustomization.yaml": "resources: [range.yaml]\nnamespace: teams\n",
    "stores/range.yaml": range,
    "stores/kustomization.yaml": "resources: [range.yaml]\nnamespace: shop\n",
  };
  const rendered: string[] = [];
  expect(await answered(files, { change: more, rendered })).toMatch(/300Mi.*stores/);
  expect(rendered).toContain("stores");
  expect(rendered).not.toContain("teams");
});
