import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { kyvernoEngine } from "../../adapters/cli-tools/kyverno.ts";
import { changesBetween } from "../../domain/kubernetes/effect.ts";
import { policyFiles } from "../../domain/gate/gate-files.ts";
import type { PolicyVerdict } from "../../domain/gate/policy-report.ts";
import { renderVerdict } from "../../domain/gate/policy-text.ts";
import { readObject, type RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { treeOf } from "../../domain/kubernetes/tree.ts";
import { evaluatePolicies } from "../../flow/gate/evaluate-policies.ts";
import { parseYamlDocuments } from "../../manifests/yaml/yaml.ts";

export interface PoliciesAsked {
  /** Files with the rendered objects of base and head. */
  readonly before: string;
  readonly after: string;
  /** The directory with the policies of the base commit. */
  readonly policies: string;
  /** The Incident-UID of the commit; given for the bot's own branches, whose every change must be allowed. */
  readonly incident?: string;
  readonly byRectify?: true;
  /** The commit that it reverts, by its full SHA, as the trailer names it. */
  readonly reverts?: string;
}

/**
 * The gate without the bot, for CI: judges rendered objects with the policies of the base commit. The lines are the
 * verdict as Markdown; the exit code is 0 only when the policies passed.
 */
export async function checkPolicies(
  asked: PoliciesAsked,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly lines: readonly string[]; readonly code: 0 | 1 }> {
  const verdict = await judge(asked, env);
  return { lines: [renderVerdict(verdict)], code: verdict.kind === "passed" ? 0 : 1 };
}

async function judge(asked: PoliciesAsked, env: Readonly<Record<string, string | undefined>>): Promise<PolicyVerdict> {
  const old = objectsIn(asked.before);
  const objects = objectsIn(asked.after);
  const files = policyFiles(treeOf(filesIn(asked.policies)));
  const engine = kyvernoEngine({
    path: env.KYVERNO,
    toolsDirectory: env.RECTIFY_TOOLS ?? join(homedir(), ".cache/rectify/tools"),
    searchPath: env.PATH ?? "",
    timeoutMs: 120_000,
  });
  // What people change is theirs to review: only the rules about the state of an object apply.
  if (asked.byRectify !== true) return engine.judge({ files, objects });
  const { incident, reverts } = asked;
  const changes = changesBetween(old, objects);
  return evaluatePolicies({ files, before: old, objects, changes, incident, reverts }, engine);
}

function objectsIn(path: string): RenderedObject[] {
  const parsed = parseYamlDocuments(readFileSync(path, "utf8"));
  if (!parsed.ok) throw new Error(`${path}: ${parsed.problem}`);
  const documents = parsed.value.filter((document) => document !== null && document !== undefined);
  return documents.map((document) => {
    const object = readObject(document);
    if (object === undefined) throw new Error(`${path}: holds something that is no Kubernetes object`);
    return object;
  });
}

function filesIn(directory: string): Record<string, Uint8Array> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    names.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [join("policies", path.slice(directory.length)), readFileSync(path)];
    }),
  );
}
