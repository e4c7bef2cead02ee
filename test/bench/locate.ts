import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Entry, WantedChange } from "../../src/domain/kubernetes/manifest-edit.ts";
import type { Tree } from "../../src/domain/kubernetes/tree.ts";
import type { LiveWorkload, Workload } from "../../src/domain/kubernetes/workload.ts";
import { locate } from "../../src/manifests/locate/locate.ts";

/** One question of the locate benchmark, in its own words. */
interface Case {
  readonly id: string;
  readonly repo: string;
  readonly commit: string;
  readonly entry: {
    readonly tool: string;
    readonly path: string | null;
    readonly cluster?: string;
    readonly object?: string;
  };
  readonly workload: Workload & { readonly container?: string };
  readonly live?: Partial<LiveWorkload>;
  readonly action: { readonly type: string; readonly field?: string; readonly value: string | number };
}

const { values } = parseArgs({
  options: { cases: { type: "string" }, corpus: { type: "string" }, out: { type: "string" }, only: { type: "string" } },
});
if (!values.cases || !values.corpus)
  throw new Error("usage: bench:locate -- --cases FILE --corpus DIR [--out FILE] [--only REGEX]");

const trees = new Map<string, Tree>();
const answers: Record<string, unknown> = {};
const tally: Record<string, number> = {};
let slowest = 0;
const only = new RegExp(values.only ?? "");
const cases = (JSON.parse(readFileSync(values.cases, "utf8")) as { cases: Case[] }).cases.filter((one) =>
  only.test(one.id),
);
for (const one of cases) {
  const started = performance.now();
  const edit = locate(treeFor(one, values.corpus), {
    workload: workloadOf(one),
    change: changeOf(one),
    entry: entryOf(one),
  });
  slowest = Math.max(slowest, performance.now() - started);
  const kind = edit.kind === "edit" ? "edit" : edit.reason;
  tally[kind] = (tally[kind] ?? 0) + 1;
  answers[one.id] =
    edit.kind === "edit"
      ? {
          edits: edit.files.map(({ path, after }) => ({ path, content: after })),
          warnings: edit.warnings,
          owners: edit.owners,
        }
      : { refuse: edit.reason, note: `${edit.because}. ${edit.fix}` };
}
if (values.out) writeFileSync(values.out, JSON.stringify(answers, null, 1));
console.log(JSON.stringify({ cases: cases.length, slowestMs: Math.round(slowest), tally }));

function treeFor(one: Case, corpus: string): Tree {
  const directory = join(corpus, `${one.repo.replace("/", "+")}@${one.commit.slice(0, 10)}`);
  const known = trees.get(directory);
  if (known) return known;
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name).slice(directory.length + 1));
  const listed = new Set(files);
  const tree: Tree = {
    paths: () => files,
    read: (path) => (listed.has(path) ? readFileSync(join(directory, path)) : undefined),
  };
  trees.set(directory, tree);
  return tree;
}

function workloadOf({ workload, live }: Case): LiveWorkload {
  return { ...live, ...workload };
}

function entryOf({ entry }: Case): Entry {
  const tools = ["flux", "argocd", "kustomize", "plain"] as const;
  return { ...entry, tool: tools.find((tool) => tool === entry.tool) ?? "unknown" };
}

/** The actions of the benchmark are the wanted changes of the product. */
function changeOf({ action: { type, field, value } }: Case): WantedChange {
  const [to, text] = [Number(value), String(value)];
  if (type === "set-replicas") return { kind: "replicas", to };
  if (type === "set-hpa") return { kind: "hpa", field: field === "minReplicas" ? field : "maxReplicas", to };
  if (type === "set-scaledobject")
    return { kind: "scaled-object", field: field === "minReplicaCount" ? field : "maxReplicaCount", to };
  if (type === "set-image-tag") return { kind: "image-tag", to: text };
  const known = ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory"] as const;
  const resource = known.find((one) => one === field);
  if (type !== "set-resources" || !resource) throw new Error(`the action ${type} ${field} is not known`);
  return { kind: "resources", field: resource, to: text };
}
