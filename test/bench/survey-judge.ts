import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, normalize, relative } from "node:path";
import { loadAll } from "js-yaml";
import { withNeighbors } from "./survey-neighbors.ts";
import { applicationsMade, applicationsOf, isInstalledSomehow, releasesBuilt, saidValues } from "./survey-releases.ts";

/**
 * A stranger's judgement: it knows nothing of how Rectify reads repositories. It renders with the real tools, compares
 * the objects, and finds out by trying whether a refusal was right.
 */
export type Plain = Record<string, unknown>;

/** One thing that somebody deploys from a repository. */
export interface Unit {
  readonly kind: "chart" | "kustomize";
  readonly directory: string;
  readonly release: string;
  readonly namespace: string;
  /** Relative to the repository. */
  readonly valueFiles: readonly string[];
  /** The Application as a set makes it: then only the cluster holds it. */
  readonly spec?: Plain;
  /** The object that says the values which come last. */
  readonly said?: SaidBy;
  /** True for a chart of somebody else, which stands in no repository that could be edited. */
  readonly published?: true;
  /** The Application of the repository that makes it, `namespace/name`. */
  readonly application?: string;
}

/** A HelmRelease, or an Application with values of its own. */
interface SaidBy {
  readonly kind: "HelmRelease" | "Application";
  readonly name: string;
  /** The file it stands in, or the kustomization that builds it. */
  readonly file: string;
}

export interface Tools {
  readonly helm: string;
  readonly kustomize: string;
}

export const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => relative(root, join(file.parentPath, file.name)))
    .filter((path) => !/(^|\/)(\.git|node_modules)\//.test(path));
}

const textsByRoot = new Map<string, ReadonlyMap<string, string>>();

/** The YAML files of a repository with their texts as they were when they were first asked for. */
function yamlPaths(root: string): ReadonlyMap<string, string> {
  const files = () => filesBelow(root).filter((path) => /\.ya?ml$/.test(path));
  const known = textsByRoot.get(root) ?? new Map(files().map((path) => [path, readFileSync(join(root, path), "utf8")]));
  textsByRoot.set(root, known);
  return known;
}

export const yamlTexts = (root: string): readonly string[] => [...yamlPaths(root).values()];

/** Every chart with the value files of each environment, and every kustomization that no other one names. */
export function unitsOf(root: string, tools: Tools): Unit[] {
  const files = filesBelow(root);
  const charts = files.filter((path) => basename(path) === "Chart.yaml").map(dirname);
  const isInner = (directory: string) =>
    charts.some((other) => other !== directory && directory.startsWith(`${other}/`)) ||
    /(^|\/)(tests?|testdata|starters?|examples?|templates)(\/|$)/.test(directory);
  // What is only packed into other charts of the repository is deployed by nobody.
  const packed = new Set(charts.flatMap((directory) => packedInto(root, directory)));
  const chartUnits = charts
    .filter((directory) => !isInner(directory))
    .filter((directory) => !packed.has(directory) || applicationsOf(root, directory, yamlPaths(root)).length > 0)
    .flatMap((directory) => chartUnitsOf(root, directory));
  const kustomizations = files.filter((path) => /^(kustomization\.ya?ml|Kustomization)$/.test(basename(path)));
  const named = new Set(kustomizations.flatMap((path) => placesNamedIn(root, path)));
  const roots = kustomizations.map(dirname).filter((directory) => !named.has(directory) && !isInner(directory));
  const kustomizeUnits = roots.map(
    (directory): Unit => ({ kind: "kustomize", directory, release: "", namespace: "", valueFiles: [] }),
  );
  const isFlux = charts.length > 0 && yamlTexts(root).some((text) => text.includes("kind: HelmRelease"));
  const released = (isFlux ? kustomizeUnits : []).flatMap((unit) => releasesBuilt(root, unit, tools));
  const isReleased = new Set(released.map((unit) => unit.directory));
  const made = chartUnits.flatMap((unit) => applicationsMade(root, unit, charts, tools));
  for (const unit of made) isReleased.add(unit.directory);
  const others = chartUnits.filter((unit) => unit.application !== undefined || !isReleased.has(unit.directory));
  return [...others, ...made, ...released, ...kustomizeUnits];
}

