import type { Tree } from "../../kubernetes/tree.ts";

// GitHub reads the first that is there:
// https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
const places = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];
const mostBytes = 3_000_000;

/** Whom the repository's CODEOWNERS names for these files, without the @; addresses of mail stay with GitHub. */
export function codeOwnersOf(tree: Tree, files: readonly string[]): readonly string[] {
  const bytes = places.map((place) => tree.read(place)).find((content) => content !== undefined);
  if (bytes === undefined || bytes.length > mostBytes) return [];
  const rules = new TextDecoder().decode(bytes).split("\n").flatMap(ruleIn);
  const owners = files.flatMap((file) => rules.findLast(({ covers }) => covers(file))?.owners ?? []);
  return [...new Set(owners)];
}

interface Rule {
  readonly covers: (path: string) => boolean;
  /** None takes the files out of a wider rule. */
  readonly owners: readonly string[];
}

function ruleIn(line: string): readonly Rule[] {
  const [pattern = "", ...named] = line
    .replace(/(?:^|\s)#.*/, "")
    .trim()
    .split(/\s+/);
  const covers = coverage(pattern);
  if (covers === undefined) return [];
  const owners = named.filter((name) => /^@[\w.-]+(?:\/[\w.-]+)?$/.test(name)).map((name) => name.slice(1));
  return [{ covers, owners }];
}

// What GitHub does not read, and what takes a matcher long, names nobody.
const longestPattern = 300;
const mostStars = 6;

function coverage(pattern: string): Rule["covers"] | undefined {
  const stars = pattern.match(/\*+/g)?.length ?? 0;
  if (pattern === "" || pattern.length > longestPattern || stars > mostStars || /[![\]\\]/.test(pattern))
    return undefined;
  const isAnchored = pattern.replace(/\/$/, "").includes("/");
  const bare = pattern.replace(/^\/|\/$/g, "");
  const body = bare
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => wildcards[part] ?? part.replace(/[.+^${}()|]/g, "\\$&"))
    .join("");
  // `docs/*` covers what lies in docs itself, `docs` and `docs/` all below it.
  const below = pattern.endsWith("/") ? "/.+" : /\/\*$/.test(bare) ? "" : "(?:/.*)?";
  const expression = new RegExp(`^${isAnchored ? "" : "(?:.*/)?"}${body}${below}$`);
  return (path) => expression.test(path);
}

const wildcards: Readonly<Record<string, string>> = { "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" };
