import { parseArgs } from "node:util";
import type { WantedChange } from "../../src/domain/kubernetes/manifest-edit.ts";
import { type Tree, treeOf } from "../../src/domain/kubernetes/tree.ts";
import { locate } from "../../src/manifests/locate/locate.ts";

/** Locate and edit without rendering in a generated repository of 10,000 manifests. */
const { values } = parseArgs({
  options: { manifests: { type: "string", default: "10000" }, questions: { type: "string", default: "1000" } },
});
const apps = Math.ceil(Number(values.manifests) / 10);
const questions = Number(values.questions);
const limits = { warmP95Ms: 200, coldMs: 3000, rssMb: 300 };

const files = repository(apps);
const coldMs = [0, 1, 2].map((n) => timed(() => ask(treeOf(files), n * 7)));
const tree = treeOf(files);
ask(tree, 0);
const warmMs: number[] = [];
const outcomes: Record<string, number> = {};
for (let n = 0; n < questions; n += 1) {
  let outcome = "";
  warmMs.push(timed(() => (outcome = ask(tree, n * 13))));
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}
warmMs.sort((a, b) => a - b);
const p95 = warmMs[Math.floor(warmMs.length * 0.95)] ?? 0;
const rssMb = process.memoryUsage().rss / 2 ** 20;
const cold = Math.max(...coldMs);
const passed = p95 < limits.warmP95Ms && cold < limits.coldMs && rssMb < limits.rssMb;
const round = (value: number): number => Math.round(value * 10) / 10;
console.log(
  JSON.stringify({
    passed,
    manifests: Object.keys(files).length,
    questions,
    coldMs: round(cold),
    warmP95Ms: round(p95),
    rssMb: round(rssMb),
    limits,
    outcomes,
  }),
);
process.exitCode = passed ? 0 : 1;

function timed(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

function ask(where: Tree, n: number): string {
  const app = n % apps;
  const environment = n % 2 === 0 ? "production" : "staging";
  const changes: WantedChange[] = [
    { kind: "replicas", to: 9 },
    { kind: "resources", field: "limits.memory", to: "768Mi" },
    { kind: "image-tag", to: "2.0.0" },
    { kind: "hpa", field: "maxReplicas", to: 12 },
  ];
  const change = changes[n % changes.length] ?? { kind: "replicas", to: 9 };
  const edit = locate(where, {
    workload: { kind: "Deployment", namespace: `team-${app % 40}`, name: `app-${app}`, container: "app" },
    change,
    entry: { tool: "flux", path: `apps/app-${app}/${environment}` },
  });
  return edit.kind === "edit" ? "edit" : edit.reason;
}

/** Ten files for each application: a base with five manifests, two environments, and the Flux object of each. */
function repository(count: number): Record<string, string> {
  const made: Record<string, string> = {};
  for (let n = 0; n < count; n += 1) {
    const [name, at] = [`app-${n}`, `apps/app-${n}`];
    const head = (kind: string, version: string): string =>
      `apiVersion: ${version}\nkind: ${kind}\nmetadata:\n  name: ${name}\n`;
    made[`${at}/base/deployment.yaml`] =
      `${head("Deployment", "apps/v1")}spec:\n  replicas: 2 # usual load\n  template:\n    spec:\n      containers:\n        - name: app\n          image: registry.example/${name}:1.0.${n % 9}\n          resources:\n            limits:\n              memory: 512Mi\n`;
    made[`${at}/base/service.yaml`] = `${head("Service", "v1")}spec:\n  ports:\n    - port: 80\n`;
    made[`${at}/base/config.yaml`] =
      `${head("ConfigMap", "v1")}data:\n${Array.from({ length: 30 }, (_, key) => `  key-${key}: value-${key * n}\n`).join("")}`;
    if (n % 3 === 0) {
      made[`${at}/base/hpa.yaml`] =
        `${head("HorizontalPodAutoscaler", "autoscaling/v2")}spec:\n  scaleTargetRef:\n    kind: Deployment\n    name: ${name}\n  minReplicas: 2\n  maxReplicas: 8\n`;
    } else made[`${at}/base/role.yaml`] = `${head("Role", "rbac.authorization.k8s.io/v1")}rules: []\n`;
    const last = n % 3 === 0 ? "hpa" : "role";
    made[`${at}/base/kustomization.yaml`] = `resources: [deployment.yaml, service.yaml, config.yaml, ${last}.yaml]\n`;
    for (const environment of ["production", "staging"]) {
      made[`${at}/${environment}/kustomization.yaml`] =
        `namespace: team-${n % 40}\nresources:\n  - ../base\n${environment === "production" ? "patches:\n  - path: patch.yaml\n" : ""}`;
      made[`clusters/${environment}/app-${n}.yaml`] =
        `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: ${name}\n  namespace: flux-system\nspec:\n  path: ./${at}/${environment}\n`;
    }
    made[`${at}/production/patch.yaml`] = `${head("Deployment", "apps/v1")}spec:\n  replicas: 4\n`;
  }
  return made;
}