/** The charts of the repository that a chart names by `file:`. */
export function packedInto(root: string, directory: string): string[] {
  const text = readFileSync(join(root, directory, "Chart.yaml"), "utf8");
  return [...text.matchAll(/file:\/\/([^\s"',}]+)/g)].map(([, path = ""]) =>
    normalize(join(directory, path)).replace(/\/$/, ""),
  );
}

function chartUnitsOf(root: string, directory: string): Unit[] {
  const [chart] = documentsOf(readFileSync(join(root, directory, "Chart.yaml"), "utf8"));
  if (!isPlain(chart) || chart.type === "library" || typeof chart.name !== "string") return [];
  const named = applicationsOf(root, directory, yamlPaths(root));
  if (named.length > 0 || isInstalledSomehow(root, directory, yamlPaths(root))) return named;
  const others = readdirSync(join(root, directory))
    .filter((name) => /^values[-._].+\.ya?ml$/.test(name))
    .sort();
  const one = (extra: readonly string[], suffix: string): Unit => ({
    kind: "chart",
    directory,
    release: String(chart.name),
    namespace: `survey${suffix}`,
    valueFiles: ["values.yaml", ...extra]
      .map((name) => join(directory, name))
      .filter((path) => existsSync(join(root, path))),
  });
  return others.length === 0 ? [one([], "")] : others.slice(0, 2).map((name, n) => one([name], `-${n}`));
}

/** True when the text of some Application names the chart, be it a template itself. */
export function isNamedByApplication(root: string, { directory }: Unit): boolean {
  return yamlTexts(root).some((text) => text.includes("kind: Application") && text.includes(directory));
}

function placesNamedIn(root: string, path: string): string[] {
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value === "string" && !value.includes("\n"))
      found.push(normalize(join(dirname(path), value)).replace(/\/$/, ""));
    else if (Array.isArray(value)) value.forEach(walk);
    else if (isPlain(value)) Object.values(value).forEach(walk);
  };
  walk(documentsOf(readFileSync(join(root, path), "utf8")));
  return found;
}

export function documentsOf(text: string): unknown[] {
  try {
    return loadAll(text).filter((one) => one !== null && one !== undefined);
  } catch {
    return [];
  }
}

const isBuiltFrom = (path: string): boolean =>
  /^(kustomization\.ya?ml|Kustomization|Chart\.yaml)$/.test(basename(path));

/** The files that a unit can read; too many rather than too few. */
export function readsOf(root: string, unit: Unit): Set<string> {
  const found = new Set<string>(unit.valueFiles);
  const open = [unit.directory, ...(unit.said ? [unit.said.file] : [])];
  const seen = new Set<string>();
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (seen.has(place) || place.startsWith("..") || !existsSync(join(root, place))) continue;
    seen.add(place);
    if (statSync(join(root, place)).isFile()) {
      found.add(place);
      continue;
    }
    const top = readdirSync(join(root, place)).map((name) => join(place, name));
    const isOwn = top.some((path) => isBuiltFrom(path) && basename(path) !== "Chart.yaml");
    // Below a kustomization lies what it names, or nothing of it.
    const inside = isOwn ? top : filesBelow(join(root, place)).map((path) => join(place, path));
    const own = inside.filter(isBuiltFrom);
    for (const path of isOwn ? own.filter((one) => dirname(one) === place) : inside) found.add(path);
    for (const path of isOwn ? own.filter((one) => dirname(one) === place) : own) {
      open.push(...placesNamedIn(root, path).map((name) => name.replace("file:/", "")));
      for (const [, target = ""] of readFileSync(join(root, path), "utf8").matchAll(/file:\/\/([^\s"',}]+)/g))
        open.push(normalize(join(dirname(path), target)));
    }
  }
  return found;
}

/** The objects by identity; undefined when the tool refuses. `sets` are values that win, as JSON. */
export function renderUnit(
  root: string,
  unit: Unit,
  tools: Tools,
  sets: readonly string[] = [],
): Map<string, Plain> | undefined {
  const output = rawOutput(root, unit, tools, sets);
  if (output === undefined) return undefined;
  const objects = new Map<string, Plain>();
  for (const document of documentsOf(output)) {
    const items =
      isPlain(document) && document.kind === "List" && Array.isArray(document.items)
        ? (document.items as unknown[])
        : [document];
    for (const item of items) if (isPlain(item) && isPlain(item.metadata)) objects.set(keyOf(item), item);
  }
  return objects;
}

function rawOutput(root: string, unit: Unit, tools: Tools, sets: readonly string[]): string | undefined {
  const written = unit.said === undefined ? undefined : JSON.stringify(saidValues(root, unit.said, tools));
  const values = [
    ...unit.valueFiles.filter((path) => existsSync(join(root, path))).flatMap((path) => ["--values", join(root, path)]),
    ...(written === undefined ? [] : ["--values", "-"]),
  ];
  const run = (tool: string, args: readonly string[]): string | undefined => {
    try {
      return execFileSync(tool, args, {
        encoding: "utf8",
        maxBuffer: 1 << 28,
        timeout: 30_000,
        ...(written === undefined
          ? { stdio: ["ignore", "pipe", "ignore"] as const }
          : { input: written, stdio: ["pipe", "pipe", "ignore"] as const }),
        env: {
          ...{ PATH: "/nowhere", HOME: "/nowhere" },
          ...{ HTTPS_PROXY: "http://127.0.0.1:9", HTTP_PROXY: "http://127.0.0.1:9" },
        },
      });
    } catch {
      return undefined;
    }
  };
  const build = ["build", "--load-restrictor=LoadRestrictionsNone", "--enable-helm", "--helm-command", tools.helm];
  if (unit.kind !== "chart") return run(tools.kustomize, [...build, join(root, unit.directory)]);
  const options = ["--namespace", unit.namespace, "--kube-version", "1.33.0"];
  const trials = sets.flatMap((set) => ["--set-json", set]);
  return withNeighbors(root, unit.directory, (chart) =>
    run(tools.helm, ["template", unit.release, chart, ...options, ...values, ...trials]),
  );
}

export function keyOf(object: Plain): string {
  const metadata = isPlain(object.metadata) ? object.metadata : {};
  return [object.apiVersion, object.kind, metadata.namespace ?? "", metadata.name].map(String).join("|");
}

/** Every path that differs, as text. */
export function differences(before: ReadonlyMap<string, Plain>, after: ReadonlyMap<string, Plain>): string[] {
  const found: string[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) differ(before.get(key), after.get(key), key, found);
  return found;
}

function differ(left: unknown, right: unknown, path: string, found: string[]): void {
  if (JSON.stringify(left) === JSON.stringify(right)) return;
  const empty = (value: unknown) =>
    value === undefined || value === null || (isPlain(value) && Object.keys(value).length === 0);
  if ((isPlain(left) || empty(left)) && (isPlain(right) || empty(right)) && path.includes("/")) {
    const [a, b] = [isPlain(left) ? left : {}, isPlain(right) ? right : {}];
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) differ(a[key], b[key], `${path}/${key}`, found);
  } else if (isPlain(left) && isPlain(right)) {
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)]))
      differ(left[key], right[key], `${path}/${key}`, found);
  } else if (Array.isArray(left) && Array.isArray(right) && left.length === right.length) {
    left.forEach((item, n) => differ(item, right[n], `${path}/${n}`, found));
  } else found.push(path);
}

