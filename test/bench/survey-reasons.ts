import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tree } from "../../src/domain/kubernetes/tree.ts";
import type { Entry, WantedChange } from "../../src/domain/kubernetes/manifest-edit.ts";
import {
  differences,
  documentsOf,
  isNamedByApplication,
  keyOf,
  type Plain,
  readsOf,
  renderUnit,
  type Tools,
  trials,
  type Unit,
  withFiles,
  yamlTexts,
} from "./survey-judge.ts";
import { isForbidden } from "./survey-guards.ts";
import { patternOf, saidValues } from "./survey-releases.ts";

/** A unit with what it renders and who else reads what. */
export interface World {
  readonly tools: Tools;
  readonly root: string;
  readonly unit: Unit;
  readonly objects: ReadonlyMap<string, Plain>;
  readonly readers: readonly { readonly unit: Unit; readonly reads: ReadonlySet<string> }[];
  readonly tree: Tree;
  /** Where the controller begins, where that is not the unit's own directory. */
  readonly entry?: Entry;
}

/** One question of the survey. */
export interface Asked {
  readonly workload: Plain;
  readonly change: WantedChange;
  /** The path that may differ, as the judge writes paths. */
  readonly field: string;
  readonly now: unknown;
  readonly container: string | undefined;
}

/** What stands at a path of plain data. */
export function get(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (here, step) => (typeof here === "object" && here !== null ? (here as Plain)[step] : undefined),
    value,
  );
}

/** The same image in another container of the same pod follows the tag. */
export function isSameImage(path: string, { change, field }: Asked): boolean {
  const pod = field.replace(/\/containers\/0\/image$/, "");
  return change.kind === "image-tag" && path.startsWith(pod) && /\/(initC|c)ontainers\/\d+\/image$/.test(path);
}

/** What differs between two renderings of the same is nobody's change. */
export function withoutChance(
  { root, tools }: Pick<World, "root" | "tools">,
  unit: Unit,
  before: ReadonlyMap<string, Plain>,
  moved: readonly string[],
): string[] {
  if (moved.length < 2 || unit.kind !== "chart") return [...moved];
  const again = renderUnit(root, unit, tools);
  return withoutDrawn(moved, again ? differences(before, again) : []);
}

/** What differs from one rendering to the next, and objects that come under another name each time. */
export function withoutDrawn(moved: readonly string[], drawn: readonly string[]): string[] {
  const isWhole = (path: string) => !/\/[^|]*$/.test(path);
  const stemOf = (path: string) => path.replace(/[^-|]+$/, "");
  const stems = new Set(drawn.filter(isWhole).map(stemOf));
  return moved.filter((path) => !drawn.includes(path) && !(isWhole(path) && stems.has(stemOf(path))));
}

/** Why a refusal is right, by rules that need nothing but rendered objects and trying; undefined when it is not. */
export function whyRight(world: World, asked: Asked, reason: string): string | undefined {
  const { unit } = world;
  const said = saidByObjects(world, asked) ?? saidByRepository(world, asked, reason);
  if (said !== undefined) return said;
  if (unit.kind === "chart" && reason === "shared-source" && hasOtherValues(world.root, unit))
    return "no place of its own";
  if (unit.kind !== "chart") {
    if (!/^shared-/.test(reason)) return undefined;
    return placesOf(world.root, unit).size > 1 ? "no place of its own" : byRetagging(world, asked);
  }
  const isOthers =
    reason === "chart-hardcoded" && unit.application === undefined && isNamedByApplication(world.root, unit);
  return byTrying(world, asked) ?? (isOthers ? "no place of its own" : undefined);
}

function saidByObjects({ objects }: World, asked: Asked): string | undefined {
  const name = get(asked.workload, "metadata", "name");
  if (asked.change.kind === "replicas" && asked.now === 0) return "0 replicas";
  const vpa = [...objects.values()].some(
    (one) => one.kind === "VerticalPodAutoscaler" && get(one, "spec", "targetRef", "name") === name,
  );
  if (asked.change.kind === "resources" && vpa) return "a VPA";
  return asked.change.kind === "image-tag" ? ownedElsewhere(String(asked.now)) : undefined;
}

