import { addressOf } from "../../../domain/text/repository-address.ts";
import type { Tree } from "../../../domain/kubernetes/tree.ts";
import { type Directories, directoryOf } from "../../repository/reader.ts";
import { isPin, mayBePin } from "./revisions.ts";

/** A place of this repository that a URL names. */
interface OwnPlace {
  /** The file or directory; the root is the empty path. */
  readonly path: string;
  /** False where the URL may as well name another repository, or a tag of this one. */
  readonly isCertain: boolean;
}

/** Says which URLs of bases, files and values lead into this very repository. */
export interface OwnUrls {
  /** Where a URL leads; undefined for other repositories, for what is not here, and for commits and versions. */
  readonly leadTo: (url: string) => OwnPlace | undefined;
}

/** What a deployer takes from Git. */
export interface SourceWithUrl {
  readonly url: string | undefined;
  readonly path: string | undefined;
}

/**
 * This repository's addresses are those that Git says, and those from which deployers take what is here. Where neither
 * says any, whoever names a place that is here may mean it.
 */
export function ownUrls(
  tree: Tree,
  { directories, sources }: { readonly directories: Directories; readonly sources: readonly SourceWithUrl[] },
): OwnUrls {
  const isHere = (path: string): boolean =>
    directories.has(path) || directories.get(directoryOf(path))?.has(path.slice(path.lastIndexOf("/") + 1)) === true;
  const taken = sources.flatMap(({ url, path }) => {
    const isOwn = url !== undefined && path !== undefined && /[/:]/.test(url) && isHere(plain(path));
    return isOwn && !/\$\{|\{\{/.test(url) ? [addressOf(url)] : [];
  });
  const said = (tree.addresses ?? []).filter((address) => /^(?!file:)[^/]+[/:]/i.test(address)).map(addressOf);
  const own = new Set([...said, ...taken]);
  const names = new Set([...own].map(lastPart));
  return {
    leadTo(url) {
      const all = readings(url).filter(({ path, revision }) => path !== "" && isHere(path) && !isPin(revision ?? ""));
      const certain = all.find(({ address }) => own.has(address));
      if (certain) return { path: certain.path, isCertain: !mayBePin(certain.revision ?? "") };
      const [possible] = all.filter(({ address }) => own.size === 0 || names.has(lastPart(address)));
      return possible && { path: possible.path, isCertain: false };
    },
  };
}

interface Reading {
  readonly address: string;
  readonly path: string;
  readonly revision: string | undefined;
}

/** Every way to read a URL as a repository and a path in it: hosts write them differently. */
function readings(url: string): Reading[] {
  const [whole = "", query = ""] = url.replace(/^(?:git|http)::/, "").split("?", 2);
  const revision = /(?:^|&)(?:ref|version)=([^&]*)/.exec(query)?.[1];
  const scheme = /^[a-z+]+:\/\//i.exec(whole)?.[0] ?? "";
  const rest = whole.slice(scheme.length);
  const found: Reading[] = [];
  const note = (address: string, path: string, named = revision) => {
    if (address !== "") found.push({ address: addressOf(address), path: plain(path), revision: named });
  };
  const split = /^(.+?)\/\/(.*)$/.exec(rest);
  if (split) note(split[1] ?? "", split[2] ?? "");
  const git = /^(.+?\.git)\/+(.*)$/.exec(rest);
  if (git) note(git[1] ?? "", git[2] ?? "");
  const file = /^(.+?)\/(?:-\/)?(?:raw|blob)\/(.+)$/.exec(rest);
  if (file) noteFile(file[1] ?? "", file[2] ?? "", note);
  const raw = /^raw\.githubusercontent\.com\/([^/]+\/[^/]+)\/(.+)$/i.exec(rest);
  if (raw) noteFile(`github.com/${raw[1]}`, raw[2] ?? "", note);
  const short = /^((?:[^/@]+@)?[^/]+[/:][^/]+\/[^/]+)\/+(.+)$/.exec(rest);
  if (short) note(short[1] ?? "", short[2] ?? "");
  return found;
}

/** Branches may have slashes in their names: each way to part the two is one. */
function noteFile(address: string, written: string, note: (address: string, path: string, named: string) => void) {
  const steps = written.replace(/^refs\/heads\//, "").split("/");
  for (let n = 1; n < Math.min(steps.length, 4); n += 1)
    note(address, steps.slice(n).join("/"), steps.slice(0, n).join("/"));
}

const plain = (path: string): string => path.replace(/^(?:\.?\/)+|\/+$|^\.$/g, "");

const lastPart = (address: string): string => address.slice(address.lastIndexOf("/") + 1);
