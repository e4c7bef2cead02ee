import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, normalize, relative } from "node:path";
import type { Entry } from "../../src/domain/kubernetes/manifest-edit.ts";
import { documentsOf, isPlain, type Plain, renderUnit, type Tools, type Unit } from "./survey-judge.ts";
import { deployersOf } from "./survey-reasons.ts";

/** Releases of a repository's own charts, as the objects of Argo CD and Flux say them. */
const below = (value: unknown, ...path: readonly string[]): Plain =>
  path.reduce<Plain>((here, step) => (isPlain(here[step]) ? here[step] : {}), isPlain(value) ? value : {});

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const understood = ["releaseName", "valueFiles", "ignoreMissingValueFiles", "values", "valuesObject", "parameters"];

/** The units that Applications of the repository make of a chart. */
export function applicationsOf(root: string, directory: string, texts: ReadonlyMap<string, string>): Unit[] {
  return [...texts].flatMap(([file, content]) =>
    content.includes("kind: Application") && (content.includes(directory) || content.includes("{{"))
      ? documentsOf(content).flatMap((object) => applicationUnits(root, directory, { file, object }))
      : [],
  );
}

function applicationUnits(root: string, directory: string, at: { file: string; object: unknown }): Unit[] {
  const { file, object } = at;
  if (isPlain(object) && object.kind === "ApplicationSet")
    return madeBy(root, object).flatMap((one) =>
      applicationUnits(root, directory, { file, object: one }).flatMap(({ said, ...unit }) =>
        said ? [] : [{ ...unit, spec: below(one, "spec") }],
      ),
    );
  const metadata = below(object, "metadata");
  const name = text(metadata.name);
  if (!isPlain(object) || object.kind !== "Application" || name === undefined) return [];
  const spec = below(object, "spec");
  const sources = (Array.isArray(spec.sources) ? (spec.sources as unknown[]) : [spec.source]).filter(isPlain);
  return sources.flatMap((source): Unit[] => {
    if (normalize(text(source.path) ?? "..").replace(/\/$/, "") !== directory) return [];
    const helm = below(source, "helm");
    const valueFiles = (Array.isArray(helm.valueFiles) ? helm.valueFiles : []).map((one) =>
      valueFile(String(one), directory, { source, sources }),
    );
    if (Object.keys(helm).some((key) => !understood.includes(key))) return [];
    const mayMiss = helm.ignoreMissingValueFiles === true;
    const isThere = (one: string) => mayMiss || existsSync(join(root, one));
    if (!valueFiles.every((one): one is string => one !== undefined && isThere(one))) return [];
    const isInline = ["values", "valuesObject", "parameters"].some((key) => helm[key] !== undefined);
    if (parametersIn(helm) === undefined) return [];
    return [
      {
        kind: "chart",
        directory,
        release: text(helm.releaseName) ?? name,
        namespace: text(below(spec, "destination").namespace) ?? "default",
        valueFiles,
        application: `${text(metadata.namespace) ?? "argocd"}/${name}`,
        ...(isInline ? { said: { kind: "Application", name, file } } : {}),
      },
    ];
  });
}

/** The Applications that a chart of the repository makes of its other charts: then only the cluster holds them. */
export function applicationsMade(root: string, maker: Unit, charts: readonly string[], tools: Tools): Unit[] {
  const objects = [...(renderUnit(root, maker, tools)?.values() ?? [])];
  return objects
    .filter(({ kind }) => kind === "Application")
    .flatMap((object) =>
      charts.flatMap((directory) =>
        applicationUnits(root, directory, { file: "", object }).flatMap(({ said, ...unit }) =>
          said ? [] : [{ ...unit, spec: below(object, "spec") }],
        ),
      ),
    );
}