function saidByRepository(world: World, asked: Asked, reason: string): string | undefined {
  if (["generated-file", "image-automation"].includes(reason)) return "the file says so";
  if (reason === "guard-comment") return isForbidden(textsRead(world), asked.change) ? "the file says so" : undefined;
  if (reason === "other-source" && isPinned(world.root, world.unit)) return "a pinned revision";
  if (reason === "shared-source" && clustersThatMake(world) > 1) return "no place of its own";
  return reason === "operator-owned" && isIgnored(world.root, world.unit, asked) ? "ignoreDifferences" : undefined;
}

/** What the unit reads; where charts are taken from beside another, every YAML file may be meant. */
function textsRead({ root, unit }: World): readonly string[] {
  const all = yamlTexts(root);
  if (all.some((text) => text.includes("file://"))) return all;
  const paths = [...readsOf(root, unit)].map((path) => join(root, path));
  return paths.filter((path) => existsSync(path)).map((path) => readFileSync(path, "utf8"));
}

/** A digest wins over a tag, and what is blank is filled in by OpenShift's image trigger. */
function ownedElsewhere(image: string): string | undefined {
  return image.includes("@") ? "a digest" : image.trim() === "" ? "an image that something else fills in" : undefined;
}

/** A value file beside the chart's own that this unit does not read is somebody else's: the chart's own serve both. */
function hasOtherValues(root: string, { directory, valueFiles }: Unit): boolean {
  if (valueFiles.some((path) => path !== `${directory}/values.yaml`)) return false;
  return readdirSync(join(root, directory)).some((name) => /^values[-._].+\.ya?ml$/.test(name));
}

const controllers = /argoproj\.io|kustomize\.toolkit/;

/** Objects of a controller that deploy the directory of a unit itself, by the text of the repository. */
export function deployersOf(root: string, { directory }: Unit): Plain[] {
  const kinds = ["Application", "ApplicationSet", "Kustomization"];
  return yamlTexts(root)
    .filter((text) => controllers.test(text) && (text.includes(directory) || text.includes("{{")))
    .flatMap(documentsOf)
    .flatMap((one) =>
      get(one, "kind") === "List" && Array.isArray(get(one, "items")) ? (get(one, "items") as Plain[]) : [one as Plain],
    )
    .filter(
      (one) =>
        kinds.includes(String(get(one, "kind"))) && !String(get(one, "apiVersion")).startsWith("kustomize.config"),
    )
    .filter((one) => pathsIn(one).some((path) => fits(path, directory)));
}

/** Whether what deploys a unit, or gives a release its chart, stands at a tag, a range of versions or a commit. */
export function isPinned(root: string, unit: Unit): boolean {
  const all = yamlTexts(root).flatMap(documentsOf);
  const isHeld = (reference: unknown): boolean =>
    all.some((one) => {
      const isIt = get(one, "kind") === "GitRepository" && get(one, "metadata", "name") === get(reference, "name");
      return isIt && ["tag", "semver", "commit"].some((key) => get(one, "spec", "ref", key) !== undefined);
    });
  const releases = all.filter(
    (one) => get(one, "kind") === "HelmRelease" && get(one, "metadata", "name") === unit.said?.name,
  );
  if (releases.some((one) => isHeld(get(one, "spec", "chart", "spec", "sourceRef")))) return true;
  return deployersOf(root, unit).some((one) => {
    if (get(one, "kind") === "Kustomization") return isHeld(get(one, "spec", "sourceRef"));
    const spec = get(one, "kind") === "ApplicationSet" ? get(one, "spec", "template", "spec") : get(one, "spec");
    const several = get(spec, "sources");
    const sources: readonly unknown[] = Array.isArray(several) ? several : [get(spec, "source")];
    return sources.some(
      (source) => get(source, "chart") === undefined && notBranch.test(String(get(source, "targetRevision") ?? "")),
    );
  });
}

