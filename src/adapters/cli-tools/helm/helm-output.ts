import type { Rendered, RenderedObject } from "../../../domain/kubernetes/rendered.ts";
import { keepNewest } from "../../../domain/text/keep-newest.ts";

// Renderings of one chart differ in few documents.
const keptDocuments = 500;
const keptLength = 100_000;

/** Reads what Helm wrote, each document by `read` and each text once. */
export function outputReader(read: (document: string) => Rendered): (output: string) => Rendered {
  const known = new Map<string, Rendered>();
  const readOnce = (document: string): Rendered => {
    const before = known.get(document);
    if (before) return before;
    const rendered = read(document);
    if (document.length <= keptLength) keepNewest(known, document, rendered, keptDocuments);
    return rendered;
  };
  return (output) => {
    const objects: RenderedObject[] = [];
    for (const document of output.split(/^---[ \t]*(?:#.*)?$/m)) {
      const rendered = readOnce(document);
      if (rendered.kind === "unsupported") return rendered;
      objects.push(...rendered.objects);
    }
    return { kind: "rendered", with: helmName, objects };
  };
}

/** The name of this renderer in a proof. */
export const helmName = "helm template";