/** Runs some work with files replaced, and puts them back. */
export function withFiles<T>(root: string, files: Readonly<Record<string, string>>, work: () => T): T {
  const before = new Map(
    Object.keys(files).map((path) => [path, existsSync(join(root, path)) ? readFileSync(join(root, path)) : undefined]),
  );
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return work();
  } finally {
    for (const [path, bytes] of before) {
      if (bytes === undefined) rmSync(join(root, path));
      else writeFileSync(join(root, path), bytes);
    }
  }
}

/** Sets as JSON that could make the field say something else: every value that equals it, one after the other. */
export function trials(values: unknown, now: unknown, to: string | number): string[] {
  const found: string[] = [];
  const texts = new Set([String(now), String(now).split(":").at(-1) ?? "", String(now).split("/").at(-1) ?? ""]);
  const walk = (value: unknown, path: string): void => {
    if (Array.isArray(value)) value.forEach((item, n) => walk(item, `${path}[${n}]`));
    else if (isPlain(value))
      for (const [key, item] of Object.entries(value)) walk(item, path === "" ? escape(key) : `${path}.${escape(key)}`);
    else if (value !== null && texts.has(String(value))) {
      const old = String(value);
      const next = old === String(now) && old.includes(":") ? old.replace(/:[^:]*$/, `:${to}`) : to;
      found.push(`${path}=${JSON.stringify(typeof value === "string" ? String(next) : next)}`);
    }
  };
  walk(values, "");
  return found.slice(0, 24);
}

const escape = (key: string): string => key.replaceAll(".", "\\.").replaceAll("[", "\\[");