const notBranch = /^[0-9a-f]{7,40}$|^refs\/tags\/|^v?\d+(?:\.[\dx]+)*(?:[-+].*)?$|^[~^<>=*]|\s/;

/** How many kustomizations of the repository make the object that deploys a unit: each is for another cluster. */
export function clustersThatMake({ root, unit, readers, tools }: Pick<World, "root" | "unit" | "readers" | "tools">) {
  if (deployersOf(root, unit).length === 0) return 0;
  const isNamed = (path: string) => {
    const text = existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : "";
    return controllers.test(text) && text.includes(unit.directory);
  };
  const makers = readers.filter(
    (one) =>
      one.unit.kind === "kustomize" &&
      one.unit.directory !== unit.directory &&
      [...one.reads].some((path) => /\.ya?ml$/.test(path) && isNamed(path)),
  );
  return makers.filter(({ unit: maker }) => {
    const objects = renderUnit(root, maker, tools) ?? new Map<string, Plain>();
    return [...objects.values()].some(
      (one) => controllers.test(String(one.apiVersion)) && pathsIn(one).some((path) => fits(path, unit.directory)),
    );
  }).length;
}

/** Where a unit goes to: one text for each place that a controller puts it. */
function placesOf(root: string, unit: Unit): Set<string> {
  return new Set(
    deployersOf(root, unit).map((one) =>
      JSON.stringify([
        get(one, "spec", "destination"),
        get(one, "spec", "targetNamespace"),
        get(one, "metadata", "name"),
      ]),
    ),
  );
}

/** A set may name the path by a template, and a generator of directories by a pattern. */
function fits(path: string, directory: string): boolean {
  if (path.includes("*") && !path.includes("{{")) return patternOf(path).test(directory);
  if (!path.includes("{{")) return path === directory;
  const literals = path.split(/\{\{[^}]*\}\}/).map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return literals.some((one) => one.length > 3) && new RegExp(`^${literals.join("[^/]+")}$`).test(directory);
}

function pathsIn(object: Plain): string[] {
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === "object" && value !== null)
      for (const [key, item] of Object.entries(value))
        if (key === "path" && typeof item === "string") found.push(item.replace(/^\.?\//, "").replace(/\/$/, ""));
        else walk(item);
  };
  walk(object.spec);
  return found;
}

/** True when the Application of a unit, or the set that makes it, ignores the field. */
function isIgnored(root: string, unit: Unit, asked: Asked): boolean {
  const parts = asked.field.slice(keyOf(asked.workload).length + 1).split("/");
  // What lies above the field is ignored with all that is below it.
  const above = parts.map((_, at) => parts.slice(0, at + 1));
  const pointers = above.flatMap((some) => [`"/${some.join("/")}"`, `".${some.join(".")}"`]);
  return yamlTexts(root)
    .filter((text) => text.includes("ignoreDifferences"))
    .flatMap(documentsOf)
    .some((one) => {
      const set = get(one, "kind") === "ApplicationSet" ? ["spec", "template", "spec"] : ["spec"];
      const ignored = get(one, ...set, "ignoreDifferences");
      const paths = pathsIn(one as Plain).map((path) => path.split("{{")[0] ?? "");
      return (
        Array.isArray(ignored) &&
        pointers.some((pointer) => JSON.stringify(ignored).includes(pointer)) &&
        paths.some((path) => path === "" || unit.directory.startsWith(path))
      );
    });
}

