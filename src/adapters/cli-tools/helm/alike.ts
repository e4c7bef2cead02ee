import type { ChartFiles } from "../../../domain/kubernetes/rendered.ts";

/**
 * A chart of which Helm may make something else where it is packed, or one of many copies, than alone: a reference
 * rendering shows that only for its own values.
 */
export function mayDifferInCopies(files: ChartFiles): boolean {
  const paths = [...files.keys()];
  const ignored = patternsIn(new TextDecoder().decode(files.get(".helmignore")));
  return (
    ignored === undefined ||
    // In an archive a backslash parts directories.
    paths.some((path) => path.includes("\\") || isIgnored(path, ignored)) ||
    [...files].some(([path, bytes]) => /(?:^|\/)templates\//.test(path) && looksAround(bytes))
  );
}

/** Helm passes over these files in a directory, and over none in an archive. */
const isIgnored = (path: string, patterns: readonly RegExp[]): boolean =>
  path.startsWith("templates/.") || patterns.some((pattern) => pattern.test(`/${path}/`));

/** Each matches at least what Helm's own does; undefined where one takes files in again. */
function patternsIn(text: string): RegExp[] | undefined {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const rules = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (rules.some((rule) => rule.startsWith("!"))) return undefined;
  return rules.map((rule) => {
    const parts = rule.replace(/^\/|\/$/g, "").split(/(\[[^\]]*\]|\\.|[*?])/);
    const source = parts.map((part, n) =>
      n % 2 === 0 ? part.replace(/[$()+.^{|}\]]/g, "\\$&") : part === "*" ? "[^/]*" : "[^/]",
    );
    return new RegExp(`/${source.join("")}/`);
  });
}

/** Asks where the chart stands, or writes to what all copies share. */
function looksAround(bytes: Uint8Array): boolean {
  const text = new TextDecoder()
    .decode(bytes)
    // The usual checksum of another template.
    .replaceAll(/\(\s*print\s+\$?\.Template\.BasePath\s+"[^"]*"\s*\)/g, "")
    .replaceAll(/\.Release\.(?:Name|Namespace|Service|Revision|IsInstall|IsUpgrade)\b/g, "");
  const isWriting = /\b(?:set|unset|(?:must)?merge(?:Overwrite)?)\b/i.test(text);
  return /\bIsRoot\b|[."]Template\b|"global"/.test(text) || (isWriting && /\bRelease\b/.test(text));
}
