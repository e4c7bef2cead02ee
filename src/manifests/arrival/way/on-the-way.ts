import { posix } from "node:path";
import { isMadePlace, plainPath } from "../../gitops/controllers.ts";
import { globbed } from "../../gitops/sets/glob.ts";
import { sourcesOf } from "../../gitops/sets/sources.ts";
import { templatesIn } from "../../gitops/sets/templates.ts";
import { joinPath } from "../../repository/reader.ts";
import { refused, whereIs } from "../../repository/refusal.ts";
import type { EntryBuild } from "../../trace/entry-build.ts";
import { at, type Node, textAt } from "../../yaml/source.ts";
import { byPacking } from "./by-packing.ts";
import { bySource } from "./by-source.ts";
import { firstHeld, type Held } from "../doubt.ts";
import { isTrue, off } from "./off.ts";
import { byOverrides } from "./overrides.ts";

/** What keeps a change of these files from what deploys the entry: by its object, its source, or what lies beside it. */
export function heldOnTheWay(entryBuild: EntryBuild, files: readonly string[]): Held {
  const ways = [
    switchedOff,
    movedAway,
    bySource,
    bySubmodule,
    byOverrides,
    byPolicy,
    byPatch,
    byPlugin,
    byRefresh,
    byPacking,
    byNobody,
  ];
  return firstHeld(ways, (way) => way(entryBuild, files));
}

function switchedOff({ deployer, question, ancestors }: EntryBuild): Held {
  const suspend = at(deployer?.node, ["spec", "suspend"]);
  if (isTrue(suspend)) return off(`${whereIs(suspend)} suspends this entry`);
  const isAsked = ancestors.length === 0 && question.entry.spec?.suspend === true;
  // Somebody is at work there, and will resume it: what Git says is right until then.
  const doubt = `${question.entry.object ?? "the entry"} is suspended on the cluster: nothing arrives until it is resumed`;
  return isAsked ? { doubt } : undefined;
}

/** A patch gave the entry's own object another path. */
function movedAway({ deployer, declared, path, reader }: EntryBuild): Held {
  if (!deployer || !declared || deployer === declared || deployer.file !== declared.file) return undefined;
  const own = deployer.kind === "Kustomization" ? [at(deployer.node, ["spec"])] : sourcesOf(deployer);
  const paths = own.map((source) => textAt(source, ["path"])).filter((one) => one !== undefined);
  const isHere = (one: string) =>
    /\$|\{\{/.test(one) || reader.real((plainPath(one) ?? "").replace(/^\.$/, "")) === path;
  if (paths.length === 0 || paths.some(isHere)) return undefined;
  const because = `${deployer.kind} ${deployer.name} (${deployer.file}) is patched to deploy ${paths.join(", ")} and not ${path}`;
  return refused("other-source", because, "Name the path that it really deploys.");
}

/** What lies in a submodule is a commit of another repository. */
function bySubmodule({ tree }: EntryBuild, files: readonly string[]): Held {
  const modules = tree.read(".gitmodules");
  if (modules === undefined) return undefined;
  const paths = [...new TextDecoder().decode(modules).matchAll(/^\s*path\s*=\s*(\S.*?)\s*$/gm)].map(([, path]) => path);
  const inside = files.find((file) => paths.some((path) => file === path || file.startsWith(`${path}/`)));
  if (inside === undefined) return undefined;
  return refused("other-source", `${inside} is in a submodule (.gitmodules)`, "Make the change in its own repository.");
}

/** A set that only creates its Applications, or that leaves some of what they say alone. */
function byPolicy({ declared }: EntryBuild, files: readonly string[]): Held {
  if (declared?.kind !== "ApplicationSet" || !files.includes(declared.file)) return undefined;
  const policy = at(declared.node, ["spec", "syncPolicy", "applicationsSync"]);
  const text = textAt(policy, []);
  if (policy && (text === "create-only" || text === "create-delete"))
    return off(`${whereIs(policy)} says ${text}, so the set changes no Application that is there`);
  const ignored = at(declared.node, ["spec", "ignoreApplicationDifferences"]);
  return ignored && { doubt: `${whereIs(ignored)} lets the set leave differences of its Applications alone` };
}

/** What a patch gives the entry's own object it may give to others as well. */
function byPatch({ deployer, declared }: EntryBuild, files: readonly string[]): Held {
  if (!deployer || !declared || deployer === declared) return undefined;
  const written = filesIn(deployer.node);
  const patched = files.find((file) => file !== declared.file && written.has(file));
  return patched === undefined
    ? undefined
    : { doubt: `${patched} patches ${deployer.kind} ${deployer.name}, and may patch others with it` };
}

/** What a plugin makes of a directory or of a chart nobody knows here. */
function byPlugin({ deployer, declared }: EntryBuild): Held {
  if (deployer?.kind !== "Application" && deployer?.kind !== "ApplicationSet") return undefined;
  const isPlugged = sourcesOf(deployer).some((source) => at(source, ["plugin"]) !== undefined);
  const { kind, name, file } = declared ?? deployer;
  return isPlugged
    ? { doubt: `${kind} ${name} (${file}) leaves it to a plugin, and nobody here knows what that makes` }
    : undefined;
}

/** A chart is installed with values and as often as somebody says: where nobody says it here, it may be by any script. */
function byNobody({ deployer, path, reader, question }: EntryBuild): Held {
  if (deployer !== undefined || question.entry.object !== undefined) return undefined;
  if (!reader.exists(joinPath(path, "Chart.yaml"))) return undefined;
  const chart = path === "" ? "the chart of this repository" : `the chart ${path}`;
  return {
    doubt: `no Flux or Argo CD object here deploys ${chart}, so nobody here knows with which values it is installed, and how often: name the object that deploys it`,
  };
}

const refreshed = "argocd.argoproj.io/manifest-generate-paths";

/** Where Argo CD is told which paths make it look again, it may keep what it made before something else changed. */
function byRefresh({ declared, path }: EntryBuild, files: readonly string[]): Held {
  const isSet = declared?.kind === "ApplicationSet";
  if (declared === undefined || (!isSet && declared.kind !== "Application")) return undefined;
  const said = isSet ? templatesIn(declared.node) : [declared.node];
  for (const node of said.flatMap((one) => at(one, ["metadata", "annotations", refreshed]) ?? [])) {
    const places = (textAt(node, []) ?? "").split(";").map((place) => place.trim());
    const inTree = places.map((place) => posix.join(place.startsWith("/") ? "." : path, place).replace(/\/$/, ""));
    const isSeen = (file: string) =>
      inTree.some((place) => place === "." || file.startsWith(`${place}/`) || globbed(place).test(file));
    const missed = files.find((file) => !isSeen(file));
    // The patch of a set stands in no file.
    const where = isMadePlace(node.file.path) ? `${declared.kind} ${declared.name} (${declared.file})` : whereIs(node);
    if (missed !== undefined)
      return {
        doubt: `${where} lets Argo CD look again at what changes below ${places.join(", ")} only, and ${missed} is elsewhere`,
      };
  }
  return undefined;
}

/** Every file in which a part of a node is written. */
function filesIn(node: Node, into = new Set<string>()): ReadonlySet<string> {
  into.add(node.file.path);
  const parts = node.kind === "map" ? [...node.entries.values()].map(({ value }) => value) : [];
  for (const part of node.kind === "list" ? node.items : parts) filesIn(part, into);
  return into;
}
