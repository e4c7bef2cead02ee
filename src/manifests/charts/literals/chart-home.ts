import { realPath, type Tree } from "../../../domain/kubernetes/tree.ts";
import { insideRepository, joinPath } from "../../repository/reader.ts";
import { dependenciesOf } from "../chart-files.ts";

/** Where a file of a chart stands in the repository. */
interface Home {
  readonly path: string;
  /** The charts that the chart takes from beside itself (`file:`) on the way to it, the outermost first. */
  readonly parts: readonly string[];
}

const mostParts = 5;

/** The home of a file that a chart of the repository holds, or takes from beside itself; undefined where it is packed. */
export function homeOf(tree: Tree, directory: string, inChart: string, depth = 0): Home | undefined {
  const path = realPath(tree, joinPath(directory, inChart));
  if (tree.read(path) !== undefined) return { path, parts: [] };
  const [, name, below] = /^charts\/([^/]+)\/(.+)$/.exec(inChart) ?? [];
  if (name === undefined || below === undefined || depth > mostParts) return undefined;
  const vendored = joinPath(directory, `charts/${name}`);
  if (tree.read(joinPath(vendored, "Chart.yaml")) !== undefined) return homeOf(tree, vendored, below, depth + 1);
  const part = partOf(tree, directory, name);
  const home = part === undefined ? undefined : homeOf(tree, part, below, depth + 1);
  return home && part !== undefined ? { path: home.path, parts: [part, ...home.parts] } : undefined;
}

/** The directory of a dependency that stands beside a chart. */
function partOf(tree: Tree, directory: string, name: string): string | undefined {
  const said = ["Chart.yaml", "requirements.yaml"].flatMap((file) => {
    const bytes = tree.read(joinPath(directory, file));
    return bytes === undefined ? [] : [[file, bytes] as const];
  });
  const [only, ...others] = dependenciesOf(new Map(said)).filter((one) => one.name === name);
  const isBeside = only?.repository.startsWith("file://") === true && others.length === 0;
  const target = isBeside ? insideRepository(directory, only.repository.slice("file://".length)) : undefined;
  return target === undefined ? undefined : realPath(tree, target);
}
