import type { Tree } from "../../../domain/kubernetes/tree.ts";
import type { Deployer } from "../../gitops/gitops.ts";
import { directoriesAbove, roughText } from "../../repository/reader.ts";
import type { EntryBuild } from "../../trace/entry-build.ts";
import { takersOf } from "../../trace/sharing.ts";
import { textAt } from "../../yaml/source.ts";
import type { Held } from "../doubt.ts";

/**
 * A directory that a workflow or a script packs for clusters elsewhere is delivered by what nobody sees here: where no
 * object in the repository deploys it, an edit moves every cluster that takes the artifact.
 */
export function byPacking(entryBuild: EntryBuild, files: readonly string[]): Held {
  const { declared, tree } = entryBuild;
  if (declared !== undefined && isFromGit(declared)) return undefined;
  const packing = packingsOf(tree).find(({ holds }) => files.some((file) => holds(file)));
  if (packing === undefined) return undefined;
  if (files.every((file) => takersOf(entryBuild, file).some((one) => isFromGit(one)))) return undefined;
  const { where, what } = packing;
  return {
    doubt:
      `${where} packs ${what} as an artifact, and nobody here knows which clusters take it: ` +
      "if it is this one alone, declare here what deploys it from Git, and otherwise look at each of them",
  };
}

/** An object that takes its files from an artifact may have them from this very packing, at whatever commit. */
const isFromGit = ({ node }: Deployer): boolean =>
  (textAt(node, ["spec", "sourceRef", "kind"]) ?? "GitRepository") === "GitRepository";

interface Packing {
  readonly where: string;
  /** The packed path as it is written, for people. */
  readonly what: string;
  readonly holds: (file: string) => boolean;
}

const packingsByTree = new WeakMap<Tree, readonly Packing[]>();

function packingsOf(tree: Tree): readonly Packing[] {
  const known = packingsByTree.get(tree);
  if (known) return known;
  const found = tree
    .paths()
    .filter(mayRun)
    .flatMap((path) => packingsIn(tree, path));
  packingsByTree.set(tree, found);
  return found;
}

// What people read tells how somebody might pack, and does not do it.
const mayRun = (path: string): boolean =>
  !/\.(?:mdx?|adoc|rst|txt|html?|svg|png|jpe?g|gif|tgz|gz|zip|json|lock)$/i.test(path);

// The second is the step of a workflow that runs the same command.
const command = /\bflux\s+push\s+(?:artifact|oci)\b|\bfluxcd\/distribution\/actions\/push@|\boras\s+push\b/;

function packingsIn(tree: Tree, path: string): readonly Packing[] {
  const text = roughText(tree, path);
  if (!command.test(text)) return [];
  const lines = text.split("\n");
  return lines.flatMap((line, n) => {
    const found = /^\s*(?:#|\/\/)/.test(line) ? null : command.exec(line);
    if (!found) return [];
    const statement = statementAt(lines, n, found[0].endsWith("@"));
    const where = `${path}:${n + 1}`;
    return packedIn(tree, found[0], statement).map((what) => ({ where, what, holds: below(tree, what) }));
  });
}

/** A command with the lines that continue it, or the step of a workflow. */
function statementAt(lines: readonly string[], start: number, isStep: boolean): string {
  const rest = lines.slice(start + 1);
  const isOver = (line: string, n: number) =>
    isStep ? /^\s*(?:- |$)/.test(line) : !/\\\s*$/.test(lines[start + n] ?? "");
  const end = rest.findIndex(isOver);
  return [lines[start], ...(end < 0 ? rest : rest.slice(0, end))].join("\n").replace(/\\\s*\n/g, " ");
}

/** The paths that a command packs, as they are written; where it names none, anything. */
function packedIn(tree: Tree, found: string, statement: string): readonly string[] {
  const said = statement.slice(statement.indexOf(found) + found.length);
  if (!found.startsWith("oras")) {
    const path = /(?:--path|-f)(?:\s*=\s*|\s+)("[^"]*"|'[^']*'|\S+)|^\s*path:\s*("[^"]*"|'[^']*'|\S+)/m.exec(said);
    return [unquoted(path?.[1] ?? path?.[2] ?? ".")];
  }
  // It packs whatever there is, so that only directories of this repository count.
  const words = said.split(/\s+/).map((word) => unquoted(word).replace(/:[^/]*\/[^/]*$/, ""));
  return words.filter((word) => word !== "" && tree.paths().some((path) => path.startsWith(`${plain(word)}/`)));
}

const plain = (path: string): string => path.replace(/^(?:\.{0,2}\/)+|\/+$/g, "");

const unquoted = (word: string): string => word.replace(/^(["'])(.*)\1$/, "$2");

/**
 * Whether a packed path may hold a file: a variable is anything, the directory it starts from is not known, and what
 * stands nowhere in the repository is made on the way from whatever stands there.
 */
function below(tree: Tree, written: string): Packing["holds"] {
  const anything = /\$\{\{.*?\}\}|\{\{.*?\}\}|\$\{[^}]*\}|\$\([^)]*\)|\$\w+|`[^`]*`|\*/;
  const literals = plain(written).split(anything);
  if (literals.every((one) => /^[./-]*$/.test(one))) return () => true;
  const pattern = new RegExp(`(?:^|/)${literals.map(escaped).join(".*")}$`);
  const holds = (file: string) => [file, ...directoriesAbove(file)].some((one) => pattern.test(one));
  return tree.paths().some(holds) ? holds : () => true;
}

const escaped = (literal: string): string => literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
