import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chartTools } from "../../src/adapters/cli-tools/charts.ts";
import { renderer } from "../../src/adapters/cli-tools/renderer.ts";
import { directoryTree } from "../../src/adapters/cli-tools/directory-tree.ts";
import type { Entry } from "../../src/domain/kubernetes/manifest-edit.ts";
import { type Answer, answerQuestion } from "../../src/manifests/locate/answer.ts";
import {
  differences,
  type Plain,
  readsOf,
  renderUnit,
  type Tools,
  type Unit,
  unitsOf,
  withFiles,
} from "./survey-judge.ts";
import { type Asked, get, isSameImage, whyRight, withoutChance, type World } from "./survey-reasons.ts";

/** Asks every rendered workload of repositories for what Rectify can change, and judges each answer like a stranger. */
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    units: { type: "string", default: "0" },
    kind: { type: "string" },
    only: { type: "string", default: "" },
    seconds: { type: "string", default: "0" },
    workloads: { type: "string", default: "0" },
    verbose: { type: "boolean", short: "v" },
  },
});
if (positionals.length === 0)
  throw new Error(
    "usage: bench:survey -- [--units N] [--workloads N] [--seconds N] [--kind chart|kustomize] [-v] DIR…",
  );

const tools = toolPaths();
const charts = chartTools({ helm: tools.helm, limits: { timeLimitMs: 20_000, scratch: tmpdir() } });
const entries = renderer({ kustomize: tools.kustomize, kubectl: null, helm: tools.helm });

interface Tally {
  questions: number;
  proved: number;
  argued: number;
  rightlyRefused: number;
  overRefused: Record<string, number>;
  harmful: string[];
  crashed: string[];
  unrendered: number;
  releases: number;
  readonly ms: number[];
}
const empty = (): Tally => ({
  questions: 0,
  proved: 0,
  argued: 0,
  rightlyRefused: 0,
  overRefused: {},
  harmful: [],
  crashed: [],
  unrendered: 0,
  releases: 0,
  ms: [],
});
const tallies: Record<Unit["kind"], Tally> = { chart: empty(), kustomize: empty() };

function toolPaths(): Tools {
  const script = fileURLToPath(new URL("../tools/build.sh", import.meta.url));
  const [helm = "", kustomize = ""] = execFileSync("bash", [script, "--where", "helm", "kustomize"], {
    encoding: "utf8",
  })
    .trim()
    .split("\n");
  if (!existsSync(helm) || !existsSync(kustomize))
    throw new Error("npm run tools helm kustomize builds what this needs");
  return { helm, kustomize };
}

function summary({ ms, harmful, crashed, ...rest }: Tally): object {
  const sorted = [...ms].sort((a, b) => a - b);
  const p95Ms = Math.round(sorted[Math.floor(sorted.length * 0.95)] ?? 0);
  const good = (rest.proved + rest.rightlyRefused) / Math.max(1, rest.questions);
  return {
    ...rest,
    good: Math.round(good * 1000) / 10,
    harmful: harmful.length,
    crashed: crashed.length,
    p95Ms,
    harmfulOnes: harmful,
    crashedOnes: crashed,
  };
}

