import { readdirSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { chartTools } from "../../adapters/cli-tools/charts.ts";
import { templatedTogether } from "../../adapters/cli-tools/helm/together.ts";
import { onPath, renderer } from "../../adapters/cli-tools/renderer.ts";
import type { ChartTools } from "../../domain/kubernetes/rendered.ts";
import type { Render } from "../../manifests/locate/answer.ts";

/** What a command of a repository renders with. */
export interface Tools {
  readonly render: Render;
  /** Undefined where Helm is not installed: then the conventions of charts answer. */
  readonly charts: ChartTools | undefined;
  /** How many questions are best asked at once. */
  readonly atOnce: number;
}

/**
 * Helm where it is installed, and Kustomize (or kubectl) as well when the proof shall be the tool's own. For many
 * questions Helm renders together what is asked at once.
 */
export function installedTools(prove: boolean): Tools {
  const searchPath = [process.env.PATH ?? "", ...builtTools()].join(delimiter);
  const helm = onPath("helm", searchPath);
  const limits = { timeLimitMs: 20_000, scratch: tmpdir() };
  const own = prove ? {} : { kubectl: null, kustomize: null };
  const template = helm === undefined ? {} : { template: templatedTogether({ helm, limits }) };
  const tools = renderer({ searchPath, helm: helm ?? null, ...own, ...template });
  return {
    render: (tree, entry) => tools.render(tree, entry),
    charts: helm === undefined ? undefined : chartTools({ helm, limits, ...template }),
    // Kustomize runs for each state of each entry, and machines have few processors.
    atOnce: prove ? 4 : 32,
  };
}

/** What this project built for itself: one directory for each tool and version. */
function builtTools(): string[] {
  const root = process.env.RECTIFY_TOOLS ?? join(homedir(), ".cache", "rectify", "tools");
  try {
    return readdirSync(root).map((name) => join(root, name));
  } catch {
    return [];
  }
}
