/** The metrics of one repository, as its process exposes them. */
interface Exposed {
  readonly repository: string;
  readonly text: string;
}

/**
 * One exposition of several: every sample says of which repository it is, and the lines of a family stand together once,
 * as the text format asks. https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function joinedMetrics(all: readonly Exposed[]): string {
  const families = new Map<string, Family>();
  for (const { repository, text } of all) addTo(families, text, repository);
  const lines = [...families.values()].flatMap(({ about, samples }) => [...about, ...samples]);
  return `${lines.join("\n")}\n`;
}

interface Family {
  readonly about: string[];
  readonly samples: string[];
}

function addTo(families: Map<string, Family>, text: string, repository: string): void {
  let family: Family = { about: [], samples: [] };
  for (const line of text.split("\n")) {
    const [, name] = /^# (?:HELP|TYPE) (\S+)/.exec(line) ?? [];
    if (name !== undefined) {
      family = families.get(name) ?? { about: [], samples: [] };
      families.set(name, family);
      if (!isToldTwice(family.about, line)) family.about.push(line);
    } else if (line !== "" && !line.startsWith("#")) family.samples.push(labelled(line, repository));
  }
}

/** One HELP and one TYPE for each family: the first. */
function isToldTwice(about: readonly string[], line: string): boolean {
  return about.some((one) => one.slice(0, 6) === line.slice(0, 6));
}

function labelled(sample: string, repository: string): string {
  const label = `repository="${repository.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  const [, name = "", rest = ""] = /^([a-zA-Z_:][\w:]*)(.*)$/s.exec(sample) ?? [];
  if (!rest.startsWith("{")) return `${name}{${label}}${rest}`;
  return rest.startsWith("{}") ? `${name}{${label}}${rest.slice(2)}` : `${name}{${label},${rest.slice(1)}`;
}
