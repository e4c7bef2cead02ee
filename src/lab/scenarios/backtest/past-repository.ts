import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { firstTag, pastWorkloads } from "./past-troubles.ts";

export interface PastCommit {
  readonly at: Date;
  readonly subject: string;
  readonly author: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Writes a bare repository with these commits at their times: one process for all of them. */
export async function writePast(directory: string, commits: readonly PastCommit[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  await git(directory, ["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  const stream = commits.map(({ at, subject, author, files }) => {
    const who = `${author} <${author}@example.com> ${Math.floor(at.getTime() / 1000)} +0000`;
    const changes = Object.entries(files).map(([path, text]) => `M 100644 inline ${path}\n${data(text)}`);
    return `commit refs/heads/main\nauthor ${who}\ncommitter ${who}\n${data(subject)}${changes.join("")}\n`;
  });
  await git(directory, ["fast-import", "--quiet"], stream.join(""));
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

/** What git says of an input that it did not read is told by its exit, not by the pipe that broke. */
function git(directory: string, args: readonly string[], input?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile("git", [...args], { cwd: directory }, (error) => (error ? reject(error) : resolve()));
    child.stdin?.on("error", () => undefined);
    if (input === undefined) child.stdin?.end();
    else child.stdin?.end(input);
  });
}

/** How one workload stands in the repository. */
export interface Declared {
  readonly replicas: number;
  readonly tag: string;
  readonly memory: string;
}

export const declaredFirst = ({ replicas }: { readonly replicas: number }): Declared => ({
  ...{ replicas, tag: firstTag, memory: "256Mi" },
});

export const pathOf = (name: string) => `apps/${name}.yaml`;

/** The file of a workload. */
export function manifestOf(name: string, { replicas, tag, memory }: Declared): string {
  const namespace = pastWorkloads.find((one) => one.name === name)?.namespace ?? "shop";
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  replicas: ${replicas} # for a usual day
  selector:
    matchLabels: { app: ${name} }
  template:
    metadata:
      labels: { app: ${name} }
    spec:
      containers:
        - name: ${name}
          image: registry.example.com/${name}:${tag}
          resources:
            requests: { cpu: 100m, memory: 128Mi }
            limits: { memory: ${memory} }
`;
}

/** The repository as the past begins; `guardrails` undefined = one that never heard of Rectify. */
export function firstFiles(guardrails: string | undefined): Record<string, string> {
  const files = Object.fromEntries(
    pastWorkloads.map((one) => [pathOf(one.name), manifestOf(one.name, declaredFirst(one))]),
  );
  return {
    ...files,
    "apps/kustomization.yaml": `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
${pastWorkloads.map(({ name }) => `  - ${name}.yaml\n`).join("")}`,
    "clusters/production/apps.yaml": `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 5m
  path: ./apps
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
`,
    ...(guardrails === undefined ? {} : { ".github/rectify.yml": guardrails }),
  };
}
