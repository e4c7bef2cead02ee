import { frontMatterOf, type ReadPostMortem, readPostMortem } from "../../domain/records/post-mortem.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { parseYaml } from "../yaml/yaml.ts";

/** The files of a commit that may be post-mortems. */
export function postMortemPaths(tree: Tree): readonly string[] {
  return tree.paths().filter((path) => path.startsWith("postmortems/") && path.endsWith(".md"));
}

/** A file of `postmortems/`, whoever wrote it. */
export function readRecord(markdown: string): ReadPostMortem {
  const front = frontMatterOf(markdown);
  if (front === undefined) return { kind: "problem", because: "no front matter" };
  const parsed = parseYaml(front);
  return parsed.ok ? readPostMortem(markdown, parsed.value) : { kind: "problem", because: parsed.problem };
}