async function survey(directory: string): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "rectify-survey-"));
  const root = join(scratch, basename(directory));
  cpSync(directory, root, { recursive: true, verbatimSymlinks: true });
  try {
    const all = unitsOf(root);
    const readers = all.map((unit) => ({ unit, reads: readsOf(root, unit) }));
    const tree = directoryTree(root);
    for (const kind of ["kustomize", "chart"] as const) {
      if (options.kind !== undefined && options.kind !== kind) continue;
      await sample(
        all.filter((unit) => unit.kind === kind && new RegExp(options.only).test(unit.directory)),
        (unit) => askUnit({ root, unit, readers, tree, tools }),
      );
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** All units, or as many that ask something as wanted, from all over the repository: always the same ones. */
async function sample(units: readonly Unit[], work: (unit: Unit) => Promise<boolean>): Promise<void> {
  const most = Number(options.units) || units.length;
  const until = Number(options.seconds) > 0 ? Date.now() + Number(options.seconds) * 1000 : Infinity;
  const step = Math.max(1, Math.floor(units.length / most));
  const order = units.map((_, n) => n).sort((a, b) => (a % step) - (b % step) || a - b);
  let asked = 0;
  for (const n of order) {
    const unit = units[n];
    if (unit === undefined || asked >= most || Date.now() > until) break;
    if (await work(unit)) asked += 1;
  }
}

/** True when the unit asked something. */
async function askUnit(place: Omit<World, "objects">): Promise<boolean> {
  const tally = tallies[place.unit.kind];
  const objects = renderUnit(place.root, place.unit, tools);
  if (objects === undefined) {
    tally.unrendered += 1;
    return false;
  }
  tally.releases += 1;
  const questions = [...objects.values()]
    .map((object) => questionsOf(object, objects))
    .filter((some) => some.length > 0);
  const most = Number(options.workloads) || questions.length;
  for (const asked of questions.slice(0, most).flat()) await ask({ ...place, objects }, asked, tally);
  return questions.length > 0;
}

function questionsOf(object: Plain, objects: ReadonlyMap<string, Plain>): Asked[] {
  if (!["Deployment", "StatefulSet", "DaemonSet", "Rollout"].includes(String(object.kind))) return [];
  const key = [...objects].find(([, one]) => one === object)?.[0] ?? "";
  const scaler = [...objects].find(
    ([, one]) =>
      one.kind === "HorizontalPodAutoscaler" &&
      get(one, "spec", "scaleTargetRef", "name") === get(object, "metadata", "name") &&
      get(one, "spec", "scaleTargetRef", "kind") === object.kind,
  );
  const keda = [...objects.values()].some(
    (one) =>
      one.kind === "ScaledObject" && get(one, "spec", "scaleTargetRef", "name") === get(object, "metadata", "name"),
  );
  const asked: Asked[] = [];
  const own = { workload: object, container: undefined };
  if (scaler) {
    const now = get(scaler[1], "spec", "maxReplicas");
    asked.push({
      ...own,
      change: { kind: "hpa", field: "maxReplicas", to: Number(now) + 3 },
      field: `${scaler[0]}/spec/maxReplicas`,
      now,
    });
  } else if (object.kind !== "DaemonSet" && !keda) {
    const now = get(object, "spec", "replicas");
    asked.push({ ...own, change: { kind: "replicas", to: Number(now ?? 1) + 2 }, field: `${key}/spec/replicas`, now });
  }
  const containers = get(object, "spec", "template", "spec", "containers");
  const first: unknown = Array.isArray(containers) ? containers[0] : undefined;
  const name = get(first, "name");
  if (typeof name !== "string") return asked;
  const at = `${key}/spec/template/spec/containers/0`;
  for (const field of ["limits.memory", "requests.cpu"] as const) {
    const [side = "", what = ""] = field.split(".");
    const to = what === "cpu" ? "333m" : "777Mi";
    const now = get(first, "resources", side, what);
    asked.push({
      workload: object,
      container: name,
      change: { kind: "resources", field, to },
      field: `${at}/resources/${side}/${what}`,
      now,
    });
  }
  asked.push({
    workload: object,
    container: name,
    change: { kind: "image-tag", to: "9.8.7" },
    field: `${at}/image`,
    now: get(first, "image"),
  });
  return asked;
}

function entryOf(unit: Unit): Entry {
  if (unit.kind === "kustomize") return { tool: "kustomize", path: unit.directory };
  if (unit.application !== undefined)
    return { tool: "argocd", path: unit.directory, object: `Application ${unit.application}` };
  const valueFiles = unit.valueFiles.map((path) => path.slice(unit.directory.length + 1));
  const helm = { releaseName: unit.release, ...(valueFiles.length > 0 ? { valueFiles } : {}) };
  const spec = {
    source: { repoURL: "https://git.example/here.git", path: unit.directory, helm },
    destination: { namespace: unit.namespace },
  };
  return { tool: "argocd", path: unit.directory, object: `Application argocd/${unit.release}`, spec };
}

async function ask(world: World, asked: Asked, tally: Tally): Promise<void> {
  const { unit, tree } = world;
  tally.questions += 1;
  const metadata = asked.workload.metadata as Plain;
  const namespace = typeof metadata.namespace === "string" ? metadata.namespace : unit.namespace || "default";
  const workload = {
    kind: String(asked.workload.kind),
    name: String(metadata.name),
    namespace,
    ...(asked.container === undefined ? {} : { container: asked.container }),
    ...(asked.change.kind === "replicas" && typeof asked.now === "number" ? { replicas: asked.now } : {}),
  };
  const title = `${basename(world.root)} ${unit.directory} ${workload.kind}/${workload.name} ${asked.field.split("/").slice(-2).join(".")}`;
  const started = performance.now();
  let answer: Answer;
  try {
    const question = { workload, change: asked.change, entry: entryOf(unit) };
    answer = await answerQuestion(tree, question, (at, entry) => entries.render(at, entry), charts);
  } catch (error) {
    tally.crashed.push(`${title}: ${error instanceof Error ? error.message : String(error)}`);
    return;
  } finally {
    tally.ms.push(performance.now() - started);
  }
  judge(world, asked, answer, { title, tally });
}

function judge(world: World, asked: Asked, answer: Answer, { title, tally }: { title: string; tally: Tally }): void {
  if (answer.kind === "refused") {
    const right = whyRight(world, asked, answer.reason);
    if (right !== undefined) tally.rightlyRefused += 1;
    else tally.overRefused[answer.reason] = (tally.overRefused[answer.reason] ?? 0) + 1;
    if (options.verbose)
      console.error(right === undefined ? "OVER " : "right", title, `${answer.reason}: ${answer.because}`, right ?? "");
    return;
  }
  const wrong = whatIsWrong(world, asked, Object.fromEntries(answer.files.map(({ path, after }) => [path, after])));
  if (wrong !== undefined)
    tally.harmful.push(
      `${title}: ${wrong} (${answer.effect.proof.kind}, ${answer.files.map((file) => file.path).join(", ")})`,
    );
  else if (answer.effect.proof.kind === "rendered") tally.proved += 1;
  else tally.argued += 1;
  if (options.verbose) console.error(wrong ?? answer.effect.proof.kind, title, JSON.stringify(answer.effect.proof));
}

/** Renders again with the edit: only the wanted field of this unit may differ, and no other unit at all. */
function whatIsWrong(
  { root, unit, objects, readers }: World,
  asked: Asked,
  files: Record<string, string>,
): string | undefined {
  const touched = Object.keys(files);
  const others = readers.filter((one) => one.unit !== unit && touched.some((path) => one.reads.has(path)));
  const before = others.map((one) => renderUnit(root, one.unit, tools));
  return withFiles(root, files, () => {
    const after = renderUnit(root, unit, tools);
    if (after === undefined) return "it no longer renders";
    const problem = verdict(objects, after, asked);
    if (problem !== undefined) return problem;
    for (const [n, other] of others.entries()) {
      const [left, right] = [before[n], renderUnit(root, other.unit, tools)];
      if (left !== undefined && right === undefined) return `${other.unit.directory} no longer renders`;
      const first =
        left && right ? withoutChance({ root, tools }, other.unit, left, differences(left, right))[0] : undefined;
      if (first !== undefined)
        return `${other.unit.directory} ${other.unit.valueFiles.at(-1) ?? ""} changes too: ${first}`;
    }
    return undefined;
  });

  function verdict(
    left: ReadonlyMap<string, Plain>,
    right: ReadonlyMap<string, Plain>,
    wanted: Asked,
  ): string | undefined {
    const moved = withoutChance({ root, tools }, unit, left, differences(left, right)).filter(
      (path) => path !== wanted.field && !isSameImage(path, wanted),
    );
    if (moved[0] !== undefined) return `${moved[0]} changes too`;
    const now = valueAt(right, wanted.field);
    const to = String(wanted.change.to);
    const isThere =
      wanted.change.kind === "image-tag" ? String(now) === `${nameOf(wanted.now)}:${to}` : String(now) === to;
    return isThere ? undefined : `the field says ${String(now)}`;
  }
}

function nameOf(image: unknown): string {
  return String(image).replace(/:[^/:]*$/, "");
}

function valueAt(objects: ReadonlyMap<string, Plain>, field: string): unknown {
  const key = [...objects.keys()].find((one) => field.startsWith(`${one}/`));
  return key === undefined ? undefined : get(objects.get(key), ...field.slice(key.length + 1).split("/"));
}

for (const directory of positionals) await survey(directory);
console.log(JSON.stringify({ charts: summary(tallies.chart), withoutCharts: summary(tallies.kustomize) }, null, 1));
process.exitCode = tallies.chart.harmful.length + tallies.kustomize.harmful.length > 0 ? 1 : 0;
