import { execFile } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { type RenderedObject, readObject } from "../../src/domain/kubernetes/rendered.ts";
import { type Tree, treeOf } from "../../src/domain/kubernetes/tree.ts";
import { kustomizationDirectories } from "../../src/manifests/gitops/kustomization.ts";
import { readKubeYaml } from "../../src/manifests/yaml/kube-yaml.ts";
import { render } from "../../src/manifests/render/render.ts";
import { kustomizeCase } from "../manifests/kustomize-cases.ts";

/**
 * Compares our renderer with `kubectl kustomize` on every kustomization of every repository below DIR, and on random
 * ones. tsx test/bench/render.ts [--corpus DIR] [--cases COUNT] [--seed FIRST] [--only TEXT] [--verbose]
 */
const option = (name: string) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const corpus = option("--corpus");
const only = option("--only") ?? "";
const isVerbose = process.argv.includes("--verbose");
const caseCount = Number(option("--cases") ?? 300);
const firstSeed = Number(option("--seed") ?? 1);

/** A checked-out repository; symbolic links are left out. */
function treeAt(root: string): Tree {
  const paths: string[] = [];
  const open = [root];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      const stat = lstatSync(path);
      if (stat.isDirectory() && name !== ".git") open.push(path);
      if (stat.isFile()) paths.push(relative(root, path).split(sep).join("/"));
    }
  }
  const known = new Set(paths);
  return { paths: () => paths, read: (path) => (known.has(path) ? readFileSync(join(root, path)) : undefined) };
}

const closed = "http://127.0.0.1:9";
const env = {
  PATH: process.env.PATH,
  HOME: "/nonexistent",
  HTTP_PROXY: closed,
  HTTPS_PROXY: closed,
  GIT_TERMINAL_PROMPT: "0",
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "http.proxy",
  GIT_CONFIG_VALUE_0: closed,
};

function kubectl(directory: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const limits = { env, timeout: 60_000, maxBuffer: 200_000_000 };
    execFile("kubectl", ["kustomize", directory], limits, (error, stdout) => resolve(error ? undefined : stdout));
  });
}

/** Kustomize writes the order of keys and objects its own way: only the values count. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, field]) => [key, canonical(field)]),
  );
}

const textsOf = (objects: readonly unknown[]) => objects.map((object) => JSON.stringify(canonical(object))).sort();

function firstDifference(ours: readonly RenderedObject[], theirs: readonly unknown[]): string {
  const left = textsOf(ours);
  const right = textsOf(theirs);
  const extra = left.find((text) => !right.includes(text)) ?? "";
  const kind = readObject(JSON.parse(extra || "null"));
  const isTwin = (text: string) => {
    const other = readObject(JSON.parse(text));
    return other?.kind === kind?.kind && other?.metadata.name === kind?.metadata.name;
  };
  const missing =
    right.find((text) => !left.includes(text) && isTwin(text)) ?? right.find((text) => !left.includes(text)) ?? "";
  let at = 0;
  while (at < extra.length && extra[at] === missing[at]) at += 1;
  const part = (text: string) => text.slice(Math.max(0, at - 120), at + 160);
  return `${kind?.kind} ${kind?.metadata.name}\n  ours:   ${part(extra)}\n  theirs: ${part(missing)}`;
}

const counts = { compared: 0, equal: 0, unsupported: 0, different: 0, bothRefuse: 0 };
const reasons = new Map<string, number>();
let slowestMs = 0;

async function compare(repository: string, tree: Tree, directory: string): Promise<void> {
  counts.compared += 1;
  const theirs = await kubectl(join(repository, directory));
  const started = performance.now();
  const ours = render(tree, { tool: "kustomize", path: directory });
  slowestMs = Math.max(slowestMs, performance.now() - started);
  if (ours.kind === "unsupported") {
    counts[theirs === undefined ? "bothRefuse" : "unsupported"] += 1;
    if (theirs === undefined) return;
    const reason = ours.because.split(": ").slice(1).join(": ") || ours.because;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    if (isVerbose) console.error(`unsupported ${directory}: ${ours.because}`);
    return;
  }
  const documents = theirs === undefined ? undefined : readKubeYaml(theirs);
  const isEqual =
    documents?.ok === true && JSON.stringify(textsOf(ours.objects)) === JSON.stringify(textsOf(documents.value));
  counts[isEqual ? "equal" : "different"] += 1;
  if (isEqual) return;
  const why = documents?.ok
    ? firstDifference(ours.objects, documents.value)
    : "kubectl refuses or its answer is unreadable";
  console.error(`different ${repository} ${directory}: ${why}`);
}

for (const name of corpus === undefined ? [] : readdirSync(corpus)) {
  const repository = join(corpus ?? "", name);
  if (!lstatSync(repository).isDirectory()) continue;
  const tree = treeAt(repository);
  const directories = kustomizationDirectories(tree).filter((directory) => directory.includes(only));
  const next = directories.values();
  const worker = async () => {
    for (const directory of next) await compare(repository, tree, directory);
  };
  await Promise.all([worker(), worker()]);
}

const scratch = mkdtempSync(join(tmpdir(), "rectify-bench-render-"));
const seeds = Array.from({ length: caseCount }, (_, index) => firstSeed + index).values();
const generated = async () => {
  for (const seed of seeds) {
    const files = kustomizeCase(seed);
    const root = join(scratch, String(seed));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    await compare(root, treeOf(files), "overlay");
    rmSync(root, { recursive: true });
  }
};
await Promise.all([generated(), generated()]);
rmSync(scratch, { recursive: true });
const top = [...reasons].sort((left, right) => right[1] - left[1]).slice(0, 40);
if (isVerbose) for (const [reason, count] of top) console.error(`${count} × ${reason}`);
console.log(JSON.stringify({ ...counts, slowestMs: Math.round(slowestMs) }));
