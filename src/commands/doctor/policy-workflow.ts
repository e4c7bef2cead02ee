import { z } from "zod";
import { bad, type DoctorFinding, good, warning } from "./finding.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { parseYaml } from "../../manifests/yaml/yaml.ts";

const point = "policy workflow";
const directory = ".github/workflows/";

/** Whether each workflow that judges by our policies knows our branches by the same beginning as the guardrails give them. */
export function examinePolicyWorkflow(
  { branchPrefix }: Pick<Guardrails, "branchPrefix">,
  tree: Tree,
): readonly DoctorFinding[] {
  const texts = tree
    .paths()
    .filter((path) => path.startsWith(directory) && /\.ya?ml$/.test(path))
    .map((path) => ({ path, text: new TextDecoder().decode(tree.read(path)) }));
  const judging = texts.filter(({ text }) => /check-policies\b/.test(text) && text.includes("--by-rectify"));
  return judging.map(({ path, text }) => findingOf(path, prefixOf(text), branchPrefix));
}

function findingOf(path: string, prefix: string | undefined, branchPrefix: string): DoctorFinding {
  if (prefix === branchPrefix) return good(point, `${path} knows our branches by ${branchPrefix}`);
  if (prefix === undefined)
    return warning(
      point,
      `${path} does not say in a way that can be read which branches are ours`,
      `copy manifests/github/rectify-policy.yml anew, and set BRANCH_PREFIX: ${branchPrefix} in its env`,
    );
  return bad(
    point,
    `${path} takes ${prefix}* for our branches, the guardrails call them ${branchPrefix}*: ours are judged as a person's`,
    `set BRANCH_PREFIX: ${branchPrefix} in the env of ${path}, or branchPrefix: ${prefix} in .github/rectify.yml`,
  );
}

const Workflow = z.object({ env: z.object({ BRANCH_PREFIX: z.string() }) });

/** Its variable; copies of before have the beginning in the comparison itself. */
function prefixOf(text: string): string | undefined {
  const parsed = parseYaml(text);
  const read = parsed.ok ? Workflow.safeParse(parsed.value) : undefined;
  if (read?.success && text.includes('"$BRANCH_PREFIX"*')) return read.data.env.BRANCH_PREFIX;
  return /"\$BRANCH" == ([\w./-]+)\*/.exec(text)?.[1];
}