/** What the parameters of an Application say, as values; undefined where they are more than plain ones. */
function parametersIn(helm: Plain): Plain | undefined {
  const items = (Array.isArray(helm.parameters) ? (helm.parameters as unknown[]) : []).filter(isPlain);
  const isOdd = ({ name, value }: Plain) => /[[\\]/.test(String(name)) || /[{]/.test(String(value));
  if (items.some(isOdd)) return undefined;
  return items.reduce<Plain>((all, { name, value, forceString }) => {
    const written = String(value);
    const isTyped = forceString !== true && /^(?:0|[1-9]\d*|true|false)$/.test(written);
    const steps = String(name).split(".");
    const nested = steps.reduceRight<unknown>(
      (inner, step) => ({ [step]: inner }),
      isTyped ? JSON.parse(written) : written,
    );
    return merged(all, nested as Plain);
  }, {});
}

const merged = (left: Plain, right: Plain): Plain =>
  Object.entries(right).reduce<Plain>((all, [key, value]) => {
    const old = all[key];
    return { ...all, [key]: isPlain(old) && isPlain(value) ? merged(old, value) : value };
  }, left);

/** The Applications of a set of lists, of directories and of both, as the cluster would hold them. */
function madeBy(root: string, set: Plain): Plain[] {
  const { template, generators, ...rest } = below(set, "spec");
  if (rest.templatePatch !== undefined || !Array.isArray(generators)) return [];
  const { namespace } = below(set, "metadata");
  return generators
    .flatMap((one) => paramsOf(root, one))
    .flatMap((params) => {
      const filled = JSON.stringify(template).replace(
        /\{\{-?\s*\.?([\w.]+)\s*-?\}\}/g,
        (whole, name: string) => params.get(name) ?? whole,
      );
      if (filled.includes("{{")) return [];
      const made = JSON.parse(filled) as Plain;
      return [{ ...made, kind: "Application", metadata: { ...below(made, "metadata"), namespace } }];
    });
}

type Params = ReadonlyMap<string, string>;

function paramsOf(root: string, generator: unknown): Params[] {
  const { list, git, matrix } = isPlain(generator) ? generator : {};
  const elements = below({ list }, "list").elements;
  if (Array.isArray(elements)) return elements.filter(isPlain).map((one) => flat(one));
  const inner = below({ matrix }, "matrix").generators;
  if (Array.isArray(inner))
    return inner.reduce<Params[]>(
      (all, one) => all.flatMap((left) => paramsOf(root, one).map((right) => new Map([...left, ...right]))),
      [new Map()],
    );
  const directories = below({ git }, "git").directories;
  const wanted = Array.isArray(directories) ? directories.filter(isPlain) : [];
  const matching = (isExcluded: boolean) =>
    wanted
      .filter((one) => (one.exclude === true) === isExcluded)
      .flatMap((one) => directoriesLike(root, String(one.path)));
  const out = new Set(matching(true));
  return [...new Set(matching(false))]
    .filter((path) => !out.has(path))
    .sort()
    .map((path) => flat({ path: { path, basename: basename(path) } }, new Map([["path", path]])));
}

/** A pattern of a generator of directories. */
export function patternOf(pattern: string): RegExp {
  const steps = pattern
    .split(/(\*+)/)
    .map((part) => (/^\*/.test(part) ? (part === "*" ? "[^/]+" : ".+") : part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")));
  return new RegExp(`^${steps.join("")}$`);
}

function directoriesLike(root: string, pattern: string): string[] {
  const wanted = patternOf(pattern);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((one) => one.isDirectory())
    .map((one) => relative(root, join(one.parentPath, one.name)))
    .filter((path) => wanted.test(path));
}

/** Whether a chart that makes Applications names this one, in its templates or in values of its own. */
function isNamedByMaker(directory: string, texts: ReadonlyMap<string, string>): boolean {
  const named = new RegExp(`(?<![\\w./-])(?:\\./)?${directory.replace(/[.+?^${}()|[\]\\]/g, "\\$&")}/?(?![\\w./-])`);
  const makers = [...texts].flatMap(([path, one]) => {
    const chart = /^(.*?)\/?templates\//.exec(path)?.[1];
    return chart !== undefined && /kind: Application/.test(one) ? [chart] : [];
  });
  return [...texts].some(([path, one]) => makers.some((chart) => path.startsWith(`${chart}/`)) && named.test(one));
}

/** Whether something that is not understood here deploys a chart: then nobody can say what it installs. */
export function isInstalledSomehow(root: string, directory: string, texts: ReadonlyMap<string, string>): boolean {
  const unit: Unit = { kind: "chart", directory, release: "", namespace: "", valueFiles: [] };
  const written = new RegExp(`chart: ["']?(\\./)?${directory.replace(/[.+?^${}()|[\]\\]/g, "\\$&")}/?["']?\\s*$`, "m");
  if (isNamedByMaker(directory, texts)) return true;
  const isReleased = [...texts.values()].some((one) => one.includes("kind: HelmRelease") && written.test(one));
  const inflated = new RegExp(`^helmCharts:[^]*name: ["']?${basename(directory)}["']?\\s*$`, "m");
  return isReleased || [...texts.values()].some((one) => inflated.test(one)) || deployersOf(root, unit).length > 0;
}

function flat(value: Plain, into = new Map<string, string>(), prefix = ""): Map<string, string> {
  for (const [key, item] of Object.entries(value))
    if (isPlain(item)) flat(item, into, `${prefix}${key}.`);
    else if (typeof item !== "object") into.set(prefix + key, String(item));
  return into;
}

/** Where a value file stands; one of a `ref` source only where that is the chart's own repository. */
function valueFile(
  written: string,
  directory: string,
  { source, sources }: { readonly source: Plain; readonly sources: readonly Plain[] },
): string | undefined {
  const [, reference, path = ""] = /^\$([\w-]+)\/(.*)$/.exec(written) ?? [];
  if (reference === undefined) return normalize(join(directory, written));
  const own = sources.find((one) => one.ref === reference);
  return own?.repoURL === source.repoURL ? normalize(path) : undefined;
}

/** The HelmReleases of a repository's own charts that a kustomization builds. */
export function releasesBuilt(root: string, built: Unit, tools: Tools): Unit[] {
  return [...(renderUnit(root, built, tools)?.values() ?? [])].flatMap((object): Unit[] => {
    const spec = below(object, "spec");
    const chart = below(spec, "chart", "spec");
    const name = text(below(object, "metadata").name);
    const directory = normalize(text(chart.chart) ?? "..").replace(/\/$/, "");
    const isOdd = ["valuesFrom", "postRenderers", "suspend"].some((key) => spec[key] !== undefined);
    const isOwn = below(chart, "sourceRef").kind === "GitRepository" && existsSync(join(root, directory, "Chart.yaml"));
    if (object.kind !== "HelmRelease" || name === undefined || isOdd || !isOwn) return [];
    if (/\$\{/.test(JSON.stringify(spec))) return [];
    const own = join(directory, "values.yaml");
    const named = Array.isArray(chart.valuesFiles) ? chart.valuesFiles.map((one) => normalize(String(one))) : [own];
    const target = text(spec.targetNamespace);
    return [
      {
        kind: "chart",
        directory,
        release: text(spec.releaseName) ?? (target === undefined ? name : `${target}-${name}`),
        namespace: target ?? text(below(object, "metadata").namespace) ?? "default",
        valueFiles: named.filter((one) => existsSync(join(root, one))),
        said: { kind: "HelmRelease", name, file: built.directory },
      },
    ];
  });
}

/** The Kustomization of Flux that builds a directory: of those whose path is the directory or above it, the nearest. */
export function fluxEntryOf(texts: readonly string[], directory: string): Entry | undefined {
  const found = texts
    .filter((one) => one.includes("kustomize.toolkit.fluxcd.io/"))
    .flatMap(documentsOf)
    .filter((one) => isPlain(one) && one.kind === "Kustomization")
    .flatMap((one) => {
      const path = normalize(text(below(one, "spec").path) ?? ".").replace(/\/$/, "");
      const { name, namespace } = below(one, "metadata");
      const isAround = path === "." || path === directory || directory.startsWith(`${path}/`);
      return isAround && typeof name === "string"
        ? [{ path, object: `Kustomization ${text(namespace) ?? "flux-system"}/${name}` }]
        : [];
    })
    .sort((a, b) => b.path.length - a.path.length);
  return found[0] && { tool: "flux", ...found[0] };
}

/** The values that the object says now: read from its file, or from what its kustomization builds. */
export function saidValues(root: string, { kind, name, file }: NonNullable<Unit["said"]>, tools: Tools): unknown {
  const built: Unit = { kind: "kustomize", directory: file, release: "", namespace: "", valueFiles: [] };
  const objects = statSync(join(root, file)).isDirectory()
    ? [...(renderUnit(root, built, tools)?.values() ?? [])]
    : documentsOf(readFileSync(join(root, file), "utf8"));
  const object = objects.find((one) => isPlain(one) && one.kind === kind && below(one, "metadata").name === name);
  const spec = below(object, "spec");
  if (kind === "HelmRelease") return spec.values ?? {};
  const sources = (Array.isArray(spec.sources) ? (spec.sources as unknown[]) : [spec.source]).filter(isPlain);
  const isSaying = (one: Plain) => one.valuesObject ?? one.values ?? one.parameters;
  const helm = sources.map((source) => below(source, "helm")).find(isSaying) ?? {};
  const inline = helm.valuesObject ?? documentsOf(String(helm.values ?? ""))[0];
  return merged(isPlain(inline) ? inline : {}, parametersIn(helm) ?? {});
}

/** Where the Flux Kustomizations of a directory put what names no namespace; undefined where they do not agree. */
export function targetNamespaceOf(texts: readonly string[], directory: string): string | undefined {
  const objects = texts
    .filter((one) => one.includes("targetNamespace") && one.includes(directory))
    .flatMap(documentsOf);
  const own = objects.filter(
    (one) =>
      isPlain(one) &&
      one.kind === "Kustomization" &&
      normalize(text(below(one, "spec").path) ?? "..").replace(/\/$/, "") === directory,
  );
  const said = new Set(own.map((one) => text(below(one, "spec").targetNamespace)));
  return said.size === 1 ? [...said][0] : undefined;
}
