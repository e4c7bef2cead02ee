import { type GitSource, gitSource, isSameSource, sourceOf } from "../gitops/own-repository.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { at, type Node, textAt } from "../yaml/source.ts";

/** The source of a HelmRelease's chart where that is not the repository that the entry itself comes from. */
export function otherRepository(scene: EntryBuild, release: Node): Node | undefined {
  const source = at(release, ["spec", "chart", "spec", "sourceRef"]);
  const kind = textAt(source, ["kind"]);
  if (!source || kind === "HelmRepository") return undefined;
  // A bucket holds what somebody packed, under paths of its own.
  if (kind !== "GitRepository") return source;
  const found = gitSource(scene.index, source, textAt(release, ["metadata", "namespace"]));
  return found && !isSameSource(ownSource(scene) ?? { name: "flux-system" }, found) ? source : undefined;
}

/** True for an Argo CD source that is another repository than the one that the entry itself comes from. */
export function isForeign(scene: EntryBuild, source: Node): boolean {
  const [own, found] = [ownSource(scene), gitSource(scene.index, source, undefined)];
  return own !== undefined && found !== undefined && !isSameSource(own, found);
}

const ownSource = ({ index, deployer, path }: EntryBuild): GitSource | undefined =>
  deployer && sourceOf(index, deployer, path);
