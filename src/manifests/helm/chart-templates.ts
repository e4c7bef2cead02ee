import { filesBelow } from "../gitops/links.ts";
import { joinPath } from "../repository/reader.ts";
import { refused, type Refusal } from "../repository/refusal.ts";
import type { Release } from "./releases.ts";
import type { FieldQuestion, EntryBuild } from "../trace/entry-build.ts";
import { madeUp } from "../trace/patch.ts";
import { at, itemsAt, textAt } from "../yaml/source.ts";
import { componentName } from "./component.ts";
import { scaledInValues, valuesKey } from "./values-key.ts";
import type { ValuesKey } from "./component.ts";

interface Asked extends Pick<FieldQuestion, "workload" | "change"> {
  readonly release: Release;
}

/** One manifest of a chart's templates, as text: it is read, never run. */
interface Template {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** The value that a chart of this repository reads for the wanted change, found in its own templates. */
export function templateKey(entryBuild: EntryBuild, asked: Asked): ValuesKey | Refusal {
  const fitting = templatesFor(entryBuild, asked);
  const { workload, change, release } = asked;
  const where = release.directory ?? "";
  if (fitting.length !== 1) {
    const dependent = fitting.length === 0 ? umbrellaKey(entryBuild, asked) : undefined;
    if (dependent) return dependent;
    const because = `${fitting.length === 0 ? "no" : "more than one"} template of ${where} makes ${workload.kind} ${workload.name}`;
    return refused(fitting.length === 0 ? "not-found" : "ambiguous-values-key", because, "Find the template by hand.");
  }
  const [template] = fitting;
  if (!template) return refused("not-found", `${where} has no template`, "Find the template by hand.");
  if (/\{\{-?\s*range\b/.test(template.text)) return unclear(template, "makes its objects in a loop");
  if (change.kind === "replicas") {
    const scaled = scaledInValues(release.merged);
    if (scaled && /autoscal|hpa/i.test(template.text)) return scaled;
    return lineKey(template, /^\s*replicas:\s*(.+?)\s*$/gm, "replicas");
  }
  if (change.kind === "image-tag") return imageLine(template, asked);
  if (change.kind === "resources") return resourcesBlock(template, change.field);
  return refused(
    "ambiguous-values-key",
    `${template.path} makes no autoscaler`,
    "Change the chart's autoscaler by hand.",
  );
}

/** Charts below an umbrella keep their values under their name or alias; their templates are mostly elsewhere. */
function umbrellaKey(entryBuild: EntryBuild, asked: Asked): ValuesKey | Refusal | undefined {
  const { release, workload, change } = asked;
  const source = entryBuild.reader.file(joinPath(release.directory ?? "", "Chart.yaml"));
  const dependencies = itemsAt(source?.ok ? source.file.documents[0]?.root : undefined, ["dependencies"]);
  const fitting = dependencies.flatMap((dependency) => {
    const name = textAt(dependency, ["alias"]) ?? textAt(dependency, ["name"]) ?? "";
    const values = at(release.merged, [name]);
    const merged = values?.kind === "map" ? values : madeUp(dependency);
    // Helm leaves the chart's name out when the release's name holds it; one single chart may leave it out anyway.
    const short = dependencies.length === 1 || release.name.includes(name);
    const full = short ? release.name : `${release.name}-${name}`;
    const own = { ...release, name: full, chart: name, merged, directory: undefined };
    const component = componentName(own, workload.name);
    return component === undefined ? [] : [{ name, own, length: workload.name.length - component.length }];
  });
  const longest = Math.max(...fitting.map((one) => one.length));
  const [best, other] = fitting.filter((one) => one.length === longest);
  if (!best || other) {
    return dependencies.length === 0
      ? undefined
      : refused(
          "ambiguous-values-key",
          `${source?.ok ? source.file.path : ""}:1 takes its templates from other charts`,
          "Write the value below the dependency's name by hand.",
        );
  }
  const key = valuesKey({ release: best.own, workload, change });
  return "reason" in key ? key : { ...key, path: [best.name, ...key.path] };
}

function templatesFor(entryBuild: EntryBuild, asked: Asked): Template[] {
  const directory = joinPath(asked.release.directory ?? "", "templates");
  const paths = filesBelow(entryBuild.tree, directory).paths.filter((path) => /\.ya?ml$/.test(path));
  const decoder = new TextDecoder();
  const found: (Template & { readonly rank: number })[] = [];
  for (const path of paths) {
    const bytes = entryBuild.tree.read(path);
    if (!bytes || bytes.length > 200_000) continue;
    let line = 1;
    for (const text of decoder.decode(bytes).split(/^---[^\n]*$/m)) {
      const rank = fits(text, asked);
      if (rank > 0) found.push({ path, line, text, rank });
      line += text.split("\n").length - 1;
    }
  }
  const best = Math.max(0, ...found.map((one) => one.rank));
  return found.filter((one) => one.rank === best);
}

/** How well a template's name fits: the length of the literal text that the workload's name must end with, plus one. */
function fits(text: string, { workload }: Asked): number {
  if (new RegExp(`^kind:\\s*${workload.kind}\\s*$`, "m").exec(text) === null) return 0;
  const name = /^metadata:\s*\n(?:[ \t]+.*\n)*?[ \t]+name:\s*(.+?)\s*$/m.exec(text)?.[1]?.replace(/^["']|["']$/g, "");
  if (name === undefined) return 0;
  const literals = name.split(/\{\{.*?\}\}/);
  if (literals.length === 1) return name === workload.name ? 1000 : 0;
  const [prefix, suffix] = [literals[0] ?? "", literals.at(-1) ?? ""];
  return workload.name.startsWith(prefix) && workload.name.endsWith(suffix) ? suffix.length + prefix.length + 1 : 0;
}

function lineKey(template: Template, pattern: RegExp, what: string): ValuesKey | Refusal {
  const lines = [...template.text.matchAll(pattern)].map((match) => match[1] ?? "");
  const [written] = lines;
  if (written === undefined || lines.length > 1)
    return unclear(template, `${lines.length === 0 ? "does not write" : "writes more than one"} ${what}`);
  if (!written.includes("{{"))
    return refused(
      "chart-hardcoded",
      `${template.path}:${template.line} writes ${what}: ${written}`,
      "Make the chart read it from its values first.",
    );
  const path = valuePath(written);
  return path ? { path, as: "value" } : unclear(template, `computes ${what}: ${written}`);
}

/** `{{ .Values.a.b }}`, also with a default, a conversion or quotes. */
function valuePath(expression: string): readonly string[] | undefined {
  const match =
    /^["']?\{\{-?\s*(?:int\s+|int64\s+)?\(?\s*(?:default\s+\S+\s+)?\$?\.Values\.([\w.]+)\s*\)?(?:\s*\|\s*(?:int|int64|quote|toString|default\s+(?:\d+|"[^"]*"|\.Chart\.AppVersion|\$\.Chart\.AppVersion)))*\s*-?\}\}["']?$/.exec(
      expression,
    );
  return match?.[1]?.split(".");
}

function imageLine(template: Template, asked: Asked): ValuesKey | Refusal {
  const lines = [...template.text.matchAll(/^\s*(?:- )?image:\s*(.+?)\s*$/gm)].map((match) => match[1] ?? "");
  const [written] = lines;
  if (written === undefined || lines.length > 1) return unclear(template, "does not tell which image is meant");
  if (!written.includes("{{"))
    return refused(
      "chart-hardcoded",
      `${template.path}:${template.line} writes image: ${written}`,
      "Make the chart read it from its values first.",
    );
  const parts = written.replace(/^["']|["']$/g, "").split(":");
  const last = parts.length > 1 ? valuePath(parts.slice(1).join(":")) : undefined;
  if (last) return { path: last, as: "tag" };
  const whole = valuePath(written);
  const value = whole && at(asked.release.merged, whole);
  return whole && value?.kind === "scalar" && value.text.includes(":")
    ? { path: whole, as: "image" }
    : unclear(template, `computes the image: ${written}`);
}

function resourcesBlock(template: Template, field: string): ValuesKey | Refusal {
  const blocks = [...template.text.matchAll(/^(\s*)resources:[ \t]*(.*)\n([^\n]*)/gm)];
  const [block] = blocks;
  if (!block || blocks.length > 1) return unclear(template, "does not tell which resources are meant");
  const inline = /toYaml\s+\$?\.Values\.([\w.]+)/.exec(`${block[2] ?? ""}\n${block[3] ?? ""}`)?.[1];
  if (inline !== undefined) return { path: [...inline.split("."), ...field.split(".")], as: "value" };
  if (!/\{\{/.test(`${block[2]}${block[3]}`))
    return refused(
      "chart-hardcoded",
      `${template.path}:${template.line} writes the resources itself`,
      "Make the chart read them from its values first.",
    );
  return unclear(template, "computes the resources");
}

function unclear(template: Template, because: string): Refusal {
  return refused(
    "ambiguous-values-key",
    `${template.path}:${template.line} ${because}`,
    "Read the template and change the value by hand.",
  );
}
