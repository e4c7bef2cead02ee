#!/usr/bin/env node
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { kyvernoEngine } from "../../adapters/cli-tools/kyverno.ts";
import { changesBetween } from "../../domain/kubernetes/effect.ts";
import { policyFiles } from "../../domain/gate/gate-files.ts";
import type { PolicyVerdict } from "../../domain/gate/policy-report.ts";
import { renderVerdict } from "../../domain/gate/policy-text.ts";
import { readObject, type RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { treeOf } from "../../domain/kubernetes/tree.ts";
import { evaluatePolicies } from "../../flow/gate/evaluate-policies.ts";
import { parseYamlDocuments } from "../../manifests/yaml/yaml.ts";

/**
 * The gate without the bot, for CI: judges rendered objects with the policies of the base commit, prints the verdict
 * as Markdown, and ends with 0 only when the policies passed.
 */
const options = {
  before: { type: "string" },
  after: { type: "string" },
  policies: { type: "string" },
  /** The Incident-UID of the commit; given for the bot's own branches, whose every change must be allowed. */
  incident: { type: "string" },
  "by-rectify": { type: "boolean", default: false },
} as const;

const { values } = parseArgs({ options });
const verdict = await judge();
process.stdout.write(`${renderVerdict(verdict)}\n`);
process.exitCode = verdict.kind === "passed" ? 0 : 1;

async function judge(): Promise<PolicyVerdict> {
  const { before, after, policies } = values;
  if (before === undefined || after === undefined || policies === undefined) {
    throw new Error(
      "usage: check-policies --before FILE --after FILE --policies DIRECTORY [--by-rectify --incident UID]",
    );
  }
  const old = objectsIn(before);
  const objects = objectsIn(after);
  const files = policyFiles(treeOf(filesIn(policies)));
  const engine = kyvernoEngine({
    path: process.env.KYVERNO,
    toolsDirectory: process.env.RECTIFY_TOOLS ?? join(homedir(), ".cache/rectify/tools"),
    searchPath: process.env.PATH ?? "",
    timeoutMs: 120_000,
  });
  // What people change is theirs to review: only the rules about the state of an object apply.
  if (!values["by-rectify"]) return engine.judge({ files, objects });
  return evaluatePolicies({ files, objects, changes: changesBetween(old, objects), incident: values.incident }, engine);
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
