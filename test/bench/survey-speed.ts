import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { directoryTree } from "../../src/adapters/cli-tools/directory-tree.ts";
import { surveyTree } from "../../src/commands/repository/survey.ts";
import { installedTools } from "../../src/commands/repository/tools.ts";

/**
 * Processor time of `rectify survey` for each release of a made-up repository: half of the Applications share one chart
 * and name a file of values each, a quarter share it with inline values, a quarter have a chart of their own in which
 * one part leaves its resources open. Three workloads each. `npm run -s bench:survey-speed -- [RELEASES]`.
 */
const releases = Number(process.argv[2] ?? "40");
const parts = ["web", "worker", "api"];
const root = mkdtempSync(join(tmpdir(), "rectify-survey-"));

function put(path: string, text: string): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const workload = (part: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-${part}
  labels: {{- include "labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.${part}.replicas }}
  selector:
    matchLabels: { app: {{ .Release.Name }}-${part} }
  template:
    metadata:
      labels: { app: {{ .Release.Name }}-${part} }
    spec:
      containers:
        - name: ${part}
          image: "{{ .Values.${part}.image.repository }}:{{ .Values.${part}.image.tag }}"
          {{- with .Values.${part}.resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-${part}
spec:
  selector: { app: {{ .Release.Name }}-${part} }
  ports: [{ port: 80, targetPort: 8080 }]
`;

function chart(name: string, values: string): void {
  const place = `charts/${name}`;
  const labels = `app.kubernetes.io/instance: {{ .Release.Name }}\napp.kubernetes.io/name: {{ .Chart.Name }}\n`;
  put(`${place}/Chart.yaml`, `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`);
  put(`${place}/templates/_helpers.tpl`, `{{- define "labels" -}}\n${labels}{{- end }}\n`);
  for (const part of parts) put(`${place}/templates/${part}.yaml`, workload(part));
  put(`${place}/values.yaml`, values);
}

const valuesOf = (tag: number): string =>
  parts
    .map(
      (part, n) =>
        `${part}:\n  replicas: ${n + 1}\n  image: { repository: registry.example/${part}, tag: ${tag}.${n}.0 }\n` +
        `  resources:\n    limits: { memory: ${(n + 1) * 128}Mi }\n    requests: { cpu: ${(n + 1) * 50}m }\n`,
    )
    .join("");

function application(name: string, path: string, helm: string): void {
  put(
    `clusters/prod/${name}.yaml`,
    `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: ${name}, namespace: argocd }
spec:
  destination: { server: https://kubernetes.default.svc, namespace: ${name} }
  source:
    repoURL: https://git.example/team/gitops.git
    path: ${path}
${helm}`,
  );
}

function makeRepository(): void {
  chart("service", valuesOf(1));
  for (let n = 0; n < releases; n += 1) {
    const name = `shop-${String(n).padStart(3, "0")}`;
    if (n % 4 === 3) {
      chart(name, valuesOf(3).replace(/(api:[\s\S]*resources:)[\s\S]*$/, "$1 {}\n"));
      application(name, `charts/${name}`, "");
    } else if (n % 4 === 2) {
      const inline = valuesOf(2).replace(/^/gm, "        ").trimEnd();
      application(name, "charts/service", `    helm:\n      values: |\n${inline}\n`);
    } else {
      put(`values/${name}.yaml`, valuesOf(4));
      application(name, "charts/service", `    helm:\n      valueFiles: [../../values/${name}.yaml]\n`);
    }
  }
}

/** Of this process and of the programs that it waited for, in seconds. */
function spent(): { readonly own: number; readonly programs: number } {
  const { user, system } = process.cpuUsage();
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ") ?? [];
  // In ticks of a hundredth of a second: cutime and cstime.
  return { own: (user + system) / 1e6, programs: (Number(fields[13]) + Number(fields[14])) / 100 };
}

try {
  makeRepository();
  const [before, start] = [spent(), Date.now()];
  const survey = await surveyTree(directoryTree(root), installedTools(false), () => undefined);
  const after = spent();
  const [own, programs] = [after.own - before.own, after.programs - before.programs];
  const round = (seconds: number) => Number(seconds.toFixed(2));
  console.log(
    JSON.stringify({
      ...{ releases, questions: survey.questions, proved: survey.proved, unrendered: survey.unrendered.length },
      ...{ seconds: round((Date.now() - start) / 1000), own: round(own), programs: round(programs) },
      perRelease: round((own + programs) / releases),
    }),
  );
  if (survey.proved < releases * 12) process.exitCode = 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}