/** Tries every value that equals the field: none moves it, or each moves more than it. */
function byTrying(world: World, asked: Asked): string | undefined {
  const { root, unit } = world;
  if (asked.now === undefined) return unread(world, asked);
  let moved: string | undefined;
  const said = unit.said && ([unit.said.file, saidValues(root, unit.said, world.tools)] as const);
  const files = [...readsOf(root, unit)].filter((one) => isValueFile(unit, one) && existsSync(join(root, one)));
  const written = files.map((path) => [path, documentsOf(readFileSync(join(root, path), "utf8"))[0]] as const);
  for (const [path, values] of [...written, ...(said ? [said] : [])]) {
    const inner = path.startsWith(`${unit.directory}/charts/`) ? `${path.split("/").at(-2)}.` : "";
    for (const trial of trials(values, asked.now, asked.change.to)) {
      const found = tried(world, asked, path, inner + trial);
      if (found === "alone") return undefined;
      moved = found ?? moved;
    }
  }
  if (moved !== undefined) return moved;
  // A tag may come from the version of the chart where its own key is empty.
  const filled = asked.change.kind === "image-tag" ? unread(world, asked) : unmoved;
  if (filled !== unmoved) return filled;
  // What the template of a published chart says stands in somebody else's repository.
  const literals = unit.published !== true ? literalsIn(root, unit, asked) : [];
  if (literals.length === 0) return "no value moves the field";
  const moves = literals.map((files) => movesSeveral(world, asked, files));
  if (moves.includes(true) && !moves.includes(false)) return "one value moves several";
  const isRead = world.readers.some((one) => one.unit !== unit && one.reads.has(`${unit.directory}/Chart.yaml`));
  return isRead ? "no place of its own" : undefined;
}

const isValueFile = (unit: Unit, path: string): boolean =>
  unit.valueFiles.includes(path) || /(^|\/)values[^/]*\.ya?ml$/.test(path);

const unmoved = "no value moves the field";

/** Nothing stands in the field: writes every value that could fill it, all at once and then one after the other. */
function unread(world: World, asked: Asked): string | undefined {
  const { root, unit, objects, tools } = world;
  const all = absentTrials(world, asked);
  const after = renderUnit(root, unit, tools, all);
  const moves = (one: ReadonlyMap<string, Plain>) =>
    differences(objects, one).some((path) => asked.field.startsWith(path));
  if (all.length === 0 || (after !== undefined && !moves(after))) return unmoved;
  let moved: string | undefined;
  for (const trial of all) {
    const one = renderUnit(root, unit, tools, [trial]);
    if (one === undefined || !moves(one)) continue;
    const others = withoutChance(world, unit, objects, differences(objects, one)).filter(
      (path) => !asked.field.startsWith(path) && !isSameImage(path, asked),
    );
    if (others.length === 0) return undefined;
    moved = "one value moves several";
  }
  return moved ?? unmoved;
}

/** Keys of the values, and of what templates read from them, that are called like the field's map. */
function absentTrials({ root, unit }: Pick<World, "root" | "unit">, { change }: Asked): string[] {
  const isCount = change.kind === "replicas";
  const isTag = change.kind === "image-tag";
  const word = isCount ? /replica/i : isTag ? /^(?:image)?tag$/i : /resources$/i;
  const found = new Set<string>();
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return;
    for (const [key, item] of Object.entries(value)) {
      const here = path === "" ? key : `${path}.${key}`;
      if (word.test(key) && !(isTag && item !== null && item !== "")) found.add(here);
      walk(item, here);
    }
  };
  for (const path of [...readsOf(root, unit)].filter((one) => existsSync(join(root, one)))) {
    const inside = path.startsWith(`${unit.directory}/`) ? path.slice(unit.directory.length) : "";
    const prefix = /\/charts\/([^/]+)\//.exec(inside)?.[1];
    const before = prefix === undefined ? "" : `${prefix}.`;
    const text = /\.ya?ml$|\.tpl$/.test(path) ? readFileSync(join(root, path), "utf8") : "";
    if (/(^|\/)values[^/]*\.ya?ml$/.test(path)) for (const one of documentsOf(text)) walk(one, before.slice(0, -1));
    const read =
      !isTag && /\/templates\//.test(path) ? [...text.matchAll(/\.Values\.([\w.]+)/g)].map(([, key = ""]) => key) : [];
    for (const key of read.filter((one) => word.test(one))) found.add(before + key);
  }
  const [side, what] = change.kind === "resources" ? change.field.split(".") : [];
  return [...found]
    .slice(0, 24)
    .map((key) =>
      isCount
        ? `${key}=${change.to}`
        : isTag
          ? `${key}=${JSON.stringify(change.to)}`
          : `${key}=${JSON.stringify({ [side ?? ""]: { [what ?? ""]: change.to } })}`,
    );
}

