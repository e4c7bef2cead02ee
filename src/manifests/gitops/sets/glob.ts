/**
 * A shell pattern: `*` stays inside a directory unless `crossing`, `**` does not, `{a,b}` are alternatives. Argo CD's
 * `directory.include` and `exclude` cross directories, its Git generators do not.
 */
export function globbed(pattern: string, crossing = false): RegExp {
  // More than this is no pattern that anybody writes, and would take long to try.
  if (pattern.length > 300 || (pattern.match(/\*\*/g)?.length ?? 0) > 3) return nothing;
  let depth = 0;
  const plain: Readonly<Record<string, string>> = {
    "**/": "(?:.*/)?",
    "**": ".*",
    "*": crossing ? ".*" : "[^/]*",
    "?": crossing ? "." : "[^/]",
  };
  const written = (part: string): string => {
    if (part === "{") depth += 1;
    if (part === "}" && depth > 0) depth -= 1;
    if (part === "{" || part === "}") return part === "{" ? "(?:" : ")";
    if (part === ",") return depth > 0 ? "|" : ",";
    return plain[part] ?? part.replaceAll(/[.+^$()|[\]\\]/g, "\\$&");
  };
  const source = pattern.replace(/^\.?\//, "").replaceAll(/\*\*\/?|[*?{},]|[^*?{},]+/g, written);
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return nothing;
  }
}

const nothing = /^(?!)/;
