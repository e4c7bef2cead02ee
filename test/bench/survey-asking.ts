import { askedQuantity } from "../../src/manifests/locate/survey-questions.ts";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { Entry } from "../../src/domain/kubernetes/manifest-edit.ts";
import type { ChartTools } from "../../src/domain/kubernetes/rendered.ts";
import { type Answer, answerQuestion, type Render } from "../../src/manifests/locate/answer.ts";
import { differences, type Plain, renderUnit, type Tools, type Unit, withFiles, yamlTexts } from "./survey-judge.ts";
import { fluxEntryOf, targetNamespaceOf } from "./survey-releases.ts";
import { type Asked, get, isSameImage, whyRight, withoutChance, type World } from "./survey-reasons.ts";

/** What was asked and how it was judged. */
export interface Tally {
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
export const emptyTally = (): Tally => ({
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
/** A tally as one object for machines. */
export function summary({ ms, harmful, crashed, ...rest }: Tally): object {
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

/** The tools that the judge renders with. */
export function toolPaths(): Tools {
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

/** Everything that is asked about one object. */
export function questionsOf(object: Plain, objects: ReadonlyMap<string, Plain>): Asked[] {
  if (!["Deployment", "StatefulSet", "DaemonSet", "Rollout"].includes(String(object.kind))) return [];
  // What Kubernetes would not take under this name is a form that somebody fills in: no cluster runs it.
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(String(get(object, "metadata", "name")))) return [];
  const key = [...objects].find(([, one]) => one === object)?.[0] ?? "";
  const scaler = [...objects].find(
    ([, one]) =>
      one.kind === "HorizontalPodAutoscaler" &&
      get(one, "spec", "scaleTargetRef", "name") === get(object, "metadata", "name") &&
      get(one, "spec", "scaleTargetRef", "kind") === object.kind,
  );
  const keda = [...objects].find(
    ([, one]) =>
      one.kind === "ScaledObject" &&
      get(one, "spec", "scaleTargetRef", "name") === get(object, "metadata", "name") &&
      (get(one, "spec", "scaleTargetRef", "kind") ?? "Deployment") === object.kind,
  );
  const asked: Asked[] = [];
  const own = { workload: object, container: undefined };
  if (keda) {
    asked.push(...boundsOf(keda, own, "scaled-object", ["minReplicaCount", "maxReplicaCount"]));
  } else if (scaler) {
    asked.push(...boundsOf(scaler, own, "hpa", ["minReplicas", "maxReplicas"]));
  } else if (object.kind !== "DaemonSet") {
    const now = get(object, "spec", "replicas");
    asked.push({ ...own, change: { kind: "replicas", to: Number(now ?? 1) + 2 }, field: `${key}/spec/replicas`, now });
  }
  const containers = get(object, "spec", "template", "spec", "containers");
  const first: unknown = Array.isArray(containers) ? containers[0] : undefined;
  const name = get(first, "name");
  if (typeof name !== "string") return asked;
  const at = `${key}/spec/template/spec/containers/0`;
  for (const field of ["limits.memory", "requests.cpu", "limits.cpu", "requests.memory"] as const) {
    const [side = "", what = ""] = field.split(".");
    const other: unknown = get(first, "resources", side === "limits" ? "requests" : "limits", what);
    const now = get(first, "resources", side, what);
    const to = askedQuantity(field, { now, other });
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

/** Both bounds: the lower one by one up, where it does not cross the other; what nobody wrote is not asked for. */
function boundsOf(
  [key, scaler]: readonly [string, Plain],
  own: Pick<Asked, "workload" | "container">,
  kind: "hpa" | "scaled-object",
  [least, most]: readonly [string, string],
): Asked[] {
  const [low, high] = [get(scaler, "spec", least), get(scaler, "spec", most)];
  const question = (field: string, now: unknown, to: number): Asked => ({
    ...own,
    change: { kind, field, to } as Asked["change"],
    field: `${key}/spec/${field}`,
    now,
  });
  const isBelow = typeof low === "number" && low < Number(high);
  return [question(most, high, Number(high ?? 100) + 3), ...(isBelow ? [question(least, low, low + 1)] : [])];
}

function entryOf(root: string, unit: Unit): Entry {
  if (unit.kind === "kustomize") return { tool: "kustomize", path: unit.directory };
  if (unit.said?.kind === "HelmRelease")
    return fluxEntryOf(yamlTexts(root), unit.said.file) ?? { tool: "kustomize", path: unit.said.file };
  if (unit.application !== undefined)
    return {
      ...{ tool: "argocd", path: unit.directory, object: `Application ${unit.application}` },
      ...(unit.spec ? { spec: unit.spec } : {}),
    };
  const valueFiles = unit.valueFiles.map((path) => path.slice(unit.directory.length + 1));
  const helm = { releaseName: unit.release, ...(valueFiles.length > 0 ? { valueFiles } : {}) };
  const spec = {
    source: { repoURL: "https://git.example/here.git", path: unit.directory, helm },
    destination: { namespace: unit.namespace },
  };
  return { tool: "argocd", path: unit.directory, object: `Application argocd/${unit.release}`, spec };
}

/** How answers are made. */
interface Asking {
  readonly charts: ChartTools;
  readonly render: Render;
  readonly verbose: boolean;
}

/** Asks one question and judges the answer. */
export async function ask(
  world: World,
  asked: Asked,
  { tally, asking }: { tally: Tally; asking: Asking },
): Promise<void> {
  const { unit, tree } = world;
  tally.questions += 1;
  const metadata = asked.workload.metadata as Plain;
  const outside = unit.namespace || targetNamespaceOf(yamlTexts(world.root), unit.directory) || "default";
  const namespace = typeof metadata.namespace === "string" ? metadata.namespace : outside;
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
    const question = { workload, change: asked.change, entry: world.entry ?? entryOf(world.root, unit) };
    answer = await answerQuestion(tree, question, asking.render, asking.charts);
  } catch (error) {
    tally.crashed.push(`${title}: ${error instanceof Error ? error.message : String(error)}`);
    return;
  } finally {
    tally.ms.push(performance.now() - started);
  }
  judge(world, asked, answer, { title, tally, verbose: asking.verbose });
}

function judge(
  world: World,
  asked: Asked,
  answer: Answer,
  { title, tally, verbose }: { title: string; tally: Tally; verbose: boolean },
): void {
  if (answer.kind === "refused") {
    const right = whyRight(world, asked, answer.reason);
    if (right !== undefined) tally.rightlyRefused += 1;
    else tally.overRefused[answer.reason] = (tally.overRefused[answer.reason] ?? 0) + 1;
    if (verbose)
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
  const said = answer.effect.proof.kind === "rendered" ? [] : answer.warnings;
  if (verbose) console.error(wrong ?? answer.effect.proof.kind, title, JSON.stringify(answer.effect.proof), ...said);
}

/** Renders again with the edit: only the wanted field of this unit may differ, and no other unit at all. */
function whatIsWrong(
  { root, unit, objects, readers, tools }: World,
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
      const moved = left && right ? withoutChance({ root, tools }, other.unit, left, differences(left, right)) : [];
      const first = moved.find((path) => !isSaid(unit, path));
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

/** What the release's own object says is said to its chart. */
function isSaid({ said }: Unit, path: string): boolean {
  if (said === undefined) return false;
  const [, kind, , name] = (path.split("/spec/")[0] ?? "").split("|");
  return kind === said.kind && name === said.name && /\/spec\/(values|sources?)(\/|$)/.test(path);
}

function nameOf(image: unknown): string {
  return String(image).replace(/:[^/:]*$/, "");
}

function valueAt(objects: ReadonlyMap<string, Plain>, field: string): unknown {
  const key = [...objects.keys()].find((one) => field.startsWith(`${one}/`));
  return key === undefined ? undefined : get(objects.get(key), ...field.slice(key.length + 1).split("/"));
}
