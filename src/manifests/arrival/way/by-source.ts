import { type Release, releasesOf } from "../../helm/releases.ts";
import { directoriesAbove, joinPath } from "../../repository/reader.ts";
import { refused, whereIs } from "../../repository/refusal.ts";
import { repositoriesOf } from "../../trace/deployed/pinned.ts";
import type { EntryBuild } from "../../trace/entry-build.ts";
import { at, itemsAt, type Node, textAt } from "../../yaml/source.ts";
import { firstHeld, type Held } from "../doubt.ts";
import { isIgnored, patternsOf, usuallyIgnored } from "./ignored.ts";
import { isTrue, off } from "./off.ts";

/** Files that come to the cluster by one GitRepository of Flux, for what it is used. */
interface Delivery {
  readonly sources: readonly Node[];
  readonly files: readonly string[];
  readonly of: string;
}

/** What a GitRepository of Flux leaves out, or takes from elsewhere: the entry's own, or that of a release's chart. */
export function bySource(entryBuild: EntryBuild, files: readonly string[]): Held {
  return firstHeld(deliveriesOf(entryBuild, files), (delivery) => heldBy(entryBuild, delivery));
}

function deliveriesOf(entryBuild: EntryBuild, files: readonly string[]): readonly Delivery[] {
  const isMade = entryBuild.resources.some(({ kind }) => kind === "HelmRelease");
  const charts = (isMade ? releasesOf(entryBuild) : []).flatMap((release): Delivery[] => {
    const own = files.filter((file) => isOfChart(release, file));
    const sources = own.length === 0 ? [] : chartSources(entryBuild, release);
    return sources.length === 0 ? [] : [{ sources, files: own, of: `the chart ${release.chart}` }];
  });
  const packed = new Set(charts.flatMap((one) => one.files));
  const rest = files.filter((file) => !packed.has(file));
  const { deployer } = entryBuild;
  const reference = deployer?.kind === "Kustomization" ? at(deployer.node, ["spec", "sourceRef"]) : undefined;
  if (!deployer || !reference || (rest.length === 0 && files.length > 0)) return charts;
  const sources = repositoriesOf(entryBuild, reference, { home: deployer.namespace, file: deployer.file });
  return [...charts, { sources, files: rest, of: "this entry" }];
}

/** Flux packs the chart's directory and the files of values that go with it. */
const isOfChart = ({ directory, layers }: Release, file: string): boolean =>
  directory !== undefined &&
  (file.startsWith(`${directory}/`) || layers.some(({ packed, values }) => packed && values.file.path === file));

function chartSources(entryBuild: EntryBuild, { from }: Release): readonly Node[] {
  const reference = at(from?.node, ["sourceRef"]);
  return from && reference ? repositoriesOf(entryBuild, reference, { home: from.home, file: from.file }) : [];
}

/** Why the chart that Flux packs may be another one than stands here, for people: its source stands still or leaves some out. */
export function notAsHere(entryBuild: EntryBuild, release: Release): string | undefined {
  const { directory, chart } = release;
  const stopped = at(release.from?.node, ["suspend"]);
  if (isTrue(stopped)) return `${whereIs(stopped)} suspends the chart ${chart}, which may be an older one`;
  const sources = directory === undefined ? [] : chartSources(entryBuild, release);
  const files = sources.length === 0 ? [] : entryBuild.tree.paths().filter((path) => isRendered(directory ?? "", path));
  for (const source of sources) {
    const suspend = at(source, ["spec", "suspend"]);
    if (isTrue(suspend))
      return `${whereIs(suspend)} suspends the source of the chart ${chart}, which may be an older one`;
    const gone = files.find((file) => isLeftOut(entryBuild, source, file));
    if (gone !== undefined)
      return `${gone} is left out of what Flux takes from the repository (${whereIs(source)}), so the chart ${chart} is another one there`;
  }
  return undefined;
}

const isRendered = (directory: string, path: string): boolean =>
  path.startsWith(`${directory}/`) &&
  /^(?:Chart\.|values|templates\/|charts\/|crds\/)/.test(path.slice(directory.length + 1));

/** One for each cluster that changes the source: where not all hold something back, nobody here can tell. */
function heldBy(entryBuild: EntryBuild, { sources, files, of }: Delivery): Held {
  const held = sources.map((source) => leftOut(entryBuild, source, { files, of }));
  const first = held.find((one) => one !== undefined);
  if (first === undefined || "doubt" in first || held.every((one) => one !== undefined)) return first;
  return { doubt: first.because };
}

function leftOut(entryBuild: EntryBuild, source: Node, { files, of }: Omit<Delivery, "sources">): Held {
  const suspend = at(source, ["spec", "suspend"]);
  if (isTrue(suspend)) return off(`${whereIs(suspend)} suspends the source of ${of}`);
  const gone = files.find((file) => isLeftOut(entryBuild, source, file));
  if (gone !== undefined) {
    const because = `${gone} is left out of what Flux takes from the repository (${whereIs(source)})`;
    return refused("other-source", because, "Change what the source ignores, or look where Flux has it from.");
  }
  const name = at(source, ["spec", "ref", "name"]);
  const branch = textAt(source, ["spec", "ref", "branch"]);
  if (!name || branch === undefined || textAt(name, []) === `refs/heads/${branch}`) return undefined;
  return { doubt: `${whereIs(name)} names ${textAt(name, [])}, which comes before the branch ${branch}` };
}

function isLeftOut(entryBuild: EntryBuild, source: Node, file: string): boolean {
  const sparse = itemsAt(source, ["spec", "sparseCheckout"]).map((one) => trimmed(textAt(one, [])));
  const isBelow = (directory: string) => directory === "" || file.startsWith(`${directory}/`);
  if (sparse.length > 0 && !sparse.some(isBelow)) return true;
  const included = itemsAt(source, ["spec", "include"]).map((one) =>
    trimmed(textAt(one, ["toPath"]) ?? textAt(one, ["repository", "name"])),
  );
  if (included.some((directory) => directory !== "" && isBelow(directory))) return true;
  const ignore = textAt(source, ["spec", "ignore"]);
  const own = ignoreFiles(entryBuild, file).flatMap(({ text, below }) => patternsOf(text, below));
  const usual = ignore === undefined ? usuallyIgnored : [];
  return isIgnored([...usual, ...own, ...patternsOf(ignore ?? "", "")], file);
}

const trimmed = (path = ""): string => path.replace(/^(?:\.?\/)+|\/+$|^\.$/g, "");

/** `.sourceignore` in the directories above a file, the outermost first. */
function ignoreFiles({ tree }: EntryBuild, file: string) {
  return directoriesAbove(file)
    .reverse()
    .flatMap((below) => {
      const bytes = tree.read(joinPath(below, ".sourceignore"));
      return bytes ? [{ text: new TextDecoder().decode(bytes), below }] : [];
    });
}
