import type { Tree } from "../kubernetes/tree.ts";

const directory = "policies/";

/** The policy files of a commit: what stands under `policies/`, the cases in `policies/tests/` left out. */
export function policyFiles(tree: Tree): { readonly path: string; readonly content: string }[] {
  const decoder = new TextDecoder();
  return tree
    .paths()
    .filter(
      (path) => path.startsWith(directory) && !path.startsWith(`${directory}tests/`) && /\.(ya?ml|json)$/.test(path),
    )
    .sort()
    .map((path) => ({ path, content: decoder.decode(tree.read(path) ?? new Uint8Array()) }));
}

/** Those of the files that decide what may merge. A change of one of them is never merged without a person. */
export function gateFilesIn(paths: readonly string[]): readonly string[] {
  return paths.filter(
    (path) => path.startsWith(directory) || /^\.(github|rectify)\//.test(path) || ownership.test(path),
  );
}

const ownership = /(^|\/)CODEOWNERS$/;
