/**
 * A text of values below two keys; empty where it says nothing, undefined where it is more than one plain document.
 * Every line moves to the right by as much, which changes the meaning of none.
 */
export function belowKeys([outer, inner]: readonly [string, string], text: string): string | undefined {
  const lines = text.replace(/^(?:[ \t]*(?:#.*)?\r?\n)*---[ \t]*(?:#.*)?(?:\r?\n|$)/, "").split("\n");
  if (lines.every((line) => /^\s*(?:#|$)/.test(line))) return "";
  if (text.includes("\uFEFF") || lines.some((line) => /^(?:---|\.\.\.|%|\t)/.test(line))) return undefined;
  const moved = lines.map((line) => (line === "" || line === "\r" ? line : `  ${line}`)).join("\n");
  return `${outer}:\n ${inner}:\n${moved}\n`;
}

const head = "---\n# Source: ";

/** What Helm wrote, each document from the name of its file on; undefined where the text is not what Helm writes. */
export function documentsOf(output: string): readonly string[] | undefined {
  if (output.trim() === "") return [];
  const documents = output.split(/^(?=---\n# Source: )/m);
  return documents.every((one) => one.startsWith(head))
    ? documents.map((one) => one.slice(head.length).trimEnd())
    : undefined;
}

/** The documents of each place, from there on; undefined where one belongs to none. */
export function documentsBelow(
  documents: readonly string[],
  places: readonly string[],
): readonly (readonly string[])[] | undefined {
  const found = places.map((place) =>
    documents.filter((one) => one.startsWith(place)).map((one) => one.slice(place.length)),
  );
  return found.reduce((sum, own) => sum + own.length, 0) === documents.length ? found : undefined;
}

/** Documents as Helm writes them. */
export const textOf = (documents: readonly string[]): string => documents.map((one) => `${head}${one}\n`).join("");
