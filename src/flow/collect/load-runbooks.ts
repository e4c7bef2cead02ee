import type { Finding } from "../../domain/evidence/evidence.ts";
import { readRunbook, type RunbookReading, splitFrontMatter } from "../../domain/remedy/runbook.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { parseYaml } from "../../manifests/yaml/yaml.ts";

/** Where people write down what to do for an alert. */
const folder = "runbooks/";

/** Every runbook of the tree, with the problems of those that cannot be read; a file without front matter is prose. */
export function runbooksIn(tree: Tree): readonly RunbookReading[] {
  return tree
    .paths()
    .filter((path) => path.startsWith(folder) && path.endsWith(".md"))
    .sort()
    .flatMap((path) => {
      const split = splitFrontMatter(new TextDecoder().decode(tree.read(path)));
      if (split === undefined) return [];
      const front = parseYaml(split.yaml);
      if (!front.ok) return [{ kind: "invalid", path, problems: [front.problem] } as const];
      return [readRunbook(path, front.value, split.body)];
    });
}

/** What the runbooks say of an alert, as evidence; nothing where there are none. */
export function runbookFinding(tree: Tree, alert: string): Finding {
  const readings = runbooksIn(tree);
  const lines = readings.flatMap((reading) =>
    reading.kind === "runbook" && reading.runbook.alert === alert
      ? [`${reading.runbook.path}: remedy ${reading.runbook.remedy.kind}`, ...reading.runbook.body.split("\n")]
      : [],
  );
  const notes = readings.flatMap((reading) =>
    reading.kind === "invalid" ? [`${reading.path} was not read: ${reading.problems.join("; ")}`] : [],
  );
  return { kind: "text", lines: lines.slice(0, mostLines), notes };
}

const mostLines = 100;