/** What one value moves: nothing of the field, the field alone, or more than the field. */
function tried(world: World, asked: Asked, path: string, trial: string): string | undefined {
  const { root, unit, objects, readers, tools } = world;
  const after = renderUnit(root, unit, tools, [trial]);
  const changes = after ? withoutChance(world, unit, objects, differences(objects, after)) : [];
  if (!changes.includes(asked.field)) return undefined;
  if (changes.some((one) => one !== asked.field && !isSameImage(one, asked))) return "one value moves several";
  const isShared = unit.valueFiles.length < 2 && readers.some((one) => one.unit !== unit && one.reads.has(path));
  return isShared ? "no place of its own" : "alone";
}

/** A number that the template itself holds could be changed there: the files that do so, for each place of it. */
function literalsIn(root: string, unit: Unit, asked: Asked): Record<string, string>[] {
  const word = asked.field.split("/").at(-1) ?? "";
  const now = String(asked.now).split(":").at(-1) ?? "";
  return [...readsOf(root, unit)]
    .filter((path) => /templates\//.test(path))
    .flatMap((path) =>
      eachLine(readFileSync(join(root, path), "utf8"), (line) => {
        const [bare = "", quote = ""] = /^(.*?)(["']?)\s*$/s.exec(line)?.slice(1) ?? [];
        const isIt = line.includes(`${word}:`) && bare.endsWith(now) && !line.includes("{{");
        return isIt ? bare.slice(0, bare.length - now.length) + String(asked.change.to) + quote : undefined;
      }).map((text) => ({ [path]: text })),
    );
}

/** A text with one line replaced, for each line that may be. */
function eachLine(text: string, replaced: (line: string) => string | undefined): string[] {
  const lines = text.split("\n");
  return lines.flatMap((line, n) => {
    const other = replaced(line);
    return other === undefined ? [] : [lines.with(n, other).join("\n")];
  });
}

/** Whether files written so move another field with that of the question; undefined when they do not move that. */
function movesSeveral(world: World, asked: Asked, files: Record<string, string>): boolean | undefined {
  const { root, unit, objects, tools } = world;
  const after = withFiles(root, files, () => renderUnit(root, unit, tools));
  const changes = after ? withoutChance(world, unit, objects, differences(objects, after)) : [];
  if (!changes.includes(asked.field)) return undefined;
  return changes.some((one) => one !== asked.field && !isSameImage(one, asked));
}

/** The last word on a tag is an `images` entry of the unit itself, after which no patch comes: what else does it move? */
function byRetagging(world: World, asked: Asked): string | undefined {
  const { root, unit } = world;
  if (asked.change.kind !== "image-tag") return undefined;
  const path = ["kustomization.yaml", "kustomization.yml", "Kustomization"]
    .map((name) => join(unit.directory, name))
    .find((one) => existsSync(join(root, one)));
  const now = String(asked.now).split(":").at(-1) ?? "";
  if (path === undefined) return undefined;
  const trials = eachLine(readFileSync(join(root, path), "utf8"), (line) =>
    /^[\s-]*newTag:/.test(line) && line.includes(now) ? line.replace(now, String(asked.change.to)) : undefined,
  );
  return trials.some((text) => movesSeveral(world, asked, { [path]: text }) === true)
    ? "one value moves several"
    : undefined;
}
